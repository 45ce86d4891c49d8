import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { MESSAGE_MAX } from '../contract/index.ts';
import { checkSender } from './access.ts';
import type { Access } from './access.ts';
import { resolveAsset } from './assets.ts';
import { contentSecurityPolicy } from './csp.ts';

/** The loopback interface, by number: a name could be made to mean something else. */
const HOST = '127.0.0.1';
const CONTRACT_PATH = '/contract';
/** Where a page asks whether it is let in, since a browser does not tell it why a WebSocket was refused. */
const SESSION_PATH = '/session';
/** A code unit takes three bytes at most. */
const MESSAGE_MAX_BYTES = MESSAGE_MAX * 3;
/** A page that is refused may knock as often as it likes; it must not fill the disk with it. */
const REFUSALS_LOGGED_EVERY_MS = 10_000;

export interface HttpPorts {
  /** Folder of the built renderer. */
  readonly assets: string;
  readonly access: Access;
  /** A client that was let in. */
  readonly connected: (socket: WebSocket) => void;
  readonly log: { warn(facts: object, message: string): void };
}

export interface ListeningServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves the renderer and the contract's WebSocket on 127.0.0.1. Rejects with Node's error (`EADDRINUSE`, `EACCES`)
 * when it cannot listen.
 */
export async function listen(port: number, ports: HttpPorts): Promise<ListeningServer> {
  // Node's own answer to a request without `Host` would lack our headers; ours refuses it too.
  const server = createServer({ requireHostHeader: false });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX_BYTES, perMessageDeflate: false });
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const authority = `${HOST}:${(server.address() as AddressInfo).port}`;
  const headers = securityHeaders(authority);
  const noteRefusal = seldom(REFUSALS_LOGGED_EVERY_MS, (facts) => ports.log.warn(facts, 'An upgrade was refused'));

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(request, response, authority, ports).catch((error: unknown) => {
      // A browser that goes away in the middle of a file is no fault.
      if (response.destroyed) return;
      ports.log.warn({ error: String(error) }, 'A request failed');
      if (response.headersSent) response.destroy();
      else page(response, 500, 'Holdfast could not answer this request.');
    });
  };
  server.on('request', serve);
  server.on('checkExpectation', serve);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuse(socket, STATUS_OF_CLIENT_ERROR[error.code ?? ''] ?? 400, headers);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const status = refuseUpgrade(request, authority, ports.access);
    if (status === undefined) return sockets.handleUpgrade(request, socket, head, ports.connected);
    noteRefusal({ status, path: pathOf(request).slice(0, 100) });
    refuse(socket, status, headers);
  });

  return {
    origin: `http://${authority}`,
    async close() {
      const down = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets.clients) socket.terminate();
      // Node's own `closeAllConnections` forgets those that asked for an upgrade.
      for (const socket of connections) socket.destroy();
      await down;
    },
  };
}

function refuseUpgrade(request: IncomingMessage, authority: string, access: Access): number | undefined {
  const foreign = checkSender(request.headers, authority, 'upgrade');
  if (foreign !== undefined) return foreign.status;
  if (pathOf(request) !== CONTRACT_PATH) return 404;
  return access.hasCookie(request.headers) ? undefined : 401;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  authority: string,
  { access, assets }: HttpPorts,
): Promise<void> {
  const foreign = checkSender(request.headers, authority, 'request');
  if (foreign !== undefined) return page(response, foreign.status, foreign.why);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return page(response, 405, 'Only reading is possible here.');
  }
  // Whole addresses are for proxies, and `//host/path` names a host as well: we are neither.
  const target = request.url ?? '';
  const url = /^\/(?!\/)/.test(target) ? URL.parse(target, `http://${authority}`) : null;
  if (url === null) return page(response, 400, 'This address cannot be read.');
  if (url.pathname === '/' && url.searchParams.has('token')) {
    if (!access.isToken(url.searchParams.get('token'))) return page(response, 403, OLD_ADDRESS);
    // The token leaves the address bar and the history with this answer.
    response.writeHead(303, { 'Set-Cookie': access.setCookie, Location: '/', 'Cache-Control': 'no-store' }).end();
    return;
  }
  const letIn = access.hasCookie(request.headers);
  if (url.pathname === SESSION_PATH) {
    response.writeHead(letIn ? 204 : 401, { 'Cache-Control': 'no-store' }).end();
    return;
  }
  if (!letIn) return page(response, 401, NOT_LET_IN);
  const asset = resolveAsset(assets, url.pathname);
  const found = asset && (await stat(asset.path).catch(() => undefined));
  if (asset === undefined || found?.isFile() !== true) return page(response, 404, 'There is nothing here.');
  const hashed = url.pathname.startsWith('/assets/');
  response.writeHead(200, {
    'Content-Type': asset.contentType,
    'Content-Length': found.size,
    'Cache-Control': hashed ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(asset.path), response);
}

/** What every answer carries, refusals too. */
function securityHeaders(authority: string): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': contentSecurityPolicy([`ws://${authority}`]),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

/** What could not even be read as a request. Source: Node's own answers to these. */
const STATUS_OF_CLIENT_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers on a bare socket and lets go of it, whether or not the other side does. */
function refuse(socket: Duplex, status: number, headers: Readonly<Record<string, string>>): void {
  const lines = Object.entries({ ...headers, 'Cache-Control': 'no-store', Connection: 'close', 'Content-Length': '0' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n`, () => socket.destroy());
}

const OLD_ADDRESS = 'This address is from an earlier start of Holdfast. Open the address that it printed last.';
const NOT_LET_IN = 'Open Holdfast by the address that it printed when it started; it carries the key to this page.';

/** A page of one sentence, which is a constant of ours and needs no escaping. */
function page(response: ServerResponse, status: number, sentence: string): void {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title><p>${sentence}</p></html>`;
  response
    .writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(response.req.method === 'HEAD' ? undefined : body);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0]!;
}

/** Calls `note` at most once in `ms`, and says then how many calls it stands for. */
function seldom(ms: number, note: (facts: object) => void): (facts: object) => void {
  let next = 0;
  let since = 0;
  return (facts) => {
    since += 1;
    const now = Date.now();
    if (now < next) return;
    note({ ...facts, times: since });
    next = now + ms;
    since = 0;
  };
}
