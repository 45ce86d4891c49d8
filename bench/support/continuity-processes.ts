import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { newFolder } from './continuity-measure.ts';

export const API_KEY = 'a-key-for-the-benchmark';

const children = new Set<ChildProcess>();

/** A child process that answers one question at a time. */
export interface Child {
  readonly url: string;
  ask<T>(question: string): Promise<T>;
  end(): Promise<void>;
}

async function startChild(file: string, execArgv: readonly string[], env: Record<string, string>): Promise<Child> {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: [...execArgv],
    env: { ...Object.fromEntries(clean), ...env },
  });
  children.add(child);
  child.once('close', () => children.delete(child));
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      const ended = () => reject(new Error(`${file} has ended`));
      child.once('close', ended);
      child.once('message', (message) => {
        child.off('close', ended);
        resolve(message);
      });
    });
  const { url } = (await next()) as { url: string };
  return {
    url,
    async ask<T>(question: string) {
      const answer = next();
      child.send(question);
      return (await answer) as T;
    },
    end: () => endChild(child),
  };
}

function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}

export const startProvider = () => startChild('continuity-simulator.ts', [], {});

export function startCore(simulator: string): Promise<Child> {
  return startChild('continuity-core.ts', ['--expose-gc', '--disable-warning=ExperimentalWarning'], {
    HOLDFAST_BENCH_DATA_DIR: newFolder(),
    HOLDFAST_GEMINI_API_KEY: API_KEY,
    HOLDFAST_GEMINI_BASE_URL: simulator,
  });
}

/** Ends what is left; also when the benchmark fails. */
export async function endChildren(): Promise<void> {
  await Promise.all([...children].map(endChild));
}
