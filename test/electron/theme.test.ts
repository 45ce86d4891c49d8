import { readFileSync } from 'node:fs';
import type { NativeTheme } from 'electron';
import { expect, test, vi } from 'vitest';
import { BACKGROUND, backgroundColour, followTheme } from '../../electron/theme.ts';
import { defaultSettings } from '../../src/contract/index.ts';
import type { CoreConnection, CoreEvent, Settings, SettingsView } from '../../src/contract/index.ts';
import { emitting } from './fakes.ts';

type Theme = Pick<NativeTheme, 'themeSource' | 'shouldUseDarkColors' | 'on' | 'removeListener'>;

/** As Electron's: what is dark follows the source, and a change of it is told. */
function fakeTheme(systemIsDark: boolean) {
  let source: Settings['theme'] = 'system';
  const theme = emitting<Theme>({ themeSource: 'system', shouldUseDarkColors: false });
  Object.defineProperties(theme, {
    themeSource: {
      get: () => source,
      set: (next: Settings['theme']) => {
        source = next;
        theme.emit('updated');
      },
    },
    shouldUseDarkColors: { get: () => (source === 'system' ? systemIsDark : source === 'dark') },
  });
  return theme;
}

function view(theme: Settings['theme']): SettingsView {
  return { settings: { ...defaultSettings, theme }, apiKey: { source: 'none' }, fixed: [], provider: 'demo' };
}

function fakeCore(get: () => Promise<SettingsView>) {
  let push: (event: CoreEvent) => void = () => undefined;
  const queue: CoreEvent[] = [{ type: 'reset' }];
  async function* stream(signal: AbortSignal | undefined): AsyncGenerator<CoreEvent> {
    while (signal?.aborted !== true) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (push = (event) => (queue.push(event), resolve())));
    }
  }
  const core = {
    client: {
      settings: { get },
      events: {
        stream: async (_input: unknown, { signal }: { signal?: AbortSignal }) => stream(signal),
        ack: async () => ({}),
      },
    },
  } as unknown as CoreConnection;
  return { core, push: (event: CoreEvent) => push(event) };
}

test('the window’s colour is the page’s, dark or light', () => {
  expect(backgroundColour({ shouldUseDarkColors: true })).toBe(BACKGROUND.dark);
  expect(backgroundColour({ shouldUseDarkColors: false })).toBe(BACKGROUND.light);
  const styles = readFileSync(new URL('../../renderer/styles.css', import.meta.url), 'utf8');
  expect(styles).toContain(`--color-ground: light-dark(${BACKGROUND.light}, ${BACKGROUND.dark});`);
});

test('the setting is in force before a window opens, and followed from there', async () => {
  const theme = fakeTheme(true);
  const { core, push } = fakeCore(async () => view('light'));
  const colours: string[] = [];
  const undo = await followTheme(theme, core, (colour) => colours.push(colour));
  expect([theme.themeSource, backgroundColour(theme)]).toEqual(['light', BACKGROUND.light]);
  await vi.waitFor(() => {
    push({ type: 'settings.changed', view: view('dark') });
    expect(theme.themeSource).toBe('dark');
  });
  expect(colours).toEqual([BACKGROUND.light, BACKGROUND.dark]);
  undo();
  theme.emit('updated');
  expect(colours).toHaveLength(2);
});

test('a change of the system’s theme is told', async () => {
  const theme = fakeTheme(true);
  const { core } = fakeCore(async () => view('system'));
  const colours: string[] = [];
  const undo = await followTheme(theme, core, (colour) => colours.push(colour));
  theme.emit('updated');
  expect(colours).toEqual([BACKGROUND.dark]);
  undo();
});

test('a core that does not answer leaves the system’s theme', async () => {
  const theme = fakeTheme(true);
  const { core } = fakeCore(() => Promise.reject(new Error('closed')));
  const undo = await followTheme(theme, core, () => undefined);
  expect(theme.themeSource).toBe('system');
  undo();
});
