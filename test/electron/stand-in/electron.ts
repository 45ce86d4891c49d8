import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel as NodeChannel } from 'node:worker_threads';
import type { MessagePort as NodePort } from 'node:worker_threads';
import type Electron from 'electron';
import { emitting } from '../fakes.ts';

/*
 * As much of the module `electron` as the built main uses, so that it can be run under Node alone. It draws nothing
 * and isolates nothing: what it shows is that main wires its parts together. Each part is held to Electron's types.
 */

type Permissions = Pick<
  Electron.Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
>;

export const done: string[] = [];
const paths = new Map([['userData', join(tmpdir(), 'holdfast-stand-in')]]);
export const exit = { code: undefined as number | undefined };
export const handlers = new Map<string, Parameters<Electron.Protocol['handle']>[1]>();
const ready = { is: false };

export const app = emitting<
  Pick<
    Electron.App,
    | 'on'
    | 'exit'
    | 'quit'
    | 'whenReady'
    | 'isReady'
    | 'getPath'
    | 'getVersion'
    | 'setPath'
    | 'requestSingleInstanceLock'
    | 'isPackaged'
  >
>({
  isPackaged: false,
  whenReady: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    ready.is = true;
  },
  isReady: () => ready.is,
  getPath: (name) => paths.get(name) ?? tmpdir(),
  getVersion: () => '0.0.0',
  setPath: (name, path) => void paths.set(name, path),
  requestSingleInstanceLock: () => process.env['STAND_IN_SECOND'] !== '1',
  quit: () => void done.push('quit'),
  exit: (code) => {
    exit.code = code ?? 0;
    done.push('exit');
  },
});

export const powerMonitor = emitting<Pick<Electron.PowerMonitor, 'on'>>({});

export const protocol = {
  registerSchemesAsPrivileged: (schemes) => {
    if (ready.is) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    done.push(`scheme ${schemes.map(({ scheme }) => scheme).join()}`);
  },
  handle: (scheme, handler) => void handlers.set(scheme, handler),
} satisfies Pick<Electron.Protocol, 'registerSchemesAsPrivileged' | 'handle'>;

export const ipcMain = emitting<Pick<Electron.IpcMain, 'on' | 'removeListener'>>({});
export const nativeTheme = emitting<
  Pick<Electron.NativeTheme, 'on' | 'removeListener' | 'themeSource' | 'shouldUseDarkColors'>
>({ themeSource: 'system', shouldUseDarkColors: true });

export const dialog = {
  showErrorBox: (title) => void done.push(`error box: ${title}`),
} satisfies Pick<Electron.Dialog, 'showErrorBox'>;

export const safeStorage = {
  isAsyncEncryptionAvailable: async () => true,
  getSelectedStorageBackend: () => 'gnome_libsecret',
  encryptStringAsync: async (text) => Buffer.from(text).reverse(),
  decryptStringAsync: async (encrypted) => ({
    result: Buffer.from(encrypted).reverse().toString(),
    shouldReEncrypt: false,
  }),
} satisfies Pick<
  Electron.SafeStorage,
  'isAsyncEncryptionAvailable' | 'getSelectedStorageBackend' | 'encryptStringAsync' | 'decryptStringAsync'
>;

const display = { id: 1, workArea: { x: 0, y: 0, width: 1600, height: 1000 } } as Electron.Display;
export const screen = {
  getPrimaryDisplay: () => display,
  getAllDisplays: () => [display],
} satisfies Pick<Electron.Screen, 'getPrimaryDisplay' | 'getAllDisplays'>;

const noted = (name: string) => () => void done.push(name);
export const session = {
  defaultSession: {
    setPermissionRequestHandler: noted('permission requests'),
    setPermissionCheckHandler: noted('permission checks'),
    setDevicePermissionHandler: noted('device permissions'),
  } satisfies Permissions,
};

/** Electron's port in main is an emitter, and its `message` carries an event. */
class PortMain extends EventEmitter {
  readonly #port: NodePort;
  constructor(port: NodePort) {
    super();
    this.#port = port;
    port.on('close', () => this.emit('close'));
  }
  start(): void {
    this.#port.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
  }
  postMessage(message: unknown): void {
    this.#port.postMessage(message, []);
  }
  close(): void {
    this.#port.close();
  }
}

/** `port2` is the page's end, as the page would hold it. */
export class MessageChannelMain {
  readonly port1: PortMain;
  readonly port2: NodePort;
  constructor() {
    const { port1, port2 } = new NodeChannel();
    this.port1 = new PortMain(port1);
    this.port2 = port2;
  }
}

export const windows: BrowserWindow[] = [];

export class BrowserWindow extends EventEmitter {
  readonly options: Electron.BrowserWindowConstructorOptions;
  readonly webContents: EventEmitter & { mainFrame: object; isDestroyed: () => boolean; guarded: boolean };
  readonly calls: string[] = [];
  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    const webContents = Object.assign(new EventEmitter(), {
      mainFrame: { processId: 1, frameToken: 'main' },
      isDestroyed: () => false,
      guarded: false,
      setWindowOpenHandler: () => void (webContents.guarded = true),
    });
    this.webContents = webContents;
    app.emit('web-contents-created', {}, webContents);
    windows.push(this);
  }
  async loadURL(url: string): Promise<void> {
    this.calls.push(`load ${url}`);
  }
  show = (): void => void this.calls.push('show');
  focus = (): void => void this.calls.push('focus');
  restore = (): void => void this.calls.push('restore');
  maximize = (): void => void this.calls.push('maximize');
  isMinimized = (): boolean => false;
  isMaximized = (): boolean => false;
  isDestroyed = (): boolean => false;
  setBackgroundColor = (colour: string): void => void this.calls.push(`colour ${colour}`);
  getNormalBounds = (): Electron.Rectangle => ({ x: 10, y: 20, width: 800, height: 600 });
}

export default { app, ipcMain, shell: {} };
