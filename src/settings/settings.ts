import { defaultSettings, failed, ok, settingsSchema } from '../contract/index.ts';
import type { CoreEvent, Problem, Result, Settings, SettingsView } from '../contract/index.ts';
import { storageProblem, writeChecked } from '../storage/index.ts';
import type { KeyValueFile } from '../storage/index.ts';

/** Where keys are kept. Methods reject with an `Error` whose message can be shown. */
export interface SecretStore {
  /** Whether what it writes can be read only with the help of the operating system's keystore. */
  readonly encrypted: boolean;
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
}

const API_KEY = 'gemini-api-key';
const HINT_LENGTH = 4;

export interface SettingsPorts {
  readonly file: KeyValueFile;
  readonly secrets: SecretStore;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly publish: (event: CoreEvent) => void;
  /** What is live must be made anew to follow. */
  readonly changed: () => void;
  readonly notify: (problem: Problem) => void;
}

/** Fields that are absent or `undefined` stay as they are. */
export type SettingsChange = { readonly [Key in keyof Settings]?: Settings[Key] | undefined };

export interface SettingsStore {
  /** As they count now. */
  readonly current: Settings;
  view(): Promise<SettingsView>;
  update(change: SettingsChange): Promise<Result<SettingsView>>;
  setApiKey(key: string | null): Promise<Result<SettingsView>>;
  /** What the next connection is to use; `key` is absent in demo mode. */
  connection(): Promise<{ readonly model: string; readonly baseUrl: string | null; readonly key: string | undefined }>;
}

/**
 * The user's settings: what the environment fixes wins over what the file holds, and that over the defaults.
 * A field that does not fit its schema is replaced by its default and reported; the others stay.
 */
export function createSettings(ports: SettingsPorts): SettingsStore {
  const { env, secrets } = ports;
  const environment = fromEnvironment(env, ports.notify);
  const envKey = nonEmpty(env['HOLDFAST_GEMINI_API_KEY']);
  const onDisk = ports.file.store;
  let stored = readStored(onDisk, ports.notify);
  /** What a newer version may have put beside ours is kept. */
  let kept: Record<string, unknown> = { ...onDisk };

  async function key(): Promise<string | undefined> {
    if (envKey !== undefined) return envKey;
    try {
      return await secrets.get(API_KEY);
    } catch (error) {
      ports.notify({
        code: 'state_set_aside',
        message: `The stored API key could not be read: ${(error as Error).message} Paste it again in the settings.`,
        retry: 'user',
      });
      return undefined;
    }
  }

  async function view(): Promise<SettingsView> {
    const present = await key();
    const source = envKey !== undefined ? 'environment' : present !== undefined ? 'stored' : 'none';
    return {
      settings: { ...stored, ...environment },
      apiKey: { source, ...(present !== undefined && { hint: present.slice(-HINT_LENGTH) }) },
      fixed: [
        ...(environment.model !== undefined ? (['model'] as const) : []),
        ...(environment.baseUrl !== undefined ? (['baseUrl'] as const) : []),
        ...(envKey !== undefined ? (['apiKey'] as const) : []),
      ],
      provider: present === undefined ? 'demo' : 'gemini',
    };
  }

  async function announced(): Promise<Result<SettingsView>> {
    const now = await view();
    ports.publish({ type: 'settings.changed', view: now });
    return ok(now);
  }

  return {
    get current() {
      return { ...stored, ...environment };
    },
    view,
    async update(change) {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const next: Settings = { ...stored, ...given };
      const contents = { ...kept, ...next };
      try {
        writeChecked(ports.file, contents, kept);
      } catch (error) {
        return failed(storageProblem(error));
      }
      kept = contents;
      const touchesLinks = next.model !== stored.model || next.baseUrl !== stored.baseUrl;
      stored = next;
      if (touchesLinks) ports.changed();
      return announced();
    },
    async setApiKey(value) {
      try {
        if (value === null) await secrets.delete(API_KEY);
        else await secrets.set(API_KEY, value);
      } catch (error) {
        const problem = (error as { problem?: Problem }).problem;
        return failed(problem ?? storageProblem(error));
      }
      ports.changed();
      return announced();
    },
    async connection() {
      const { model, baseUrl } = { ...stored, ...environment };
      return { model, baseUrl, key: await key() };
    },
  };
}

function readStored(raw: Record<string, unknown>, notify: (problem: Problem) => void): Settings {
  const read = <Key extends keyof Settings>(name: Key): Settings[Key] => {
    if (raw[name] === undefined) return defaultSettings[name];
    const parsed = settingsSchema.shape[name].safeParse(raw[name]);
    if (parsed.success) return parsed.data as Settings[Key];
    notify({
      code: 'invalid_input',
      message: `The setting “${name}” in the settings file cannot be used. The default is in use instead.`,
      retry: 'user',
      context: { field: name },
    });
    return defaultSettings[name];
  };
  return {
    model: read('model'),
    baseUrl: read('baseUrl'),
    theme: read('theme'),
    cutAnswers: read('cutAnswers'),
    timeoutMinutes: read('timeoutMinutes'),
  };
}

function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  notify: (problem: Problem) => void,
): Partial<Pick<Settings, 'model' | 'baseUrl'>> {
  const found: Partial<Pick<Settings, 'model' | 'baseUrl'>> = {};
  const wanted = [
    ['model', 'HOLDFAST_GEMINI_MODEL'],
    ['baseUrl', 'HOLDFAST_GEMINI_BASE_URL'],
  ] as const;
  for (const [field, variable] of wanted) {
    const value = nonEmpty(env[variable]);
    if (value === undefined) continue;
    const parsed = settingsSchema.shape[field].safeParse(value);
    if (parsed.success) Object.assign(found, { [field]: parsed.data });
    else {
      notify({
        code: 'invalid_input',
        message: `The environment variable ${variable} does not hold a usable value and is ignored.`,
        retry: 'user',
      });
    }
  }
  return found;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}
