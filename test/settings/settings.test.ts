import Conf from 'conf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODEL, defaultSettings, settingsViewSchema } from '../../src/contract/index.ts';
import type { CoreEvent, Problem, SettingsView } from '../../src/contract/index.ts';
import { createSettings } from '../../src/settings/index.ts';
import type { SecretStore } from '../../src/settings/index.ts';
import type { KeyValueFile } from '../../src/storage/index.ts';
import { tempDir } from '../support/temp-dir.ts';

function secretsInMemory(kept: Record<string, string> = {}): SecretStore {
  return {
    encrypted: false,
    get: async (name) => kept[name],
    set: async (name, value) => void (kept[name] = value),
    delete: async (name) => void delete kept[name],
  };
}

function fileInMemory(store: Record<string, unknown> = {}): KeyValueFile {
  return { path: '/settings.json', store };
}

interface World {
  readonly file?: KeyValueFile;
  readonly secrets?: SecretStore;
  readonly env?: Record<string, string>;
}

function open({ file = fileInMemory(), secrets = secretsInMemory(), env = {} }: World = {}) {
  const events: CoreEvent[] = [];
  const problems: Problem[] = [];
  let changes = 0;
  const settings = createSettings({
    file,
    secrets,
    env,
    publish: (event) => void events.push(event),
    changed: () => (changes += 1),
    notify: (problem) => void problems.push(problem),
  });
  return { settings, file, events, problems, changes: () => changes };
}

const KEY = 'a-key-that-ends-in-1234';

async function viewOf(result: ReturnType<ReturnType<typeof open>['settings']['update']>): Promise<SettingsView> {
  const settled = await result;
  if (!settled.ok) throw new Error(settled.problem.message);
  return settled.value;
}

