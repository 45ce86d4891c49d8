import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { createHash } from 'node:crypto';
import type { ConnectionEnd, LiveSocket } from '../../src/live/index.ts';
import { dialWithin } from '../../src/live/socket.ts';
import type { SocketLimits } from '../../src/live/socket.ts';
import { until } from '../support/wait.ts';

const FRAME = { realtimeInput: { text: 'hello' } };
/** Well above what a loaded machine needs, well below what would be a wait. */
const SOON_MS = 5_000;

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A server that takes every upgrade. */
async function webSocketServer(onSocket: (socket: WebSocket, wire: Socket) => void): Promise<string> {
  const http = createHttpServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    onSocket(socket, request.socket);
  });
  return listening(http);
}

/** A server that does the upgrade and is a bare socket from then on. */
function bareServer(onOpen: (wire: Socket) => void): Promise<string> {
  return listening(
    createServer((wire) => {
      wire.once('data', (head) => {
        const key = /sec-websocket-key: (\S+)/i.exec(head.toString('latin1'))![1]!;
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        const lines = [
          'HTTP/1.1 101 X',
          'Upgrade: websocket',
          'Connection: Upgrade',
          `Sec-WebSocket-Accept: ${accept}`,
        ];
        wire.write(`${lines.join('\r\n')}\r\n\r\n`);
        onOpen(wire);
      });
    }),
  );
}

/** A server that answers the upgrade with these bytes. */
const answering = (text: string, end = true) =>
  listening(createServer((wire) => wire.once('data', () => (end ? wire.end(text) : wire.write(text)))));

interface Dialled {
  readonly socket: LiveSocket;
  readonly opened: () => boolean;
  readonly frames: readonly string[];
  readonly ends: readonly ConnectionEnd[];
  readonly ended: Promise<ConnectionEnd>;
}

function dialTo(url: string, limits: SocketLimits = { closeGraceMs: 200 }): Dialled {
  const frames: string[] = [];
  const ends: ConnectionEnd[] = [];
  let opened = false;
  let onEnd: (end: ConnectionEnd) => void = () => undefined;
  const ended = new Promise<ConnectionEnd>((resolve) => (onEnd = resolve));
  const socket = dialWithin(limits, url, {
    opened: () => {
      expect(opened).toBe(false);
      opened = true;
    },
    frame: (text) => {
      expect(ends).toEqual([]);
      frames.push(text);
    },
    ended: (end) => {
      ends.push(end);
      onEnd(end);
    },
  });
  onTestFinished(() => socket.close());
  return { socket, opened: () => opened, frames, ends, ended };
}

async function soon<T>(promise: Promise<T>): Promise<T> {
  const begun = performance.now();
  const value = await promise;
  expect(performance.now() - begun).toBeLessThan(SOON_MS);
  return value;
}

