import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runInForeground } from './child.mjs';
import { pinnedNode, tools, workCache } from './paths.mjs';
import { say } from './progress.mjs';
import { countTests, oneCheck, playwrightOutcomes } from './tally.mjs';

/** A runner that takes longer hangs: in a test that blocks its process no timeout of the runner's own can act. */
const RUNNER_LIMIT_MS = 20 * 60_000;

/**
 * @typedef {import('./tally.mjs').Tally} Tally
 * @typedef {'format' | 'lint' | 'types'} QuickCheck
 */

/**
 * The command line of a quick check, for the pinned Node.
 * @param {string} root
 * @param {QuickCheck} check
 * @returns {string[]}
 */
export function quickCheck(root, check) {
  const tool = tools(root);
  switch (check) {
    case 'format':
      return [tool.prettier, '--check', '--log-level', 'warn', '.'];
    case 'lint':
      return [tool.oxlint, '--deny-warnings', '--report-unused-disable-directives'];
    case 'types':
      return [tool.tsc, '-p', '.'];
  }
}

/**
 * @param {string} root
 * @param {QuickCheck} check
 * @returns {Promise<Tally>}
 */
export async function runQuickCheck(root, check) {
  say(`\n— ${check}`);
  const ended = await runInForeground(pinnedNode(root), quickCheck(root, check), { cwd: root });
  if (ended.code === 0) say('in order');
  return oneCheck(check, ended.code === 0 ? undefined : `What it found is above. ${REMEDY[check]}`);
}

const REMEDY = {
  format: '`npm run format` mends it.',
  lint: '`npm run lint` shows it again.',
  types: '`npm run typecheck` shows it again.',
};

/**
 * Unit and integration tests.
 * @param {string} root
 * @param {readonly string[]} filters Files, folders or flags for Vitest; none for all.
 * @param {string | undefined} chromium
 * @returns {Promise<Tally>}
 */
export async function runVitest(root, filters, chromium) {
  say('\n— unit and integration tests');
  const report = reportPath(root, 'vitest');
  const reporter = join(root, 'test', 'support', 'vitest-summary-reporter.ts');
  const ended = await runInForeground(
    pinnedNode(root),
    [tools(root).vitest, 'run', ...filters, '--reporter=default', `--reporter=${reporter}`],
    { cwd: root, limitMs: RUNNER_LIMIT_MS, env: testEnvironment(chromium, { HOLDFAST_TEST_REPORT: report }) },
  );
  const outcomes = readReport(report)?.outcomes;
  return countTests('unit and integration tests', Array.isArray(outcomes) ? outcomes : undefined, ended);
}

/**
 * End-to-end tests.
 * @param {string} root
 * @param {readonly string[]} filters
 * @param {string} chromium
 * @returns {Promise<Tally>}
 */
export async function runPlaywright(root, filters, chromium) {
  say(`\n— end-to-end tests with ${chromium}`);
  const report = reportPath(root, 'playwright');
  const ended = await runInForeground(
    pinnedNode(root),
    [tools(root).playwright, 'test', '-c', 'test/e2e/playwright.config.ts', '--reporter=list,json', ...filters],
    { cwd: root, limitMs: RUNNER_LIMIT_MS, env: testEnvironment(chromium, { PLAYWRIGHT_JSON_OUTPUT_FILE: report }) },
  );
  const read = readReport(report);
  return countTests('end-to-end tests', read === undefined ? undefined : playwrightOutcomes(read), ended);
}

/**
 * @param {string | undefined} chromium
 * @param {NodeJS.ProcessEnv} extra
 */
function testEnvironment(chromium, extra) {
  return { ...process.env, ...extra, ...(chromium !== undefined && { HOLDFAST_CHROMIUM: chromium }) };
}

/**
 * @param {string} root
 * @param {string} name
 */
function reportPath(root, name) {
  const folder = join(workCache(root), 'test-reports');
  mkdirSync(folder, { recursive: true });
  // Of its own, so that two runs at once do not read each other's.
  return join(folder, `${name}-${process.pid}.json`);
}

/**
 * @param {string} path
 * @returns {any}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}