describe('settings', () => {
  it('are the defaults and the demo where nothing was ever set', async () => {
    const { settings, problems } = open();
    expect(await settings.view()).toEqual({
      settings: defaultSettings,
      apiKey: { source: 'none' },
      fixed: [],
      provider: 'demo',
    });
    expect(await settings.connection()).toEqual({ model: DEFAULT_MODEL, baseUrl: null, key: undefined });
    expect(problems).toEqual([]);
  });

  it('are kept over a restart, and told to all', async () => {
    const cwd = tempDir();
    const conf = () => new Conf({ cwd, configName: 'settings', clearInvalidConfig: false });
    const first = open({ file: conf() });
    const view = await viewOf(first.settings.update({ model: 'gemini-9', theme: 'dark' }));
    expect(view.settings).toEqual({ ...defaultSettings, model: 'gemini-9', theme: 'dark' });
    expect(first.events).toEqual([{ type: 'settings.changed', view }]);
    const again = open({ file: conf() });
    expect((await again.settings.view()).settings).toEqual(view.settings);
    expect((await viewOf(again.settings.update({}))).settings).toEqual(view.settings);
    expect((await viewOf(again.settings.update({ theme: undefined }))).settings).toEqual(view.settings);
  });

  it('make links anew when what they are made of changes, and only then', async () => {
    const { settings, changes } = open();
    await settings.update({ theme: 'light' });
    await settings.update({ model: DEFAULT_MODEL });
    expect(changes()).toBe(0);
    await settings.update({ model: 'gemini-9' });
    await settings.update({ baseUrl: 'ws://127.0.0.1:1' });
    expect(changes()).toBe(2);
    await settings.setApiKey(KEY);
    await settings.setApiKey(null);
    expect(changes()).toBe(4);
  });

  it('keep a key without ever showing it, and fall back to the demo without one', async () => {
    const { settings, events, file } = open();
    const set = await settings.setApiKey(KEY);
    expect(set).toMatchObject({ ok: true, value: { apiKey: { source: 'stored', hint: '1234' }, provider: 'gemini' } });
    expect(await settings.connection()).toMatchObject({ key: KEY });
    expect(JSON.stringify([set, await settings.view(), events, file.store])).not.toContain(KEY);
    expect(await settings.setApiKey(null)).toMatchObject({
      ok: true,
      value: { apiKey: { source: 'none' }, provider: 'demo' },
    });
    expect(events).toHaveLength(2);
  });

  it('of the environment win, are shown as fixed, and do not enter the file', async () => {
    const env = {
      HOLDFAST_GEMINI_API_KEY: `  ${KEY} `,
      HOLDFAST_GEMINI_MODEL: 'gemini-env',
      HOLDFAST_GEMINI_BASE_URL: 'ws://127.0.0.1:9',
    };
    const { settings, file } = open({ env, secrets: secretsInMemory({ 'gemini-api-key': 'stored-key-0000' }) });
    expect(await settings.view()).toEqual({
      settings: { ...defaultSettings, model: 'gemini-env', baseUrl: 'ws://127.0.0.1:9' },
      apiKey: { source: 'environment', hint: '1234' },
      fixed: ['model', 'baseUrl', 'apiKey'],
      provider: 'gemini',
    });
    const view = await viewOf(settings.update({ model: 'gemini-mine', theme: 'dark' }));
    expect(view.settings).toMatchObject({ model: 'gemini-env', theme: 'dark' });
    expect(JSON.stringify(file.store)).not.toMatch(/gemini-env|127\.0\.0\.1/);
    expect(await settings.connection()).toEqual({ model: 'gemini-env', baseUrl: 'ws://127.0.0.1:9', key: KEY });
    expect((await open({ file }).settings.view()).settings.model).toBe('gemini-mine');
  });

  it.each(['', '   ', '\t'])('take an environment variable that holds %j as not set', async (value) => {
    const env = { HOLDFAST_GEMINI_API_KEY: value, HOLDFAST_GEMINI_MODEL: value, HOLDFAST_GEMINI_BASE_URL: value };
    const { settings, problems } = open({ env });
    expect(await settings.view()).toMatchObject({ fixed: [], provider: 'demo', settings: defaultSettings });
    expect(problems).toEqual([]);
  });

  it.each([
    ['HOLDFAST_GEMINI_MODEL', '../x'],
    ['HOLDFAST_GEMINI_BASE_URL', 'javascript:alert(1)'],
    ['HOLDFAST_GEMINI_BASE_URL', 'not a url'],
  ])('ignore %s=%s and say so', async (name, value) => {
    const { settings, problems } = open({ env: { [name]: value } });
    expect(await settings.view()).toMatchObject({ fixed: [], settings: defaultSettings });
    expect(problems).toMatchObject([{ code: 'invalid_input', message: expect.stringContaining(name) }]);
  });

  it('replace a field of the file that cannot be used by its default, say so, and keep the others', async () => {
    const { settings, problems } = open({ file: fileInMemory({ model: 'a b', baseUrl: 7, theme: 'dark' }) });
    expect((await settings.view()).settings).toEqual({ ...defaultSettings, theme: 'dark' });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('“model”'),
      expect.stringContaining('“baseUrl”'),
    ]);
  });

  it('keep what a newer version has put beside them', async () => {
    const file = fileInMemory({ theme: 'dark', layout: { sidebar: 280 } });
    const { settings } = open({ file });
    await settings.update({ theme: 'light' });
    await settings.update({ model: 'gemini-9' });
    expect(file.store).toMatchObject({ theme: 'light', model: 'gemini-9', layout: { sidebar: 280 } });
  });

  it('stay as they were, here and in the file, when the disk does not take them', async () => {
    let full = false;
    let content: Record<string, unknown> = { theme: 'dark' };
    const file: KeyValueFile = {
      path: '/settings.json',
      get store() {
        return content;
      },
      set store(next) {
        if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        content = next;
      },
    };
    const { settings, events, changes } = open({ file });
    full = true;
    expect(await settings.update({ model: 'gemini-9' })).toMatchObject({ ok: false, problem: { code: 'disk_full' } });
    expect((await settings.view()).settings).toEqual({ ...defaultSettings, theme: 'dark' });
    expect(content).toEqual({ theme: 'dark' });
    expect([events.length, changes()]).toEqual([0, 0]);
    full = false;
    expect(await settings.update({ model: 'gemini-9' })).toMatchObject({ ok: true });
  });

  it('say when the key cannot be kept, with the words of the store', async () => {
    const problem: Problem = { code: 'secrets_unavailable', message: 'There is no keystore.', retry: 'user' };
    const refusing: SecretStore = {
      ...secretsInMemory(),
      set: async () => {
        throw Object.assign(new Error(problem.message), { problem });
      },
      delete: async () => {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    };
    const { settings, events, changes } = open({ secrets: refusing });
    expect(await settings.setApiKey(KEY)).toEqual({ ok: false, problem });
    expect(await settings.setApiKey(null)).toMatchObject({ ok: false, problem: { code: 'disk_full' } });
    expect([events.length, changes()]).toEqual([0, 0]);
  });

  it('say when the key cannot be read, and go on as the demo', async () => {
    const unreadable: SecretStore = {
      ...secretsInMemory(),
      get: async () => {
        throw new Error('The keystore does not decrypt it.');
      },
    };
    const { settings, problems } = open({ secrets: unreadable });
    expect(await settings.view()).toMatchObject({ apiKey: { source: 'none' }, provider: 'demo' });
    expect(problems[0]?.message).toContain('The keystore does not decrypt it.');
  });

  it('are always of the contract’s form, whatever the file holds', async () => {
    const anything = fc.dictionary(fc.constantFrom('model', 'baseUrl', 'theme', 'x'), fc.jsonValue(), {
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(anything, async (store) => {
        settingsViewSchema.parse(await open({ file: fileInMemory(store) }).settings.view());
      }),
    );
  });
});
