// npm run simulate: runs test/simulation/main.ts; npm run mutations: runs test/simulation/mutations.ts. With the pinned
// Node, after installing what is missing.
import './bootstrap/require-node.mjs';

const { exitCodeOf, runInForeground } = await import('./bootstrap/child.mjs');
const { pinnedNode, ROOT } = await import('./bootstrap/paths.mjs');
const { sayProblem } = await import('./bootstrap/progress.mjs');
const { ensureInstalled } = await import('./bootstrap/ready.mjs');

const [name = 'main', ...args] = process.argv.slice(2);
const problem = await ensureInstalled(ROOT);
if (problem !== undefined) {
  sayProblem(problem);
  process.exitCode = 1;
} else {
  process.exitCode = exitCodeOf(
    await runInForeground(pinnedNode(ROOT), [`test/simulation/${name}.ts`, ...args], { cwd: ROOT }),
  );
}