describe('a live socket', () => {
  it('gives text and binary frames as text, in order, and sends frames as JSON', async () => {
    const got: string[] = [];
    const url = await webSocketServer((socket) => {
      socket.send('{"a":"Zürich 東京 🗼"}');
      socket.send(Buffer.from('{"b":"Zürich 東京 🗼"}'));
      socket.send('{"whole', { fin: false });
      socket.send('":true}', { fin: true });
      socket.send('');
      socket.send(Buffer.alloc(0));
      socket.on('message', (data) => got.push(String(data)));
    });
    const { socket, frames, opened } = dialTo(url);
    expect(socket.send(FRAME)).toBe(false);
    await until('all frames', () => frames.length === 5);
    expect(opened()).toBe(true);
    expect(frames).toEqual(['{"a":"Zürich 東京 🗼"}', '{"b":"Zürich 東京 🗼"}', '{"whole":true}', '', '']);
    expect(socket.send(FRAME)).toBe(true);
    await until('the frame to arrive', () => got.length === 1);
    expect(JSON.parse(got[0]!)).toEqual(FRAME);
  });

  it('reads bytes that are no UTF-8 as what they can be, and goes on', async () => {
    const url = await webSocketServer((socket) => {
      socket.send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
      socket.send('{}');
    });
    const { frames } = dialTo(url);
    await until('both', () => frames.length === 2);
    expect(frames).toEqual(['{��}', '{}']);
  });

  it.each([1000, 1001, 1007, 1008, 1011, 4000])('tells the code %i and the words of a close', async (code) => {
    const url = await webSocketServer((socket) => socket.close(code, 'The operation was cancelled.'));
    const { ended, ends, socket } = dialTo(url);
    expect(await soon(ended)).toEqual({ kind: 'closed', code, reason: 'The operation was cancelled.' });
    expect(socket.send(FRAME)).toBe(false);
    await soon(socket.close());
    expect(ends).toHaveLength(1);
  });

  it('tells a close without a code, and one without a goodbye', async () => {
    const without = await webSocketServer((socket) => socket.close());
    expect(await soon(dialTo(without).ended)).toEqual({ kind: 'closed', code: 1005, reason: '' });
    const cut = await webSocketServer((socket) => socket.terminate());
    expect(await soon(dialTo(cut).ended)).toEqual({ kind: 'closed', code: 1006, reason: '' });
  });

  it('tells a reset: in the dial by the name that the system gives it, later as a close without a goodbye', async () => {
    const early = await listening(createServer((wire) => wire.once('data', () => wire.resetAndDestroy())));
    expect(await soon(dialTo(early).ended)).toEqual({ kind: 'failed', errno: 'ECONNRESET' });
    const late = await webSocketServer((socket, wire) => socket.on('message', () => wire.resetAndDestroy()));
    const { ended, opened, socket } = dialTo(late);
    await until('the upgrade', opened);
    socket.send(FRAME);
    expect(await soon(ended)).toEqual({ kind: 'closed', code: 1006, reason: '' });
    await soon(socket.close());
  });

  it('gives no part of a frame that is cut in the middle', async () => {
    const url = await bareServer((wire) =>
      wire.end(Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('{"half":')])),
    );
    const { ended, frames } = dialTo(url);
    expect(await soon(ended)).toEqual({ kind: 'closed', code: 1006, reason: '' });
    expect(frames).toEqual([]);
  });

  it.each([
    ['a reserved opcode', [0x83, 0x00]],
    ['a masked frame', [0x81, 0x81, 1, 2, 3, 4, 5]],
    ['text that is no UTF-8', [0x81, 0x02, 0xc3, 0x28]],
  ])('ends at once when the server breaks the protocol with %s and then waits', async (_name, bytes) => {
    const url = await bareServer((wire) => wire.write(Buffer.from(bytes)));
    const { ended, ends, socket } = dialTo(url);
    expect(await soon(ended)).toMatchObject({ kind: 'failed', errno: expect.stringMatching(/^WS_ERR_/) });
    await soon(socket.close());
    expect(ends).toHaveLength(1);
  });

  it('takes a large frame and ends at one beyond its limit, without holding it', async () => {
    const large = JSON.stringify({ padding: 'x'.repeat(900_000) });
    const url = await webSocketServer((socket) => {
      socket.send(large);
      socket.send('x'.repeat(1_000_001));
    });
    const { ended, frames } = dialTo(url, { frameMaxBytes: 1_000_000, closeGraceMs: 200 });
    expect(await soon(ended)).toEqual({ kind: 'failed', errno: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect(frames).toEqual([large]);
    const announced = await bareServer((wire) => wire.write(Buffer.from([0x82, 127, 0, 1, 0, 0, 0, 0, 0, 0])));
    expect(await soon(dialTo(announced).ended)).toMatchObject({
      kind: 'failed',
      errno: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    });
  });
});

