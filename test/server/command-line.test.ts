import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { randomId, textOf } from '../../src/contract/index.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';
import { ask, client } from './browser.ts';

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url));
const LIMIT_MS = 60_000;

interface Command {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, out: () => out, err: () => err, ended };
}

interface Ready extends Command {
  readonly url: string;
  readonly token: string;
  readonly port: number;
}

async function start(dataDir: string, args: readonly string[] = [], env = {}): Promise<Ready> {
  const command = run(['--json', '--no-open', '--data-dir', dataDir, ...args], env);
  const line = await until('the line that says that it is ready', () => /^.*\n/.exec(command.out())?.[0], LIMIT_MS);
  const { url, token } = JSON.parse(line) as { url: string; token: string };
  return { ...command, url, token, port: Number(new URL(url).port) };
}

async function connectTo({ port, token }: Ready) {
  return (await client({ port, token, origin: `http://127.0.0.1:${port}` })).client;
}

function expectOneSentence(command: Command): void {
  expect(command.err()).toMatch(/^[^\n]+\.\n$/);
  expect(command.err()).not.toMatch(/\bat .*:\d+:\d+|Error:|node:internal/);
  expect(command.out()).toBe('');
}

describe('the command of the browser host', { timeout: 2 * LIMIT_MS }, () => {
  it('prints one line of JSON and nothing else, and keeps its folder to its owner', async () => {
    const dataDir = join(tempDir(), 'new', 'folder');
    const host = await start(dataDir);
    expect(Object.keys(JSON.parse(host.out()) as object)).toEqual(['url', 'token']);
    expect(host.url).toBe(`http://127.0.0.1:${host.port}/?token=${host.token}`);
    expect((await ask(host.port, `/?token=${host.token}`)).status).toBe(303);
    if (process.platform !== 'win32') expect(statSync(dataDir).mode & 0o077).toBe(0);
    host.child.kill('SIGTERM');
    expect(await host.ended).toBe(0);
    expect(host.out().split('\n')).toHaveLength(2);
    expect(host.err()).toBe('');
  });

  it('says it in words without --json, and lists its options at --help', async () => {
    const host = run(['--no-open', '--data-dir', tempDir()]);
    await until('the address', () => host.out().includes('http://'), LIMIT_MS);
    expect(host.out()).toMatch(/^Holdfast is ready at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+\n$/);
    const help = run(['--help']);
    expect(await help.ended).toBe(0);
    for (const option of ['--data-dir', '--port', '--no-open', '--json']) expect(help.out()).toContain(option);
  });

  it.each([['--frob'], ['--port', 'many'], ['--port', '-1'], ['--port', '70000'], ['--data-dir', ''], ['surplus']])(
    'refuses %s %s in one sentence',
    async (...args) => {
      const command = run(args);
      expect(await command.ended).toBe(1);
      expectOneSentence(command);
      expect(command.err()).toContain(args[0]);
    },
  );

  it('says that a port is taken, and by which option to choose another', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const command = run(['--no-open', '--json', '--data-dir', tempDir(), '--port', String(port)]);
    expect(await command.ended).toBe(1);
    expectOneSentence(command);
    expect(command.err()).toMatch(new RegExp(`Port ${port} is taken.*--port`));
  });

  it('says that a folder cannot be used', async () => {
    const file = join(tempDir(), 'a-file');
    writeFileSync(file, '');
    for (const dataDir of [file, join(file, 'below'), join(file, 'far', 'below')]) {
      const command = run(['--no-open', '--json', '--data-dir', dataDir]);
      expect(await command.ended).toBe(1);
      expectOneSentence(command);
      expect(command.err()).toContain(dataDir);
      expect(command.err()).toContain('--data-dir');
    }
  });

  it('says that another is using the folder, and leaves that one alone', async () => {
    const dataDir = tempDir();
    const first = await start(dataDir);
    const second = run(['--no-open', '--json', '--data-dir', dataDir]);
    expect(await second.ended).toBe(1);
    expectOneSentence(second);
    expect(second.err()).toMatch(new RegExp(`Another Holdfast is using .*process ${first.child.pid},`));
    expect((await ask(first.port, `/?token=${first.token}`)).status).toBe(303);
  });

  it('starts again at once after a kill, on the same folder and port', async () => {
    const dataDir = tempDir();
    const first = await start(dataDir);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await start(dataDir, ['--port', String(first.port)]);
    expect(second.port).toBe(first.port);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ended by %s in the middle of an answer it exits with 0, quickly, and loses nothing that it showed',
    async (signal) => {
      const simulator = await startSimulator({ pace: 5, audio: 'brief' });
      onTestFinished(() => simulator.close());
      const env = { HOLDFAST_GEMINI_API_KEY: 'test-key-for-the-simulator', HOLDFAST_GEMINI_BASE_URL: simulator.url };
      const dataDir = tempDir();
      const host = await start(dataDir, [], env);
      const api = await connectTo(host);
      const { id: sessionId } = await api.sessions.create({});
      const turnId = randomId();
      await api.turns.send({ sessionId, turnId, text: 'Count to 500' });
      const shown = await until('some of the answer', async () => {
        const answer = (await api.history.page({ sessionId })).turns[1];
        const text = answer === undefined ? '' : textOf(answer);
        return text.length > 40 && text;
      });
      const begun = performance.now();
      host.child.kill(signal);
      expect(await host.ended).toBe(0);
      expect(performance.now() - begun).toBeLessThan(4_000);
      expect(host.err()).toBe('');

      const again = await connectTo(await start(dataDir, [], env));
      const [question, answer] = (await again.history.page({ sessionId })).turns;
      expect(question).toMatchObject({ id: turnId, status: 'answered' });
      expect(answer?.status).toBe('interrupted');
      expect(textOf(answer!).startsWith(shown)).toBe(true);
    },
  );

  it('ends at once with clients that hang on', async () => {
    const host = await start(tempDir());
    const api = await connectTo(host);
    await api.events.stream({ streamId: 'hangs-on' });
    const begun = performance.now();
    host.child.kill('SIGTERM');
    expect(await host.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  it('writes neither its token nor a key into its log', async () => {
    const dataDir = tempDir();
    const key = 'AIza-this-is-the-secret-key-of-the-test';
    const host = await start(dataDir, [], { HOLDFAST_GEMINI_BASE_URL: 'ws://127.0.0.1:9' });
    const api = await connectTo(host);
    await api.settings.setApiKey({ key });
    const { id: sessionId } = await api.sessions.create({});
    await api.turns.send({ sessionId, turnId: randomId(), text: 'A secret of my own' });
    await ask(host.port, `/?token=${host.token}&key=${key}`);
    await until('a failed dial', async () => (await api.sessions.get({ sessionId })).link.kind === 'waiting');
    host.child.kill('SIGTERM');
    await host.ended;
    const log = readFileSync(join(dataDir, 'logs', 'holdfast.log'), 'utf8');
    expect(log).toContain('A connection ended');
    for (const secret of [host.token, key, 'A secret of my own']) expect(log).not.toContain(secret);
  });
});
