import { join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, nativeTheme, protocol } from 'electron';
import { powerMonitor, safeStorage, screen, session } from 'electron';
import ElectronStore from 'electron-store';
import { serveOverPort } from '../src/api/index.ts';
import { connectOverPort } from '../src/contract/index.ts';
import type { CoreConnection, Result } from '../src/contract/index.ts';
import { openCore } from '../src/core.ts';
import type { Core } from '../src/core.ts';
import { openLog } from '../src/log.ts';
import type { Logger } from '../src/log.ts';
import { contentSecurityPolicy, resolveAsset } from '../src/server/index.ts';
import { makeDirectory } from '../src/storage/index.ts';
import { denyPermissions, guardNavigation } from './guards.ts';
import { chosenDataDir } from './launch.ts';
import { APP_SCHEME, appScheme } from './origin.ts';
import { handOverPorts } from './port-handover.ts';
import { assetHandler } from './protocol.ts';
import { closeBeforeQuit } from './quit.ts';
import { openSecretStore } from './secrets.ts';
import { openExpendableFile, openKeyValueFile } from './stores.ts';
import { backgroundColour, followTheme } from './theme.ts';
import { focusWindow, openWindow } from './window.ts';

declare const __HOLDFAST_VERSION__: string;

const PAGE_DIR = join(import.meta.dirname, '../renderer');
const PRELOAD = join(import.meta.dirname, '../preload/preload.cjs');

protocol.registerSchemesAsPrivileged([appScheme]);

/** What is written belongs to this user alone, whichever library writes it. */
process.umask(0o077);

try {
  const dataDir = settleDataDir();
  if (app.requestSingleInstanceLock()) start(dataDir).catch(refuseToStart);
  else leaveToFirstInstance();
} catch (error) {
  refuseToStart(error);
}

async function start(dataDir: string): Promise<void> {
  let window: BrowserWindow | undefined;
  const logs = join(dataDir, 'logs');
  makeDirectory(logs);
  const log = openLog(logs);

  // A second instance's command line is whatever another program made it: it is not looked at.
  app.on('second-instance', () => window && focusWindow(window));
  app.on('web-contents-created', (_event, contents) => guardNavigation(contents, log));
  app.on('window-all-closed', () => process.platform === 'darwin' || app.quit());

  await app.whenReady();
  denyPermissions(session.defaultSession, log);
  servePage(log);

  const opened = await openDesktopCore(dataDir, log);
  if (!opened.ok) return refuseToStart(opened.problem);
  const core = opened.value;

  powerMonitor.on('resume', () => core.wake());

  const host = connectHost(core, log);
  const unfollowTheme = await followTheme(nativeTheme, host, (colour) => window?.setBackgroundColor(colour));
  const stopHandover = handOverPorts({
    ipc: ipcMain,
    ownContents: () => window?.webContents,
    createChannel: () => new MessageChannelMain(),
    serve: (port) => serveOverPort(core.router, port, log),
    log,
  });
  closeBeforeQuit({
    app,
    close: () => {
      stopHandover();
      unfollowTheme();
      host.close();
      return core.close();
    },
    log,
  });

  const stateFile = openExpendableFile(ElectronStore, 'window', dataDir, log);
  const openMainWindow = (): void => {
    window = openWindow({
      createWindow: (options) => new BrowserWindow(options),
      workAreas,
      stateFile,
      preload: PRELOAD,
      backgroundColour: backgroundColour(nativeTheme),
      packaged: app.isPackaged,
      log,
    });
    window.on('closed', () => (window = undefined));
  };
  openMainWindow();
  app.on('activate', () => window ?? openMainWindow());
}

/** Moves Electron's own idea of its folders along, so that each data folder has its own lock and its own browser profile. */
function settleDataDir(): string {
  const dataDir = chosenDataDir(process.argv.slice(1), process.env, process.cwd()) ?? app.getPath('userData');
  const profile = join(dataDir, 'browser');
  makeDirectory(profile);
  app.setPath('userData', dataDir);
  app.setPath('sessionData', profile);
  return dataDir;
}

function servePage(log: Logger): void {
  const resolve = (urlPath: string) => resolveAsset(PAGE_DIR, urlPath);
  protocol.handle(APP_SCHEME, assetHandler({ resolve, contentSecurityPolicy: contentSecurityPolicy([]), log }));
}

async function openDesktopCore(dataDir: string, log: Logger): Promise<Result<Core>> {
  const { platform } = process;
  const secrets = await openSecretStore({ safeStorage, platform, dir: dataDir, now: () => new Date(), log });
  return openCore({
    host: 'desktop',
    version: __HOLDFAST_VERSION__,
    dataDir,
    env: process.env,
    openKeyValueFile: (name, dir) => openKeyValueFile(ElectronStore, name, dir),
    secrets,
    log,
  });
}

/** The host is a client of its core like any other, over the same contract. */
function connectHost(core: Core, log: Logger): CoreConnection {
  const { port1, port2 } = new MessageChannel();
  serveOverPort(core.router, port1, log);
  return connectOverPort(port2);
}

function workAreas(): Electron.Rectangle[] {
  const primary = screen.getPrimaryDisplay();
  const others = screen.getAllDisplays().filter((display) => display.id !== primary.id);
  return [primary, ...others].map((display) => display.workArea);
}

function leaveToFirstInstance(): void {
  process.stderr.write('Holdfast is already running with this data folder; its window is in front now.\n');
  app.exit(1);
}

function refuseToStart(cause: unknown): void {
  const message = (cause as { message?: unknown } | undefined)?.message;
  const sentence = typeof message === 'string' ? message : String(cause);
  process.stderr.write(`Holdfast cannot start: ${sentence}\n`);
  // Before it is ready, Electron on Linux would only write the same to stderr again.
  if (app.isReady() || process.platform !== 'linux') dialog.showErrorBox('Holdfast cannot start', sentence);
  app.exit(1);
}
