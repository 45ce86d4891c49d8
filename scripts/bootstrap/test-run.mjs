import { wasInterrupted } from './child.mjs';
import { ensureChromium } from './chromium.mjs';
import { runPlaywright, runQuickCheck, runVitest } from './checks.mjs';
import { ROOT } from './paths.mjs';
import { sayProblem } from './progress.mjs';
import { ensureBuilt, ensureInstalled, once } from './ready.mjs';
import { oneCheck, reportLines, sum } from './tally.mjs';

/**
 * What `npm test` is to run. Without arguments: everything. With some: those of Playwright for specs, those of Vitest for
 * all else, and nothing more.
 * @param {readonly string[]} args
 * @returns {{ all: true } | { all: false, vitest: readonly string[], playwright: readonly string[] }}
 */
export function testPlan(args) {
  if (args.length === 0) return { all: true };
  const isSpec = (/** @type {string} */ arg) => /(^|[\\/])test[\\/]e2e([\\/]|$)|\.spec\.ts(:\d+)?$/.test(arg);
  const specs = args.filter(isSpec);
  const others = args.filter((arg) => !isSpec(arg));
  // Flags alone cannot say which of the two they are for: they go with the files that are named.
  const onlyFlags = specs.length > 0 && others.every((arg) => arg.startsWith('-'));
  return {
    all: false,
    vitest: onlyFlags ? [] : others,
    playwright: onlyFlags ? [...specs, ...others] : specs,
  };
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
export async function runTests(args) {
  const plan = testPlan(args);
  /** @type {import('./tally.mjs').Tally[]} */
  const tallies = [];
  const finish = () => {
    const tally = sum(tallies);
    process.stdout.write(`${reportLines(tally).join('\n')}\n`);
    return tally.failed.length === 0 ? 0 : 1;
  };

  const notInstalled = await ensureInstalled(ROOT);
  if (notInstalled !== undefined) {
    sayProblem(notInstalled);
    tallies.push(oneCheck('install', notInstalled.sentence));
    return finish();
  }

  const wantsBrowser = plan.all || plan.playwright.length > 0;
  /** @type {string | undefined} */
  let chromium;
  let noChromium = 'There is no Chromium.';
  if (wantsBrowser) {
    const problem = await once(ROOT, {
      isDone: () => false,
      make: async (onStart) => {
        const found = await ensureChromium(ROOT, onStart);
        if ('problem' in found) return found.problem;
        chromium = found.path;
        return undefined;
      },
    });
    if (problem !== undefined) {
      sayProblem(problem);
      noChromium = problem.sentence;
    }
  }

  const notBuilt = await ensureBuilt(ROOT);
  if (notBuilt !== undefined) sayProblem(notBuilt);
  if (plan.all || notBuilt !== undefined) tallies.push(oneCheck('build', notBuilt?.sentence));

  /** @type {(() => Promise<import('./tally.mjs').Tally>)[]} */
  const steps = [];
  if (plan.all) {
    for (const check of /** @type {const} */ (['format', 'lint', 'types'])) {
      steps.push(() => runQuickCheck(ROOT, check));
    }
  }
  if (plan.all || plan.vitest.length > 0) {
    steps.push(() => runVitest(ROOT, plan.all ? [] : plan.vitest, chromium));
  }
  if (wantsBrowser) {
    steps.push(async () => {
      if (chromium === undefined) return oneCheck('end-to-end tests', `They did not run. ${noChromium}`);
      if (notBuilt !== undefined) return oneCheck('end-to-end tests', 'They did not run: there is no build.');
      return runPlaywright(ROOT, plan.all ? [] : plan.playwright, chromium);
    });
  }
  for (const step of steps) {
    tallies.push(await step());
    if (!wasInterrupted()) continue;
    tallies.push(oneCheck('npm test', 'It was interrupted.'));
    break;
  }
  return finish();
}
