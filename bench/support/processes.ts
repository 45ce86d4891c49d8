import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ScriptInput } from '../../src/simulator/index.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILT_HOST = join(ROOT, 'dist', 'server', 'main.js');
const SIMULATOR = join(ROOT, 'src', 'simulator', 'main.ts');
export const API_KEY = 'a-key-for-the-benchmark';

const children = new Set<ChildProcess>();
const folders: string[] = [];

/** Ends what was started and removes what was made; also when the benchmark fails. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...children].map(end));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  folders.push(folder);
  return folder;
}

export interface Started {
  readonly child: ChildProcess;
  /** The first line that it printed. */
  readonly line: string;
  /** Milliseconds from the spawn to that line. */
  readonly readyMs: number;
}

/** Starts a program of this Node's and waits for its first line. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const begun = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('close', () => children.delete(child));
  return new Promise((resolve, reject) => {
    let out = '';
    const ended = (code: number | null) => reject(new Error(`${args[0]} ended with ${code} before it was ready`));
    child.once('error', reject);
    child.once('close', ended);
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (!out.includes('\n')) return;
      child.off('close', ended);
      child.stdout!.removeAllListeners('data').resume();
      resolve({ child, line: out.split('\n', 1)[0]!, readyMs: performance.now() - begun });
    });
  });
}

export function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGTERM');
  });
}

/** The simulator as a process of its own; gives its `ws:` address. */
export async function startSimulatorProcess(script: ScriptInput): Promise<string> {
  const file = join(newFolder(), 'script.json');
  writeFileSync(file, JSON.stringify(script));
  const { line } = await start([SIMULATOR, '--json', '--pace', 'instant', '--api-key', API_KEY, '--script', file]);
  return (JSON.parse(line) as { url: string }).url;
}

export interface HostProcess {
  readonly url: string;
  readonly origin: string;
  /** A `Cookie` header that lets a client in. */
  readonly cookie: string;
}

export function startHost(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  if (!existsSync(BUILT_HOST)) throw new Error('The browser host is not built: run `npm run build` first');
  return start([BUILT_HOST, '--json', '--no-open', '--data-dir', dataDir], env);
}

export async function hostOf({ line }: Started): Promise<HostProcess> {
  const { url } = JSON.parse(line) as { url: string };
  const cookie = await new Promise<string>((resolve, reject) => {
    request(url, (response) => {
      response.resume();
      resolve(response.headers['set-cookie']![0]!.split(';')[0]!);
    })
      .on('error', reject)
      .end();
  });
  return { url, origin: new URL(url).origin, cookie };
}
