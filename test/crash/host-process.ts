import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HOST_ENV } from './messages.ts';
import type { FromHost, ToHost } from './messages.ts';

const HOST = fileURLToPath(new URL('host.ts', import.meta.url));

export interface HostOptions {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Step of the journals at which it kills itself; see kill-switch.ts. */
  readonly killAt?: number | undefined;
  readonly heard: (message: FromHost) => void;
}

/** How a host's process ended, and what it complained about. */
export interface HostEnd {
  readonly killed: boolean;
  readonly code: number | null;
  readonly complaint: string;
}

export interface HostProcess {
  readonly ended: Promise<HostEnd>;
  readonly isRunning: boolean;
  /** Lost if it is dead: the parent learns that from what is never told. */
  tell(message: ToHost): void;
  kill(): void;
}

/** Starts a host that can be killed. */
export function startHost({ dataDir, env, killAt, heard }: HostOptions): HostProcess {
  const clean = Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|VITEST|NODE_OPTIONS)/.test(name));
  const child: ChildProcess = fork(HOST, {
    env: {
      ...Object.fromEntries(clean),
      ...env,
      [HOST_ENV.dataDir]: dataDir,
      ...(killAt !== undefined && { [HOST_ENV.killAt]: String(killAt) }),
    },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  let running = true;
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.on('message', (message) => heard(message as FromHost));
  // Telling a dead process something fails; that is what this is about.
  child.on('error', () => undefined);
  return {
    ended: new Promise((resolve) =>
      // `close`, not `exit`: by then all that it had told has been heard.
      child.once('close', (code, signal) => {
        running = false;
        resolve({ killed: signal === 'SIGKILL', code, complaint });
      }),
    ),
    get isRunning() {
      return running;
    },
    tell(message) {
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