describe('a dial', () => {
  it.each([200, 301, 400, 401, 403, 404, 407, 429, 500, 502, 503, 511])(
    'that is answered with %i tells the status and the words',
    async (status) => {
      const body = '{"error":{"message":"Zürich"}}';
      const url = await answering(
        `HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(body)}\r\nLocation: /x\r\n\r\n${body}`,
      );
      const { ended, ends, opened, socket } = dialTo(url);
      expect(await soon(ended)).toEqual({ kind: 'refused', status, body });
      expect(opened()).toBe(false);
      await soon(socket.close());
      expect(ends).toHaveLength(1);
    },
  );

  it.each([
    ['has no end', 'HTTP/1.1 503 X\r\nContent-Length: 1000\r\n\r\nbusy', false],
    ['is cut', 'HTTP/1.1 503 X\r\nContent-Length: 1000\r\n\r\nbusy', true],
  ])('that is refused with a body that %s tells what came', async (_name, text, end) => {
    const { ended } = dialTo(await answering(text, end));
    expect(await soon(ended)).toEqual({ kind: 'refused', status: 503, body: 'busy' });
  });

  it('that is refused with a body without measure keeps a part of it', async () => {
    const url = await listening(
      createServer((wire) => {
        wire.once('data', () => {
          wire.write('HTTP/1.1 500 X\r\n\r\n');
          const pour = () => {
            while (!wire.destroyed && wire.write('x'.repeat(10_000)));
          };
          wire.on('drain', pour);
          pour();
        });
      }),
    );
    const end = await soon(dialTo(url).ended);
    expect(end).toMatchObject({ kind: 'refused', status: 500 });
    expect(end.kind === 'refused' && end.body.length).toBeLessThan(200_000);
  });

  it('that is refused with a body that drips is not held up by it', async () => {
    const url = await listening(
      createServer((wire) => {
        wire.once('data', () => {
          wire.write('HTTP/1.1 500 X\r\n\r\n');
          const drip = setInterval(() => wire.write('x'), 20);
          wire.on('close', () => clearInterval(drip));
        });
      }),
    );
    expect(await soon(dialTo(url).ended)).toMatchObject({ kind: 'refused', status: 500 });
  });

  it('to a server that never answers ends after its time', async () => {
    const url = await listening(createServer(() => undefined));
    const { ended, socket } = dialTo(url, { upgradeMs: 150 });
    expect(await soon(ended)).toEqual({ kind: 'failed', errno: 'ETIMEDOUT' });
    await soon(socket.close());
  });

  it('to a port where nobody listens tells so', async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await soon(dialTo(url).ended)).toEqual({ kind: 'failed', errno: 'ECONNREFUSED' });
  });

  it('to a name that nobody has tells so', async () => {
    const end = await dialTo('ws://nobody.invalid/').ended;
    expect(end).toMatchObject({ kind: 'failed', errno: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  });

  it.each([
    ['that is no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['that ends at once', ''],
    [
      'with a wrong accept',
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    ],
  ])('to a server %s fails', async (_name, text) => {
    const { ended, opened } = dialTo(await answering(text));
    expect(await soon(ended)).toMatchObject({ kind: 'failed' });
    expect(opened()).toBe(false);
  });
});

describe('closing', () => {
  it('is a normal close that the server sees, and is told once', async () => {
    let code = 0;
    const url = await webSocketServer((socket) => void socket.on('close', (seen) => (code = seen)));
    const { socket, ends, opened } = dialTo(url);
    await until('the upgrade', opened);
    await soon(Promise.all([socket.close(), socket.close()]));
    await until('the server to see it', () => code !== 0);
    expect(code).toBe(1000);
    expect(ends).toHaveLength(1);
    await soon(socket.close());
  });

  it('cuts the socket when the server does not answer', async () => {
    const url = await bareServer((wire) => wire.on('data', () => undefined));
    const { socket, ends, opened } = dialTo(url);
    await until('the upgrade', opened);
    await soon(socket.close());
    expect(ends).toHaveLength(1);
  });

  it('in the middle of a dial ends the dial', async () => {
    const url = await listening(createServer(() => undefined));
    const { socket, ends, opened } = dialTo(url);
    await soon(socket.close());
    expect(opened()).toBe(false);
    expect(ends).toHaveLength(1);
  });

  it('gives no frame any more once the end was told', async () => {
    const url = await webSocketServer((socket) => {
      const pour = setInterval(() => socket.send('{}'), 1);
      socket.on('close', () => clearInterval(pour));
    });
    const { socket, frames, ends } = dialTo(url);
    await until('some frames', () => frames.length > 3);
    await soon(socket.close());
    expect(ends).toHaveLength(1);
  });
});
