import { fileURLToPath } from 'node:url';
import { exitCodeOf, runInForeground } from './child.mjs';
import { pinnedNode, ROOT } from './paths.mjs';
import { sayProblem } from './progress.mjs';
import { ensureInstalled } from './ready.mjs';

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
export async function runDev(args) {
  const problem = await ensureInstalled(ROOT);
  if (problem !== undefined) {
    sayProblem(problem);
    return 1;
  }
  // Vite needs a newer Node than the one that runs this may be.
  const server = fileURLToPath(new URL('dev-server.mjs', import.meta.url));
  return exitCodeOf(await runInForeground(pinnedNode(ROOT), [server, ...args], { cwd: ROOT }));
}
