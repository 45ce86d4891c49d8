import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { onTestFinished } from 'vitest';
import { connectOverWebSocket } from '../../src/contract/index.ts';
import type { CoreConnection } from '../../src/contract/index.ts';
import { startBrowserHost } from '../../src/server/index.ts';
import type { BrowserHost, HostOptions } from '../../src/server/index.ts';
import { closeAfter } from '../support/core.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A file beside the folder that is served: nobody may ever read it over HTTP. */
export const OUTSIDE = 'outside the folder';
/** Larger than what a socket buffers, so that a download can be left in the middle. */
export const LARGE_ASSET = 'x'.repeat(20_000_000);

export function builtRenderer(): string {
  const root = tempDir();
  const assets = join(root, 'renderer');
  mkdirSync(join(assets, 'assets'), { recursive: true });
  writeFileSync(join(assets, 'index.html'), '<!doctype html><title>Holdfast</title>');
  writeFileSync(join(assets, 'assets', 'app-1a2b.js'), 'export {};');
  writeFileSync(join(assets, 'assets', 'large-3c4d.js'), LARGE_ASSET);
  writeFileSync(join(assets, '.hidden.js'), OUTSIDE);
  writeFileSync(join(assets, 'notes.txt'), OUTSIDE);
  writeFileSync(join(root, 'outside.js'), OUTSIDE);
  return assets;
}

export interface TestHost extends BrowserHost {
  readonly port: number;
  readonly origin: string;
  readonly options: HostOptions;
}

/** A browser host on a data directory of its own; closed after the test. */
export async function startHost(options: Partial<HostOptions> = {}): Promise<TestHost> {
  const whole = { dataDir: tempDir(), port: 0, assets: builtRenderer(), version: '0.0.0-test', env: {}, ...options };
  const started = await startBrowserHost(whole);
  if (!started.ok) throw new Error(started.problem.message);
  let closing: Promise<void> | undefined;
  const host = { ...started.value, close: () => (closing ??= started.value.close()) };
  const { origin, port } = new URL(host.url);
  return closeAfter({ ...host, origin, port: Number(port), options: whole });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request, sent as it is written: paths are not tidied, and `Host` is what the headers say. */
export function ask(port: number, path: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, agent: false, headers });
    request.on('error', reject);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.end();
  });
}

/** Bytes on a bare socket, and all that comes back until the other side ends. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
    socket.on('end', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

/** What the opened address is exchanged for, as a `Cookie` header. */
export async function cookieOf({ port, token }: Pick<TestHost, 'port' | 'token'>): Promise<string> {
  const answer = await ask(port, `/?token=${token}`);
  const [cookie] = answer.headers['set-cookie'] ?? [];
  if (cookie === undefined) throw new Error(`No cookie came with ${answer.status}`);
  return cookie.split(';')[0]!;
}

export type Upgrade =
  | { readonly kind: 'open'; readonly socket: WebSocket }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: IncomingHttpHeaders };

export function upgrade(port: number, path: string, headers: Record<string, string>): Promise<Upgrade> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers, perMessageDeflate: false });
    socket.once('open', () => resolve({ kind: 'open', socket }));
    socket.once('unexpected-response', (request, response) => {
      resolve({ kind: 'refused', status: response.statusCode ?? 0, headers: response.headers });
      request.destroy();
    });
    socket.on('error', reject);
  });
}

/** The way in that a page of ours has. */
export async function open(host: TestHost): Promise<WebSocket> {
  const made = await upgrade(host.port, '/contract', { Origin: host.origin, Cookie: await cookieOf(host) });
  if (made.kind !== 'open') throw new Error(`The upgrade was refused with ${made.status}`);
  return made.socket;
}

/** A client of ours, with what a browser adds. */
export async function client(host: Pick<TestHost, 'port' | 'origin' | 'token'>): Promise<CoreConnection> {
  const headers = { Origin: host.origin, Cookie: await cookieOf(host) };
  const connection = connectOverWebSocket(`ws://127.0.0.1:${host.port}/contract`, {
    // Without a listener, `ws` throws what a browser only tells.
    open: (url) => new WebSocket(url, { headers }).on('error', () => undefined) as unknown as globalThis.WebSocket,
  });
  onTestFinished(() => connection.close());
  return connection;
}

export function closeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once('close', (code) => resolve(code)));
}
