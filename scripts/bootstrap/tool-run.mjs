import { quickCheck } from './checks.mjs';
import { exitCodeOf, runInForeground } from './child.mjs';
import { pinnedNode, ROOT, tools } from './paths.mjs';
import { say, sayProblem } from './progress.mjs';
import { ensureBuilt, ensureInstalled } from './ready.mjs';
import { runTests } from './test-run.mjs';

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
export async function runTool(name, args) {
  if (name === 'e2e') return runTests(args.some((arg) => !arg.startsWith('-')) ? args : ['test/e2e', ...args]);
  const problem = (await ensureInstalled(ROOT)) ?? (name === 'build' ? await ensureBuilt(ROOT) : undefined);
  if (problem !== undefined) {
    sayProblem(problem);
    return 1;
  }
  if (name === 'build') {
    say('dist/ is up to date.');
    return 0;
  }
  const command = commandLine(name, args);
  if (command === undefined) {
    say(`There is no tool “${name}”. There are: build, lint, format, typecheck, e2e.`);
    return 1;
  }
  return exitCodeOf(await runInForeground(pinnedNode(ROOT), command, { cwd: ROOT }));
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 */
function commandLine(name, args) {
  switch (name) {
    case 'lint':
      return [...quickCheck(ROOT, 'lint'), ...args];
    case 'typecheck':
      return [...quickCheck(ROOT, 'types'), ...args];
    case 'format':
      if (args.includes('--check')) return quickCheck(ROOT, 'format');
      return [tools(ROOT).prettier, '--write', '--log-level', 'warn', ...(args.length > 0 ? args : ['.'])];
    default:
      return undefined;
  }
}
