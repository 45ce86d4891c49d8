import { registerHooks } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import type { MessagePort as NodePort } from 'node:worker_threads';
import { connectOverPort, randomId } from '../../../src/contract/index.ts';
import type { CoreClient, Turn } from '../../../src/contract/index.ts';

/*
 * Runs the built main under Node with the stand-in for Electron, drives it once from start to quit, and prints what
 * was seen as one JSON line. Arguments: main.js, then what main is to see of the command line.
 */

const standIn = new URL('electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: standIn, shortCircuit: true } : next(specifier, context),
});
const electron = await import('./electron.ts');
const [main, ...args] = process.argv.slice(2);
if (main === undefined) throw new Error('the path of main.js is missing');
process.argv = [process.execPath, '.', ...args];

const report: Record<string, unknown> = {};

/** Until something is so; `false` when the app has ended instead. */
async function until(condition: () => boolean): Promise<boolean> {
  while (!condition()) {
    if (electron.exit.code !== undefined) return false;
    await pause(5);
  }
  return true;
}

await import(main);
if (await until(() => electron.windows.length > 0)) await driveWindow();
report['done'] = electron.done;
report['code'] = electron.exit.code;
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());

async function driveWindow(): Promise<void> {
  const [window] = electron.windows;
  if (window === undefined) throw new Error('no window');
  report['window'] = window.options;
  report['guarded'] = window.webContents.guarded;
  report['theme'] = electron.nativeTheme.themeSource;

  const page = await electron.handlers.get('app')?.({ url: 'app://holdfast/', method: 'GET' } as Request);
  report['page'] = { status: page?.status, policy: page?.headers.get('content-security-policy') };

  const asked = { ports: [] as NodePort[] };
  const frame = {
    url: 'app://holdfast/',
    parent: null,
    detached: false,
    processId: 1,
    frameToken: 'main',
    isDestroyed: () => false,
    postMessage: (_channel: string, _message: unknown, ports: NodePort[]) => void asked.ports.push(...ports),
  };
  electron.ipcMain.emit('holdfast:port-request', { sender: window.webContents, senderFrame: frame });
  const [port] = asked.ports;
  if (port === undefined) throw new Error('no port came');
  const { client } = connectOverPort(port as unknown as MessagePort);
  report['info'] = await client.system.info();
  report['turns'] = await converse(client);

  electron.app.emit('second-instance', {}, ['--data-dir=/elsewhere']);
  window.emit('ready-to-show');
  window.emit('close');
  report['calls'] = window.calls;

  const closed = new Promise((resolve) => port.on('close', () => resolve(true)));
  electron.app.emit('will-quit', { preventDefault: () => undefined });
  await until(() => electron.exit.code !== undefined);
  report['portClosed'] = await Promise.race([closed, pause(1_000, false)]);
}

/** What was said so far; in an empty data folder, something is said first. */
async function converse(client: CoreClient): Promise<readonly Pick<Turn, 'role' | 'status' | 'parts'>[]> {
  const { sessions } = await client.sessions.list({});
  const sessionId = sessions[0]?.id ?? (await client.sessions.create({})).id;
  if (sessions.length === 0) await client.turns.send({ sessionId, turnId: randomId(), text: 'Hello.' });
  for (;;) {
    const { turns } = await client.history.page({ sessionId });
    if (turns.at(-1)?.status === 'complete') {
      return turns.map(({ role, status, parts }) => ({ role, status, parts }));
    }
    await pause(50);
  }
}
