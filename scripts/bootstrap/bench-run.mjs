import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf, runInForeground, wasInterrupted } from './child.mjs';
import { pinnedNode, ROOT } from './paths.mjs';
import { say, sayProblem } from './progress.mjs';
import { ensureBuilt, ensureInstalled } from './ready.mjs';

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code: that of the first benchmark that failed.
 */
export async function runBench(args) {
  const folder = join(ROOT, 'bench');
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
    .sort();
  if (args.includes('--list')) {
    process.stdout.write(`${names.join('\n')}\n`);
    return 0;
  }
  const [wanted, ...rest] = args;
  const named = wanted !== undefined && !wanted.startsWith('-');
  if (named && !names.includes(wanted)) {
    say(`There is no benchmark “${wanted}”. There are: ${names.join(', ') || 'none yet'}.`);
    return 1;
  }
  const problem = (await ensureInstalled(ROOT)) ?? (await ensureBuilt(ROOT));
  if (problem !== undefined) {
    sayProblem(problem);
    return 1;
  }
  let exitCode = 0;
  for (const name of named ? [wanted] : names) {
    if (!named) say(`\n— ${name}`);
    const ended = await runInForeground(pinnedNode(ROOT), [join(folder, `${name}.ts`), ...(named ? rest : args)], {
      cwd: ROOT,
    });
    exitCode ||= exitCodeOf(ended);
    if (wasInterrupted()) break;
  }
  return exitCode;
}
