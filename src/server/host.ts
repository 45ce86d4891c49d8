import { join } from 'node:path';
import Conf from 'conf';
import { serveOverWebSocket } from '../api/index.ts';
import { failed, ok } from '../contract/index.ts';
import type { Problem, Result } from '../contract/index.ts';
import { openCore } from '../core.ts';
import { openLog } from '../log.ts';
import type { SecretStore } from '../settings/index.ts';
import { makeDirectory, storageProblem } from '../storage/index.ts';
import { createAccess, isSecret, newSecret } from './access.ts';
import type { Access } from './access.ts';
import { listen } from './http.ts';
import type { ListeningServer } from './http.ts';
import { openSecretFile } from './secret-file.ts';

const COOKIE_SECRET = 'browser-host-cookie';
/** The desktop app keeps its own, encrypted, as `secrets.json` in the same folder: neither host may write over the other's. */
const SECRETS_FILE = 'browser-host-secrets.json';

export interface HostOptions {
  readonly dataDir: string;
  /** 0: any free port. */
  readonly port: number;
  /** Folder of the built renderer. */
  readonly assets: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface BrowserHost {
  /** The address to open, token and all. */
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Starts the core and serves it, with the renderer, on 127.0.0.1. */
export async function startBrowserHost(options: HostOptions): Promise<Result<BrowserHost>> {
  const { dataDir, port, assets, version, env } = options;
  let log: ReturnType<typeof openLog>;
  try {
    const logs = join(dataDir, 'logs');
    makeDirectory(logs);
    log = openLog(logs);
  } catch (error) {
    return failed({
      code: 'data_dir_unusable',
      message: `Holdfast cannot write to its data folder ${dataDir} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}). Give yourself the right to, or choose another with --data-dir.`,
      retry: 'user',
    });
  }
  const secrets = openSecretFile(join(dataDir, SECRETS_FILE));
  const opened = await openCore({
    host: 'browser',
    version,
    dataDir,
    env,
    secrets,
    log,
    openKeyValueFile: (name, cwd) =>
      new Conf({ cwd, configName: name, clearInvalidConfig: false, accessPropertiesByDotNotation: false }),
  });
  if (!opened.ok) return opened;
  const core = opened.value;

  let access: Access;
  try {
    access = createAccess(await cookieSecret(secrets));
  } catch (error) {
    await core.close();
    return failed(storageProblem(error));
  }
  let server: ListeningServer;
  try {
    server = await listen(port, {
      assets,
      access,
      log,
      connected: (socket) => serveOverWebSocket(core.router, socket, log),
    });
  } catch (error) {
    await core.close();
    return failed(listenProblem(error, port));
  }
  return ok({
    url: `${server.origin}/?token=${access.token}`,
    token: access.token,
    async close() {
      await server.close();
      await core.close();
    },
  });
}

/** Kept, so that pages that are open when the host starts again stay let in. Rejects when a new one cannot be written. */
async function cookieSecret(secrets: SecretStore): Promise<string> {
  const kept = await secrets.get(COOKIE_SECRET).catch(() => undefined);
  if (kept !== undefined && isSecret(kept)) return kept;
  const made = newSecret();
  await secrets.set(COOKIE_SECRET, made);
  return made;
}

function listenProblem(error: unknown, port: number): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  const taken = code === 'EADDRINUSE';
  return {
    code: 'port_taken',
    message: taken
      ? `Port ${port} is taken by another program. Choose another with --port, or none for any free one.`
      : `Holdfast may not listen on port ${port} (${code ?? message}). Choose another with --port.`,
    retry: 'user',
    context: { port },
  };
}
