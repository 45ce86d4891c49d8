import type { BrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron';
import type { KeyValueFile } from '../src/core.ts';
import type { Logger } from '../src/log.ts';
import { APP_ENTRY } from './origin.ts';
import { keepWindowState, MIN_SIZE, placeWindow, readWindowState } from './window-state.ts';
import type { Placement } from './window-state.ts';

export interface WindowOptions {
  readonly createWindow: (options: BrowserWindowConstructorOptions) => BrowserWindow;
  /** Of every display that exists now, the primary first. */
  readonly workAreas: () => readonly Readonly<Rectangle>[];
  readonly stateFile: Pick<KeyValueFile, 'store'>;
  readonly preload: string;
  readonly backgroundColour: string;
  /** A packaged app has no developer tools. */
  readonly packaged: boolean;
  readonly log: Logger;
}

/** Opens the window where it was last, showing it once its page has painted. */
export function openWindow(options: WindowOptions): BrowserWindow {
  const placement = placeWindow(readWindowState(options.stateFile), options.workAreas());
  const window = options.createWindow(browserWindowOptions(placement, options));
  keepWindowState(window, options.stateFile, options.log);
  window.once('ready-to-show', () => {
    // Maximising shows a hidden window, so it waits for the paint too.
    if (placement.maximised) window.maximize();
    window.show();
  });
  window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    options.log.error({ reason, exitCode }, 'The page’s process is gone');
  });
  window.webContents.on('preload-error', (_event, _path, error) => {
    options.log.error({ err: error }, 'The preload failed');
  });
  window.loadURL(APP_ENTRY).catch((error: unknown) => {
    // A window that is closed while it loads ends here too.
    options.log.error({ err: error }, 'The page did not load');
  });
  return window;
}

/** Pure, so that a test can hold every switch of it. Those that are Electron's defaults are stated all the same. */
export function browserWindowOptions(
  placement: Placement,
  options: Pick<WindowOptions, 'preload' | 'backgroundColour' | 'packaged'>,
): BrowserWindowConstructorOptions {
  return {
    ...placement.bounds,
    minWidth: Math.min(MIN_SIZE.width, placement.bounds.width),
    minHeight: Math.min(MIN_SIZE.height, placement.bounds.height),
    title: 'Holdfast',
    show: false,
    backgroundColor: options.backgroundColour,
    autoHideMenuBar: true,
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      // Chromium fetches its dictionaries from Google's servers without asking.
      spellcheck: false,
      devTools: !options.packaged,
    },
  };
}

/** Brings a window to the front, wherever it was. */
export function focusWindow(window: Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'>): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
