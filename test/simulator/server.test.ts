import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closes, startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/index.ts';
import { dial, isTurnComplete, MODEL, newestHandle, nextHandle, PATH, setupFrame, wordsOf } from './live-client.ts';

let simulator: Simulator;
afterEach(async () => simulator?.close());

async function serve(options: SimulatorOptions = {}): Promise<void> {
  simulator = await startSimulator({ pace: 'instant', audio: 'brief', seed: 13, ...options });
}

const CONSTRAINED = '/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained';

describe('who gets in', () => {
  it('any key where none is fixed, but no empty one', async () => {
    await serve();
    await dial(simulator).ready();
    expect(await dial(simulator, { query: '' }).ending).toEqual(closes.keyInvalid);
    expect(await dial(simulator, { query: '?key=' }).ending).toEqual(closes.keyInvalid);
  });

  it('only the right key where one is fixed: a wrong one is told after the upgrade', async () => {
    await serve({ apiKeys: ['right'] });
    await dial(simulator, { query: '?key=right' }).ready();
    await dial(simulator, { query: '', headers: { 'x-goog-api-key': 'right' } }).ready();
    const wrong = dial(simulator, { query: '?key=wrong' });
    expect(await wrong.ending).toEqual({ code: 1007, reason: 'API key not valid. Please pass a valid API key.' });
    expect(simulator.connections.at(-1)!.query).toEqual({ key: 'wrong' });
  });

  it('ephemeral tokens on the constrained path alone', async () => {
    await serve();
    await dial(simulator, { path: CONSTRAINED, query: '?access_token=auth_tokens/abc' }).ready();
    expect(await dial(simulator, { path: CONSTRAINED, query: '?access_token=abc' }).ending).toEqual(closes.keyInvalid);
    expect(await dial(simulator, { path: CONSTRAINED, query: '?key=abc' }).ending).toEqual(closes.keyInvalid);
    expect(await dial(simulator, { query: '?access_token=auth_tokens/abc' }).ending).toEqual(closes.keyInvalid);
  });

  it('a token opens one session; resuming is not counted', async () => {
    await serve({ accessTokens: [{ token: 'auth_tokens/one' }] });
    const query = '?access_token=auth_tokens/one';
    const client = dial(simulator, { path: CONSTRAINED, query });
    await client.ready();
    await client.talk('Hello');
    const handle = await nextHandle(client);
    await client.close();
    const resumed = dial(simulator, { path: CONSTRAINED, query, setup: { sessionResumption: { handle } } });
    await resumed.ready();
    expect(await dial(simulator, { path: CONSTRAINED, query }).ending).toEqual(closes.keyInvalid);
    expect(await dial(simulator, { path: CONSTRAINED, query: '?access_token=auth_tokens/two' }).ending).toEqual(
      closes.keyInvalid,
    );
  });

  it('no web page, unless its origin is allowed', async () => {
    await serve({ allowedOrigins: ['http://localhost:5173'] });
    const page = dial(simulator, { headers: { Origin: 'https://evil.example' } });
    expect((await page.refusal).status).toBe(403);
    await dial(simulator, { headers: { Origin: 'http://localhost:5173' } }).ready();
  });

  it('nobody at another path', async () => {
    await serve();
    expect((await dial(simulator, { path: '/ws/other' }).refusal).status).toBe(404);
    expect((await dial(simulator, { path: `${PATH}Constrained` }).refusal).status).toBe(404);
    await dial(simulator, { path: `/${PATH}` }).ready();
    const page = await fetch(simulator.url.replace('ws:', 'http:'));
    expect(page.status).toBe(426);
  });
});

