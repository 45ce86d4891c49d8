import type { NativeTheme } from 'electron';
import type { CoreConnection, Settings } from '../src/contract/index.ts';
import { followEvents } from '../src/contract/index.ts';

/** What a window shows before its page has painted: the page's own `--color-ground`, so that nothing flashes. */
export const BACKGROUND = { light: '#fcfdfd', dark: '#101618' } as const;

type ThemeSource = Pick<NativeTheme, 'themeSource' | 'shouldUseDarkColors' | 'on' | 'removeListener'>;

/** Asked anew for each window: the system's theme can have changed since. */
export function backgroundColour(theme: Pick<NativeTheme, 'shouldUseDarkColors'>): string {
  return theme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light;
}

/**
 * Keeps Electron's theme on the one in the settings, and tells of every change of the background, whoever made it.
 * Resolves once the present setting is in force. Returns its undo.
 */
export async function followTheme(
  nativeTheme: ThemeSource,
  core: CoreConnection,
  onBackground: (colour: string) => void,
): Promise<() => void> {
  const apply = (settings: Settings): void => {
    if (nativeTheme.themeSource !== settings.theme) nativeTheme.themeSource = settings.theme;
  };
  const onUpdated = (): void => onBackground(backgroundColour(nativeTheme));
  nativeTheme.on('updated', onUpdated);
  const read = async (): Promise<void> => {
    try {
      apply((await core.client.settings.get()).settings);
    } catch {
      // Without an answer the system's theme is the best guess, and no reason not to open a window.
    }
  };
  await read();
  const unfollow = followEvents(core, (event) => {
    if (event.type === 'settings.changed') apply(event.view.settings);
    else if (event.type === 'reset') void read();
  });
  return () => {
    unfollow();
    nativeTheme.removeListener('updated', onUpdated);
  };
}
