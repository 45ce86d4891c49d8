import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { MESSAGE_MAX } from '../../src/contract/index.ts';
import { until } from '../support/wait.ts';
import { ask, client, closeOf, cookieOf, open, startHost } from './browser.ts';
import type { TestHost } from './browser.ts';

async function expectAlive(host: TestHost): Promise<void> {
  const connection = await client(host);
  expect((await connection.client.system.ping()).at).toBeGreaterThan(0);
  connection.close();
}

/** Header of one frame of a client, unmasked content to follow. Source: RFC 6455, 5.2. */
function frameHead(opcode: number, length: number, { fin = true, reserved = 0, masked = true } = {}): Buffer {
  const head = Buffer.alloc(masked ? 14 : 10);
  head[0] = (fin ? 0x80 : 0) | reserved | opcode;
  head[1] = (masked ? 0x80 : 0) | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** An open WebSocket as a bare socket, for frames that no library would send. */
async function rawSocket(host: TestHost) {
  const socket = connect(host.port, '127.0.0.1');
  socket.on('error', () => undefined);
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  socket.write(
    [
      'GET /contract HTTP/1.1',
      `Host: 127.0.0.1:${host.port}`,
      `Origin: ${host.origin}`,
      `Cookie: ${await cookieOf(host)}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      '\r\n',
    ].join('\r\n'),
  );
  await until('the upgrade', () => bytes.includes('\r\n\r\n'));
  expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  const start = bytes.indexOf('\r\n\r\n') + 4;
  return {
    socket,
    /** The code of the close frame that the host sends. */
    closeCode: () =>
      until('a close frame', () => {
        const frame = bytes.subarray(start);
        return frame.length >= 4 && frame[0] === 0x88 && frame.readUInt16BE(2);
      }),
  };
}

describe('a WebSocket of a client that was let in', () => {
  it('speaks the contract', async () => {
    const host = await startHost();
    const connection = await client(host);
    const session = await connection.client.sessions.create({ title: 'Over the wire' });
    expect((await connection.client.sessions.list({})).sessions).toMatchObject([{ id: session.id }]);
    expect(await connection.client.system.info()).toMatchObject({ host: 'browser', dataDir: host.options.dataDir });
    connection.close();
  });

  const frames: readonly [string, number, (socket: WebSocket) => void][] = [
    ['a binary frame', 1007, (socket) => socket.send(Buffer.from('{"i":"1","p":{"u":"/system/ping"}}'))],
    ['an empty frame', 1007, (socket) => socket.send('')],
    ['text that is no message', 1007, (socket) => socket.send('hello')],
    ['a message over the limit', 1007, (socket) => socket.send('x'.repeat(MESSAGE_MAX + 1))],
    ['a frame that no message could fill', 1009, (socket) => socket.send('x'.repeat(MESSAGE_MAX * 3 + 1))],
  ];
  it.each(frames)('is closed at %s with %i, and the host goes on', async (_name, code, send) => {
    const host = await startHost();
    const socket = await open(host);
    socket.on('error', () => undefined);
    const closed = closeOf(socket);
    send(socket);
    expect(await closed).toBe(code);
    await expectAlive(host);
  });

  const broken: readonly [string, number, () => Buffer][] = [
    ['text that is not UTF-8', 1007, () => Buffer.concat([frameHead(1, 2), Buffer.from([0xc3, 0x28])])],
    ['a frame without a mask', 1002, () => Buffer.concat([frameHead(1, 2, { masked: false }), Buffer.from('{}')])],
    ['an unknown opcode', 1002, () => frameHead(3, 0)],
    ['a reserved bit', 1002, () => frameHead(1, 0, { reserved: 0x40 })],
    ['an announced length beyond all memory', 1009, () => frameHead(1, 2 ** 52)],
    ['a continuation of nothing', 1002, () => frameHead(0, 0)],
  ];
  it.each(broken)('is closed at %s with %i, and the host goes on', async (_name, code, bytes) => {
    const host = await startHost();
    const { socket, closeCode } = await rawSocket(host);
    socket.write(bytes());
    expect(await closeCode()).toBe(code);
    socket.destroy();
    await expectAlive(host);
  });

  it('may be cut in the middle of a frame', async () => {
    const host = await startHost();
    const { socket } = await rawSocket(host);
    socket.write(Buffer.concat([frameHead(1, 1_000_000), Buffer.alloc(1_000)]));
    socket.resetAndDestroy();
    await expectAlive(host);
  });

  it('may sit idle, two hundred at once, with others still served, and all end with the host', async () => {
    const host = await startHost();
    const idle = await Promise.all(Array.from({ length: 200 }, () => open(host)));
    const ends = idle.map((socket) => {
      socket.on('error', () => undefined);
      return closeOf(socket);
    });
    await expectAlive(host);
    expect((await ask(host.port, '/', { Cookie: await cookieOf(host) })).status).toBe(200);
    const begun = performance.now();
    await host.close();
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(await Promise.all(ends)).toHaveLength(200);
  });

  it('that does not read what it asked for holds up neither others nor the end', async () => {
    const host = await startHost();
    const { socket } = await rawSocket(host);
    socket.pause();
    const call = Buffer.from(JSON.stringify({ i: '1', p: { u: '/system/info' } }));
    for (let n = 0; n < 2_000; n += 1) socket.write(Buffer.concat([frameHead(1, call.length), call]));
    await expectAlive(host);
    const begun = performance.now();
    await host.close();
    expect(performance.now() - begun).toBeLessThan(3_000);
    socket.destroy();
  });
});
