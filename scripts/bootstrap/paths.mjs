import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The Node that the lock file pins, whatever Node runs the scripts. The npm package `node` fetches it in its install script.
 * @param {string} root
 */
export function pinnedNode(root) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/**
 * What is remembered about the present install. `npm ci` empties node_modules, and with it this folder.
 * @param {string} root
 */
export const installCache = (root) => join(root, 'node_modules', '.cache', 'holdfast');

/**
 * What must outlive an install: the lock, test reports.
 * @param {string} root
 */
export const workCache = (root) => join(root, '.cache');

/**
 * The command lines of the tools, run with the pinned Node.
 * @param {string} root
 */
export const tools = (root) => ({
  vite: join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
  vitest: join(root, 'node_modules', 'vitest', 'vitest.mjs'),
  playwright: join(root, 'node_modules', 'playwright', 'cli.js'),
  prettier: join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs'),
  oxlint: join(root, 'node_modules', 'oxlint', 'bin', 'oxlint'),
  tsc: join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
});
