import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runQuietly } from './child.mjs';
import { installCache, pinnedNode } from './paths.mjs';
import { beginStep, megabytes } from './progress.mjs';
import { writeWhole } from './stamp.mjs';

/** A download that brings no byte for this long is given up. */
export const IDLE_LIMIT_MS = 10_000;
/** Checking and unpacking bring no bytes; a slow disk needs its time. */
const UNPACK_LIMIT_MS = 180_000;

const electronFolder = (/** @type {string} */ root) => join(root, 'node_modules', 'electron');
const failurePath = (/** @type {string} */ root) => join(installCache(root), 'electron-fetch.json');

/** The executable inside Electron's archive, as electron's own install.js has it. */
export function executableName(/** @type {string} */ platform) {
  if (platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return platform === 'win32' ? 'electron.exe' : 'electron';
}

/** @param {string} root */
export function electronVersion(root) {
  return String(JSON.parse(readFileSync(join(electronFolder(root), 'package.json'), 'utf8')).version);
}

/**
 * Electron's executable where it is wholly there. Never loads the package `electron`: that would download it.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function findElectron(root, env = process.env) {
  const name = executableName(process.platform);
  const elsewhere = env.ELECTRON_OVERRIDE_DIST_PATH;
  if (elsewhere !== undefined && elsewhere !== '') {
    const path = join(elsewhere, name);
    return existsSync(path) ? path : undefined;
  }
  const dist = join(electronFolder(root), 'dist');
  try {
    const version = readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, '');
    if (version !== electronVersion(root)) return undefined;
    if (readFileSync(join(electronFolder(root), 'path.txt'), 'utf8') !== name) return undefined;
  } catch {
    return undefined;
  }
  const path = join(dist, name);
  return existsSync(path) ? path : undefined;
}

/**
 * Why the last fetch of this version failed, if it did.
 * @typedef {{ readonly version: string, readonly at: string, readonly reason: string }} FetchFailure
 * @param {string} root
 * @returns {FetchFailure | undefined}
 */
export function rememberedFailure(root) {
  try {
    const failure = JSON.parse(readFileSync(failurePath(root), 'utf8'));
    return failure.version === electronVersion(root) && typeof failure.reason === 'string' ? failure : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Fetches Electron's binary, and remembers it if that fails.
 * @param {string} root
 * @param {object} [options]
 * @param {number} [options.idleLimitMs]
 * @param {(pid: number) => void} [options.onStart]
 * @returns {Promise<{ ok: true } | { ok: false, reason: string, detail: string }>} `reason` completes “because …”.
 */
export async function fetchElectron(root, { idleLimitMs = IDLE_LIMIT_MS, onStart } = {}) {
  const version = electronVersion(root);
  const temporary = join(installCache(root), 'electron-download');
  mkdirSync(temporary, { recursive: true });
  const step = beginStep(`Fetching Electron ${version}`);
  let phase = /** @type {'download' | 'unpack'} */ ('download');
  let received = 0;
  let reason = '';
  const worker = fileURLToPath(new URL('fetch-electron.mjs', import.meta.url));
  const ended = await runQuietly(pinnedNode(root), [worker, electronFolder(root), temporary], {
    cwd: root,
    // Node's own fetch minds HTTPS_PROXY only when told to.
    env: { NODE_USE_ENV_PROXY: '1', ...process.env },
    ...(onStart && { onStart }),
    idleMs: () => (phase === 'download' ? idleLimitMs : UNPACK_LIMIT_MS),
    onMessage: (raw) => {
      const message = /** @type {import('./fetch-electron.mjs').FetchMessage} */ (raw);
      switch (message.kind) {
        case 'bytes':
          received = message.transferred;
          step.update(amount(message.transferred, message.total));
          return;
        case 'unpack':
          phase = 'unpack';
          step.update('unpacking');
          return;
        case 'failed':
          reason = message.reason;
          return;
      }
    },
  });
  rmSync(temporary, { recursive: true, force: true });
  if (ended.code === 0 && findElectron(root, {}) !== undefined) {
    rmSync(failurePath(root), { force: true });
    step.done();
    return { ok: true };
  }
  step.failed();
  if (ended.idle) {
    const limit = `${Math.round(idleLimitMs / 1000)} s`;
    reason =
      phase === 'unpack'
        ? 'it could not be unpacked in time'
        : received === 0
          ? `no byte of it came for ${limit}`
          : `its download stood still for ${limit} at ${megabytes(received)}`;
  }
  if (reason === '') reason = 'its download ended without success';
  /** @type {FetchFailure} */
  const failure = { version, at: new Date().toISOString(), reason };
  writeWhole(failurePath(root), `${JSON.stringify(failure)}\n`);
  return { ok: false, reason, detail: ended.error ?? ended.tail };
}

/**
 * @param {number} transferred
 * @param {number | null} total
 */
function amount(transferred, total) {
  if (total === null || total <= 0) return megabytes(transferred);
  return `${megabytes(transferred)} of ${megabytes(total)}, ${Math.floor((100 * transferred) / total)} %`;
}
