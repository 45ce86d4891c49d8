import { join } from 'node:path';
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { takeLock } from './lock.mjs';
import { workCache } from './paths.mjs';
import { say } from './progress.mjs';

/**
 * Does one piece of setup at a time, whoever else runs a bootstrap here. Looks first without the lock, so that nothing is
 * written when all is fresh.
 * @param {string} root
 * @param {object} piece
 * @param {() => boolean} piece.isDone
 * @param {(onStart: (pid: number) => void) => Promise<import('./progress.mjs').Problem | undefined>} piece.make
 * @returns {Promise<import('./progress.mjs').Problem | undefined>}
 */
export async function once(root, { isDone, make }) {
  /** @type {Awaited<ReturnType<typeof takeLock>> | undefined} */
  let lock;
  try {
    if (isDone()) return undefined;
    lock = await takeLock(join(workCache(root), 'bootstrap.lock'), (holder) =>
      say(`Waiting for another setup of Holdfast here${holder ? ` (process ${holder.pid})` : ''} to end …`),
    );
    const held = lock;
    if (isDone()) return undefined;
    return await make((pid) => held.noteChild(pid));
  } catch (error) {
    const problem = fileProblem(error, root);
    if (problem === undefined) throw error;
    return problem;
  } finally {
    lock?.release();
  }
}

/** @param {string} root */
export function ensureInstalled(root) {
  return once(root, { isDone: () => isInstalled(root), make: (onStart) => install(root, onStart) });
}

/** @param {string} root */
export function ensureBuilt(root) {
  return once(root, { isDone: () => isBuilt(root), make: (onStart) => build(root, onStart) });
}

/**
 * What the disk refused, in a sentence; undefined for what is no matter of the disk.
 * @param {unknown} error
 * @param {string} root
 * @returns {import('./progress.mjs').Problem | undefined}
 */
export function fileProblem(error, root) {
  const { code, path, message } = /** @type {NodeJS.ErrnoException} */ (error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return { sentence: `There is no space left on the disk that holds ${root}.`, detail: message };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return {
        sentence: `${path === undefined || path.startsWith(root) ? root : path} cannot be written to. Check who owns it, or clone Holdfast to a folder of yours.`,
      };
    case 'ENOENT':
      return path?.endsWith('package-lock.json')
        ? { sentence: `package-lock.json is missing in ${root}. Get it back from git: git checkout package-lock.json` }
        : undefined;
    default:
      return undefined;
  }
}