describe('the wire', () => {
  it.each([
    ['text', [false, false]],
    ['binary', [true, true]],
    ['mixed', [false, true]],
  ] as const)('%s frames', async (encoding, expected) => {
    await serve({ encoding });
    const client = dial(simulator);
    await client.ready();
    expect(await client.talk('What is 1 + 1?')).toBe('That is 2.');
    expect(client.binary.slice(0, 2)).toEqual(expected);
  });

  it('takes client frames as text and as binary', async () => {
    await serve();
    const client = dial(simulator, { setup: false });
    await new Promise((resolve) => client.socket.once('open', resolve));
    client.socket.send(Buffer.from(JSON.stringify(setupFrame())), { binary: true });
    await client.ready();
    expect(await client.talk('What is 1 + 1?')).toBe('That is 2.');
  });

  it('refuses a frame above its limit with 1009', async () => {
    await serve({ maxPayload: 10_000 });
    const client = dial(simulator);
    await client.ready();
    client.ask('x'.repeat(20_000));
    expect((await client.ending).code).toBe(1009);
  });

  it('closes on what is not UTF-8 within binary, and lives on', async () => {
    await serve();
    const client = dial(simulator);
    await client.ready();
    client.socket.send(Uint8Array.of(0xff, 0xfe), { binary: true });
    expect(await client.ending).toEqual(closes.invalidArgument);
    await dial(simulator).ready();
  });

  it('answers pings at once, late or never, as scripted', async () => {
    await serve();
    const client = dial(simulator);
    await client.ready();
    const pongAfter = async (waitMs: number): Promise<number | undefined> => {
      const at = performance.now();
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), waitMs);
        client.socket.once('pong', () => {
          clearTimeout(timer);
          resolve(performance.now() - at);
        });
        client.socket.ping();
      });
    };
    expect(await pongAfter(1_000)).toBeLessThan(100);
    simulator.setScript({ quirks: { pongDelayMs: 80 } });
    expect(await pongAfter(1_000)).toBeGreaterThan(70);
    simulator.setScript({ quirks: { pongDelayMs: null } });
    expect(await pongAfter(120)).toBeUndefined();
  });
});

describe('what a test can see and do', () => {
  it('every dial, every client frame by connection, and the memory of every session', async () => {
    await serve();
    const client = dial(simulator, { query: '?key=k1' });
    await client.ready();
    await client.talk('one');
    const handle = await nextHandle(client);
    await client.close();
    const next = dial(simulator, { setup: { sessionResumption: { handle } } });
    await next.ready();
    await next.talk('two');
    expect(simulator.connections.map(({ epoch, state, path }) => ({ epoch, state, path }))).toEqual([
      { epoch: 1, state: 'closed', path: PATH },
      { epoch: 2, state: 'open', path: PATH },
    ]);
    expect(simulator.connections[0]!.query).toEqual({ key: 'k1' });
    expect(simulator.connections[0]!.end).toEqual({ by: 'client', code: 1000, reason: '' });
    expect(simulator.connections[1]!.frames.map(({ frame }) => Object.keys(frame as object))).toEqual([
      ['setup'],
      ['clientContent'],
    ]);
    expect(simulator.connections[0]!.sessionId).toBe(simulator.connections[1]!.sessionId);
    expect(simulator.sessions()).toHaveLength(1);
    expect(simulator.sessions()[0]).toMatchObject({ model: MODEL.replace('models/', ''), userTurns: ['one', 'two'] });
  });

  it('sessions do not mix', async () => {
    await serve();
    const [left, right] = [dial(simulator), dial(simulator)];
    await Promise.all([left.ready(), right.ready()]);
    await Promise.all([left.talk('My name is Ann.'), right.talk('My name is Bea.')]);
    expect(await Promise.all([left.talk('What is my name?'), right.talk('What is my name?')])).toEqual([
      'Your name is Ann.',
      'Your name is Bea.',
    ]);
  });

  it('drops all connections with a code, or without one', async () => {
    await serve();
    const clients = [dial(simulator), dial(simulator)];
    await Promise.all(clients.map((client) => client.ready()));
    simulator.dropAll(1012);
    expect((await Promise.all(clients.map((client) => client.ending))).map(({ code }) => code)).toEqual([1012, 1012]);
    const broken = dial(simulator);
    await broken.ready();
    simulator.dropAll();
    expect((await broken.ending).code).toBe(1006);
  });

  it('keeps no client frames when not observing', async () => {
    await serve({ observe: false });
    const client = dial(simulator);
    await client.ready();
    await client.talk('Hello');
    expect(simulator.connections[0]!.frames).toEqual([]);
  });

  it('closes even if a client does not answer the close', async () => {
    await serve();
    const client = dial(simulator);
    await client.ready();
    client.socket.pause();
    await simulator.close();
    client.socket.resume();
    await client.ending;
  });

  it('survives an answer to a client that left in the middle of it', async () => {
    await serve({ pace: 20 });
    const client = dial(simulator);
    await client.ready();
    client.ask('Tell me a story');
    await client.until((frame) => frame.serverContent?.outputTranscription !== undefined, 'words');
    client.socket.terminate();
    await client.ending;
    await new Promise((resolve) => setTimeout(resolve, 60));
    const next = dial(simulator);
    await next.ready();
    next.ask('What is 1 + 1?');
    await next.until(isTurnComplete, 'turnComplete');
    expect(wordsOf(next.frames)).toBe('That is 2.');
  });

  it('does not pile a flood up for a client that does not read', async () => {
    await serve({ script: { answers: [{ match: '', do: { kind: 'burst', count: 2_000, size: 100_000 } }] } });
    const client = dial(simulator);
    await client.ready();
    client.socket.pause();
    client.ask('x');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(simulator.connections[0]!.serverFrames).toBeLessThan(600);
    client.socket.terminate();
  });

  it('gives the same handles for the same seed', async () => {
    const run = async (): Promise<string> => {
      await serve({ seed: 99 });
      const client = dial(simulator);
      await client.ready();
      await client.talk('Hello');
      await nextHandle(client);
      const handle = newestHandle(client.frames);
      await simulator.close();
      return handle;
    };
    expect(await run()).toBe(await run());
  });
});

