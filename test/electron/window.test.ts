import { EventEmitter } from 'node:events';
import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';
import { describe, expect, test } from 'vitest';
import { browserWindowOptions, focusWindow, openWindow } from '../../electron/window.ts';
import { emitting, keptLog } from './fakes.ts';

const display = { x: 0, y: 0, width: 1600, height: 1000 };
const saved = { bounds: { x: 100, y: 50, width: 900, height: 700 }, maximised: false };

describe('the window’s switches', () => {
  const options = { preload: '/app/preload.cjs', backgroundColour: '#131517', packaged: true };

  test('isolate the page from Node, from Electron and from other pages', () => {
    expect(browserWindowOptions(saved, options).webPreferences).toEqual({
      preload: '/app/preload.cjs',
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
      spellcheck: false,
      devTools: false,
    });
  });

  test('leave the developer tools to developers', () => {
    expect(browserWindowOptions(saved, { ...options, packaged: false }).webPreferences?.devTools).toBe(true);
  });

  test('keep it hidden, in the page’s own colour, until there is something to see', () => {
    expect(browserWindowOptions(saved, options)).toMatchObject({
      ...saved.bounds,
      show: false,
      backgroundColor: '#131517',
    });
  });

  test('ask for no more room than a small display has', () => {
    const small = { bounds: { x: 0, y: 0, width: 320, height: 240 }, maximised: false };
    expect(browserWindowOptions(small, options)).toMatchObject({ minWidth: 320, minHeight: 240 });
  });
});

function opened(stored: Record<string, unknown>, load: () => Promise<void> = async () => undefined) {
  const calls: string[] = [];
  const contents = new EventEmitter();
  const log = keptLog();
  let made: BrowserWindowConstructorOptions | undefined;
  const window = emitting<BrowserWindow>({
    webContents: contents,
    show: () => void calls.push('show'),
    maximize: () => void calls.push('maximize'),
    loadURL: (url: string) => {
      calls.push(`load ${url}`);
      return load();
    },
    getNormalBounds: () => ({ x: 1, y: 2, width: 800, height: 600 }),
    isMaximized: () => true,
    isDestroyed: () => false,
  } as unknown as Omit<BrowserWindow, 'on' | 'once' | 'removeListener'>);
  const stateFile = { store: stored };
  openWindow({
    createWindow: (options) => {
      made = options;
      return window;
    },
    workAreas: () => [display],
    stateFile,
    preload: '/app/preload.cjs',
    backgroundColour: '#fbfbfa',
    packaged: true,
    log,
  });
  return { window: window as EventEmitter, contents, calls, made, stateFile, log };
}

describe('opening', () => {
  test('loads our page where the window was, and shows it when it has painted', () => {
    const { window, calls, made } = opened(saved);
    expect(made).toMatchObject(saved.bounds);
    expect(calls).toEqual(['load app://holdfast/']);
    window.emit('ready-to-show');
    expect(calls).toEqual(['load app://holdfast/', 'show']);
  });

  test('maximises a window that was maximised, once it has painted', () => {
    const { window, calls } = opened({ ...saved, maximised: true });
    expect(calls).toHaveLength(1);
    window.emit('ready-to-show');
    expect(calls.slice(1)).toEqual(['maximize', 'show']);
  });

  test('goes on when nothing sensible was saved', () => {
    expect(opened({ bounds: 'left' }).made).toMatchObject({ x: 240, y: 120, width: 1120, height: 760 });
  });

  test('keeps the place when the window closes', () => {
    const { window, stateFile } = opened({});
    window.emit('close');
    expect(stateFile.store).toEqual({ bounds: { x: 1, y: 2, width: 800, height: 600 }, maximised: true });
  });

  test('logs a page that does not load and a process that is gone', async () => {
    const { contents, log } = opened({}, () => Promise.reject(new Error('ERR_FAILED')));
    contents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 139 });
    await Promise.resolve();
    expect(log.lines.map((line) => line.message).sort()).toEqual([
      'The page did not load',
      'The page’s process is gone',
    ]);
  });
});

test.each([
  [true, ['restore', 'show', 'focus']],
  [false, ['show', 'focus']],
])('a window is brought to the front (minimised: %s)', (minimised, expected) => {
  const calls: string[] = [];
  focusWindow({
    isMinimized: () => minimised,
    restore: () => void calls.push('restore'),
    show: () => void calls.push('show'),
    focus: () => void calls.push('focus'),
  });
  expect(calls).toEqual(expected);
});
