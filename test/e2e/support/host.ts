import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NODE = join(ROOT, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const BUILT = join(ROOT, 'dist', 'server', 'main.js');
const READY_WITHIN_MS = 30_000;

export interface HostStart {
  readonly dataDir: string;
  /** Absent: any free port. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The built browser host as a process of its own. */
export interface RunningHost {
  /** The address with its token. */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly start: HostStart;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Asks it to end; gives its exit code. */
  stop(): Promise<number | null>;
}

export async function startHost(start: HostStart): Promise<RunningHost> {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is not there: build first, with \`npm run build\``);
  const { dataDir, port = 0, env = {} } = start;
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const child = spawn(NODE, [BUILT, '--no-open', '--json', '--data-dir', dataDir, '--port', String(port)], {
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const line = await new Promise<string>((resolve, reject) => {
    const tooLate = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The host was not ready within ${READY_WITHIN_MS} ms. ${said}`));
    }, READY_WITHIN_MS);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (!out.includes('\n')) return;
      clearTimeout(tooLate);
      resolve(out);
    });
    void ended.then((code) => {
      clearTimeout(tooLate);
      reject(new Error(`The host ended with ${code}. ${said}`));
    });
  });
  const { url } = JSON.parse(line) as { url: string };
  const { origin, port: listening } = new URL(url);
  return {
    url,
    origin,
    port: Number(listening),
    start,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
