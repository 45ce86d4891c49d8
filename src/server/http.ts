import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
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
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX_BYTES, perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const authority = `${HOST}:${(server.address() as AddressInfo).port}`;
  server.on('request', (request, response) => {
    answer(request, response, authority, ports).catch((error: unknown) => {
      ports.log.warn({ error: String(error) }, 'A request failed');
      if (response.headersSent) response.destroy();
      else page(response, 500, 'Holdfast could not answer this request.', authority);
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuseUpgrade(request, authority, ports.access);
    if (refusal !== undefined) {
      ports.log.warn({ refusal, path: pathOf(request) }, 'An upgrade was refused');
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, ports.connected);
  });
  return { origin: `http://${authority}`, close: () => closeAll(server, sockets) };
}

function refuseUpgrade(request: IncomingMessage, authority: string, access: Access): string | undefined {
  const foreign = checkSender(request.headers, authority, 'upgrade');
  if (foreign !== undefined) return foreign.status === 421 ? '421 Misdirected Request' : '403 Forbidden';
  if (pathOf(request) !== CONTRACT_PATH) return '404 Not Found';
  if (!access.hasCookie(request.headers)) return '401 Unauthorized';
  return undefined;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  authority: string,
  { access, assets }: HttpPorts,
): Promise<void> {
  secure(response, authority);
  const foreign = checkSender(request.headers, authority, 'request');
  if (foreign !== undefined) return page(response, foreign.status, foreign.why, authority);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return page(response, 405, 'Only reading is possible here.', authority);
  }
  if (!URL.canParse(request.url ?? '', `http://${authority}`)) {
    return page(response, 400, 'This address cannot be read.', authority);
  }
  const url = new URL(request.url ?? '', `http://${authority}`);
  if (url.pathname === '/' && url.searchParams.has('token')) {
    if (!access.isToken(url.searchParams.get('token'))) return page(response, 403, OLD_ADDRESS, authority);
    // The token leaves the address bar and the history with this answer.
    response.writeHead(303, { 'Set-Cookie': access.setCookie, Location: '/', 'Cache-Control': 'no-store' }).end();
    return;
  }
  const letIn = access.hasCookie(request.headers);
  if (url.pathname === SESSION_PATH) {
    response.writeHead(letIn ? 204 : 401, { 'Cache-Control': 'no-store' }).end();
    return;
  }
  if (!letIn) return page(response, 401, NOT_LET_IN, authority);
  const asset = resolveAsset(assets, url.pathname);
  const found = asset && (await stat(asset.path).catch(() => undefined));
  if (asset === undefined || found?.isFile() !== true) return page(response, 404, 'There is nothing here.', authority);
  const hashed = url.pathname.startsWith('/assets/');
  response.writeHead(200, {
    'Content-Type': asset.contentType,
    'Content-Length': found.size,
    'Cache-Control': hashed ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(asset.path)
      .on('error', () => response.destroy())
      .pipe(response);
}

function secure(response: ServerResponse, authority: string): void {
  response.setHeader('Content-Security-Policy', contentSecurityPolicy([`ws://${authority}`]));
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
}

const OLD_ADDRESS = 'This address is from an earlier start of Holdfast. Open the address that it printed last.';
const NOT_LET_IN = 'Open Holdfast by the address that it printed when it started; it carries the key to this page.';

/** A page of one sentence, which is a constant of ours and needs no escaping. */
function page(response: ServerResponse, status: number, sentence: string, authority: string): void {
  secure(response, authority);
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

async function closeAll(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