describe('the command', () => {
  const launcher = fileURLToPath(new URL('../../scripts/simulator.mjs', import.meta.url));
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-simulator-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Run {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
  }

  /** @param signal sent once it has printed a line */
  function run(
    args: readonly string[],
    signal?: NodeJS.Signals,
    whenReady?: (line: string) => Promise<void>,
  ): Promise<Run> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '';
      let err = '';
      let ready = false;
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        if (ready || !out.includes('\n') || signal === undefined) return;
        ready = true;
        void (whenReady?.(out) ?? Promise.resolve()).finally(() => child.kill(signal));
      });
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }

  const scriptFile = (content: string): string => {
    const file = join(folder, 'script.json');
    writeFileSync(file, content);
    return file;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)('serves by a script and ends cleanly on %s', async (signal) => {
    const file = scriptFile(JSON.stringify({ answers: [{ match: 'ping', do: { kind: 'say', text: 'pong' } }] }));
    let said = '';
    const ended = await run(
      ['--json', '--script', file, '--pace', 'instant', '--api-key', 'k'],
      signal,
      async (line) => {
        const { url, port } = JSON.parse(line) as { url: string; port: number };
        expect(url).toBe(`ws://127.0.0.1:${port}`);
        const client = dial({ url } as Simulator, { query: '?key=k' });
        await client.ready();
        said = await client.talk('ping');
      },
    );
    expect(said).toBe('pong');
    expect(ended).toMatchObject({ code: 0, err: '' });
  });

  it('says where it listens', async () => {
    expect((await run([], 'SIGTERM')).out).toMatch(/^The Gemini Live simulator listens at ws:\/\/127\.0\.0\.1:\d+\n/);
  });

  it('says that a port is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const ended = await run(['--port', String(port)]);
    blocker.close();
    expect(ended).toEqual({
      code: 1,
      out: '',
      err: `Port ${port} on 127.0.0.1 is taken. Choose another with --port, or leave it out.\n`,
    });
  });

  it.each([
    ['an unknown option', ['--bogus'], /Unknown option '--bogus'/],
    ['a port that is none', ['--port', 'http'], /--port takes a number/],
    ['a pace that is none', ['--pace', 'fast'], /--pace takes realtime, instant/],
    ['a script that is not there', ['--script', '/nowhere/script.json'], /cannot be read/],
  ])('%s: one clear sentence and exit 1', async (_, args, message) => {
    const ended = await run(args);
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(message);
    expect(ended.err).not.toMatch(/\bat .*\.ts:\d+/);
  });

  it.each([
    ['that is not JSON', '{', /is not JSON/],
    ['with a wrong rule', '{"rules": [{"when": {"event": "lunch"}, "do": {"kind": "drop"}}]}', /rules\.0\.when\.event/],
  ])('a script %s: the place is named', async (_, content, message) => {
    const ended = await run(['--script', scriptFile(content)]);
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(message);
  });
});
