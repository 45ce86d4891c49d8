// Run with the pinned Node. One process serves the renderer with Vite's hot reload and passes the contract on to the
// browser host, which runs from its sources and starts again when they change. The browser needs no token: this process
// has it, and lets in only pages of its own origin.
import { spawn } from 'node:child_process';
import { createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'vite';
import { ROOT } from './paths.mjs';
import { say } from './progress.mjs';

const LOOPBACK = '127.0.0.1';
/** What the host serves besides the page itself. */
const HOST_PATHS = ['/contract', '/session'];

const hostPort = await freePort();
const pagePort = Number(process.env.HOLDFAST_DEV_PORT) || (await freePort());
const hostOrigin = `http://${LOOPBACK}:${hostPort}`;
const pageOrigin = `http://${LOOPBACK}:${pagePort}`;
let cookie = '';
const flags = process.argv.slice(2);
/** Trying things out must not touch the conversations of the app that the developer uses. */
const dataDir = flags.some((flag) => flag.startsWith('--data-dir'))
  ? []
  : ['--data-dir', join(ROOT, '.cache', 'dev-data')];

const host = spawn(
  process.execPath,
  [
    '--watch',
    '--watch-preserve-output',
    join('src', 'server', 'main.ts'),
    '--port',
    String(hostPort),
    '--no-open',
    '--json',
    ...dataDir,
    ...flags,
  ],
  { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
);
createInterface({ input: host.stdout }).on('line', (line) => {
  const ready = readyLine(line);
  if (ready === undefined) say(line);
  else void admit(ready);
});
host.on('exit', (code) => process.exit(code ?? 1));
process.on('exit', () => host.kill());
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => process.exit(0));

const vite = await createServer({
  configFile: join(ROOT, 'vite.config.ts'),
  // The build's input is named from the checkout's folder, which the scan of a server with another root does not find.
  optimizeDeps: { entries: ['index.html'] },
  server: {
    host: LOOPBACK,
    port: pagePort,
    strictPort: true,
    proxy: Object.fromEntries(HOST_PATHS.map((path) => [path, toHost()])),
  },
});
await vite.listen();
say(`Holdfast, with hot reload: ${pageOrigin}/`);

/** @returns {import('vite').ProxyOptions} */
function toHost() {
  return {
    target: hostOrigin,
    changeOrigin: true,
    ws: true,
    // Another page in the same browser must get as little from here as from the host itself.
    bypass: (request) => (isOurPage(request.headers) ? undefined : false),
    configure: (proxy) => {
      proxy.on('proxyReq', asHostsOwn);
      proxy.on('proxyReqWs', asHostsOwn);
    },
  };
}

/** @param {import('node:http').IncomingHttpHeaders} headers */
function isOurPage(headers) {
  const isOurHost = headers.host === `${LOOPBACK}:${pagePort}`;
  const isOurOrigin =
    headers.origin === pageOrigin || (headers.origin === undefined && headers['sec-fetch-site'] === 'same-origin');
  return isOurHost && isOurOrigin;
}

/** @param {import('node:http').ClientRequest} request */
function asHostsOwn(request) {
  request.setHeader('Host', `${LOOPBACK}:${hostPort}`);
  request.setHeader('Origin', hostOrigin);
  request.setHeader('Cookie', cookie);
}

/**
 * The host says in one JSON line that it is ready, again after each restart.
 * @param {string} line
 * @returns {{ url: string, token: string } | undefined}
 */
function readyLine(line) {
  try {
    const value = JSON.parse(line);
    return typeof value?.url === 'string' && typeof value.token === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Exchanges the token for the cookie, as a browser that opens the host's address does.
 * @param {{ url: string, token: string }} ready
 */
async function admit({ url, token }) {
  const address = new URL(url);
  address.searchParams.set('token', token);
  try {
    const answer = await fetch(address, { redirect: 'manual' });
    const cookies = answer.headers.getSetCookie().map((one) => one.split(';')[0]);
    if (cookies.length === 0) say(`The host gave no cookie for its token (status ${answer.status}).`);
    cookie = cookies.join('; ');
  } catch (error) {
    say(`The host is ready but cannot be reached: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createSocketServer();
    server.on('error', reject);
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
