import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createConnection, type Connection } from './connection.ts';
import { createCredentials, type EphemeralToken } from './credentials.ts';
import { createObservations, type ConnectionRecord, type MutableRecord } from './observations.ts';
import type { SessionView } from './memory.ts';
import { seededRandom } from './random.ts';
import type { ScriptInput } from './script.ts';
import { parseLivePath } from './wire.ts';
import { createWorld, type Flavour, type Pace } from './world.ts';

export interface SimulatorOptions {
  /** 0, the default: any free port. Always on 127.0.0.1. */
  readonly port?: number | undefined;
  /** Keys that are accepted; absent: any, but there must be one. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Ephemeral tokens for the Constrained path; absent: any `auth_tokens/…`. */
  readonly accessTokens?: readonly EphemeralToken[] | undefined;
  /** Browser origins that may connect; by default none, so that no page reaches the simulator. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly script?: ScriptInput | undefined;
  /** Default `realtime`. */
  readonly pace?: Pace | undefined;
  readonly flavour?: Flavour | undefined;
  readonly audio?: 'speech' | 'brief' | undefined;
  /** Same seed, same handles, pieces and ids. */
  readonly seed?: number | undefined;
  readonly clock?: SimulatorClock | undefined;
  readonly timeZone?: string | undefined;
  /** How server frames are sent; a client has to read all. Default `text`. */
  readonly encoding?: 'text' | 'binary' | 'mixed' | undefined;
  /** Bytes of the largest client frame. */
  readonly maxPayload?: number | undefined;
  /** Keeps every client frame for tests. Off for a demo that runs for weeks. Default true. */
  readonly observe?: boolean | undefined;
}

export interface SimulatorClock {
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** Milliseconds since the Unix epoch. */
  readonly wall: () => number;
}

export interface Simulator {
  /** `ws://127.0.0.1:PORT`, to be used in place of `wss://generativelanguage.googleapis.com`. */
  readonly url: string;
  readonly port: number;
  /** Every dial so far, oldest first; the arrays grow as things happen. */
  readonly connections: readonly ConnectionRecord[];
  /** What each logical session holds in its memory now. */
  sessions(): readonly SessionView[];
  setScript(script: ScriptInput): void;
  /** Ends all open connections: with a close code, or without one as a broken network does. */
  dropAll(code?: number): void;
  close(): Promise<void>;
}

const DEFAULT_MAX_PAYLOAD = 32 * 1024 * 1024;

function answerUpgrade(socket: Duplex, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ 'Content-Type': 'text/plain; charset=utf-8', ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function plainHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/**
 * Starts a Gemini Live server on 127.0.0.1.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`) and a TypeError for a script that is not valid
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const clock: SimulatorClock = options.clock ?? { monotonic: () => performance.now(), wall: () => Date.now() };
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const world = createWorld({
    random: seededRandom(seed),
    wallTime: clock.wall,
    script: options.script,
    pace: options.pace,
    flavour: options.flavour,
    audio: options.audio,
    timeZone: options.timeZone,
  });
  const observations = createObservations(options.observe ?? true);
  const credentials = createCredentials(options.apiKeys, options.accessTokens, clock.monotonic());
  const open = new Map<number, Connection>();
  const sockets = new Set<Duplex>();
  const timers = new Set<NodeJS.Timeout>();
  let dials = 0;

  const http = createServer((_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8', Upgrade: 'websocket' });
    response.end('This is a WebSocket server for Gemini Live clients.\n');
  });
  const sockets13 = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxPayload ?? DEFAULT_MAX_PAYLOAD,
    // Pongs are ours to send: a slow one is a fault that clients must bear.
    autoPong: false,
    perMessageDeflate: false,
  });

  function later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, record: MutableRecord, url: URL): void {
    const path = parseLivePath(url.pathname);
    const refuse = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): void => {
      record.state = 'refused';
      answerUpgrade(socket, status, body, headers);
    };
    const { origin } = request.headers;
    if (origin !== undefined && !(options.allowedOrigins ?? []).includes(origin))
      return refuse(403, 'Web pages may not connect to this server.\n');
    if (path === undefined) return refuse(404, 'There is nothing at this path.\n');

    const finish = (): void => {
      const key = url.searchParams.get('key') ?? plainHeaders(request)['x-goog-api-key'];
      const judgement = credentials.judge({
        path,
        key,
        accessToken: url.searchParams.get('access_token') ?? undefined,
      });
      sockets13.handleUpgrade(request, socket, head, (webSocket) => {
        record.state = 'open';
        const connection = createConnection({
          webSocket,
          socket,
          record,
          world,
          now: clock.monotonic,
          encoding: options.encoding ?? 'text',
          saw: (data) => observations.saw(record, data, clock.monotonic()),
          brain: {
            epoch: record.epoch,
            version: path.version,
            ...judgement,
            isOpen: (epoch) => open.get(epoch)?.isOpen() === true,
          },
          ended: () => open.delete(record.epoch),
        });
        open.set(record.epoch, connection);
        connection.start();
      });
    };

    let delayMs = 0;
    for (const { action, afterMs } of world.strikes({ event: 'dial', connection: record.epoch, nth: 1 })) {
      delayMs += afterMs;
      if (action.kind === 'delay') delayMs += action.ms;
      else if (action.kind === 'silence') return;
      else if (action.kind === 'refuse')
        return later(delayMs, () => refuse(action.status, action.body, action.headers));
      else if (action.kind === 'drop') {
        return later(delayMs, () => {
          record.state = 'refused';
          socket.destroy();
        });
      }
    }
    if (delayMs > 0) later(delayMs, () => (socket.destroyed ? undefined : finish()));
    else finish();
  }

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    dials += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A reset by the other side is an ordinary end here, not an error of ours.
    socket.on('error', () => socket.destroy());
    // Joined as text: a path that begins with two slashes would be taken for a host.
    const url = URL.parse(`ws://127.0.0.1${request.url ?? '/'}`) ?? new URL('ws://127.0.0.1/');
    const record = observations.begin({
      epoch: dials,
      at: clock.monotonic(),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: plainHeaders(request),
    });
    socket.on('close', () => {
      if (record.state === 'dialling') record.state = 'refused';
    });
    upgrade(request, socket, head, record, url);
  });

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', () => {
      http.off('error', reject);
      resolve();
    });
  });
  const { port } = http.address() as AddressInfo;

  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    connections: observations.connections,
    sessions: () => world.memory.views(),
    setScript: world.setScript,
    dropAll(code) {
      for (const connection of open.values()) connection.end(code);
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      for (const connection of open.values()) connection.end(1001);
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      // Whoever does not answer the close frame is not waited for.
      setImmediate(() => sockets.forEach((socket) => socket.destroy()));
      http.closeAllConnections();
      await closed;
    },
  };
}
