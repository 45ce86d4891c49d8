/**
 * What a run came to.
 * @typedef {{ readonly name: string, readonly reason: string }} Named
 * @typedef {{ readonly passed: number, readonly failed: readonly Named[], readonly skipped: readonly Named[] }} Tally
 * @typedef {{ readonly name: string, readonly state: 'passed' | 'failed' | 'skipped', readonly reason?: string }} TestOutcome
 */

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
export function sum(tallies) {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    failed: tallies.flatMap((tally) => tally.failed),
    skipped: tallies.flatMap((tally) => tally.skipped),
  };
}

/**
 * A tool that either is content or is not: one check.
 * @param {string} name
 * @param {string | undefined} failure
 * @returns {Tally}
 */
export function oneCheck(name, failure) {
  if (failure === undefined) return { passed: 1, failed: [], skipped: [] };
  return { passed: 0, failed: [{ name, reason: failure }], skipped: [] };
}

/**
 * Counts a runner's tests. A runner that ended badly without a failed test, or that ran nothing, is itself a failure; so
 * is a test that was skipped without a reason.
 * @param {string} runner
 * @param {readonly TestOutcome[] | undefined} outcomes undefined: the runner left no readable report.
 * @param {{ code: number | null, signal: string | null, error?: string | undefined }} ended
 * @returns {Tally}
 */
export function countTests(runner, outcomes, ended) {
  const how = ended.error ?? (ended.code === null ? `ended by ${ended.signal}` : `exit code ${ended.code}`);
  if (outcomes === undefined) {
    return { passed: 0, failed: [{ name: runner, reason: `It ended without a report (${how}).` }], skipped: [] };
  }
  const passed = outcomes.filter((outcome) => outcome.state === 'passed').length;
  /** @type {Named[]} */
  const failed = [];
  /** @type {Named[]} */
  const skipped = [];
  for (const { name, state, reason } of outcomes) {
    if (state === 'failed') failed.push({ name, reason: reason ?? 'It failed.' });
    if (state !== 'skipped') continue;
    if (reason === undefined || reason.trim() === '') failed.push({ name, reason: 'It was skipped without a reason.' });
    else skipped.push({ name, reason });
  }
  if (outcomes.every((outcome) => outcome.state === 'skipped')) failed.push({ name: runner, reason: 'No test ran.' });
  if (ended.code !== 0 && failed.length === 0) {
    failed.push({ name: runner, reason: `It failed (${how}) though none of its tests did.` });
  }
  return { passed, failed, skipped };
}

/**
 * The tests in a report of Playwright's JSON reporter.
 * @param {any} report
 * @returns {TestOutcome[] | undefined}
 */
export function playwrightOutcomes(report) {
  if (!Array.isArray(report?.suites)) return undefined;
  /** @type {TestOutcome[]} */
  const outcomes = [];
  for (const error of report.errors ?? []) {
    outcomes.push({ name: 'end-to-end', state: 'failed', reason: firstLine(error?.message) });
  }
  const walk = (/** @type {any} */ suite, /** @type {string[]} */ titles) => {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests ?? []) {
        const name = [...titles, spec.title].join(' › ') + (test.projectName ? ` [${test.projectName}]` : '');
        outcomes.push(playwrightOutcome(name, test));
      }
    }
    for (const inner of suite.suites ?? []) walk(inner, [...titles, inner.title]);
  };
  for (const file of report.suites) walk(file, [file.title]);
  return outcomes;
}

/**
 * @param {string} name
 * @param {any} test
 * @returns {TestOutcome}
 */
function playwrightOutcome(name, test) {
  switch (test.status) {
    case 'expected':
      return { name, state: 'passed' };
    case 'flaky':
      return { name, state: 'failed', reason: 'It failed at first and passed when tried again.' };
    case 'skipped': {
      const skip = (test.annotations ?? []).find(
        (/** @type {any} */ one) => one.type === 'skip' || one.type === 'fixme',
      );
      // Without a mark it was not skipped: something before it in its file failed.
      if (skip === undefined) return { name, state: 'failed', reason: 'It did not run.' };
      return { name, state: 'skipped', reason: skip.description };
    }
    default: {
      const results = test.results ?? [];
      return { name, state: 'failed', reason: firstLine(results[results.length - 1]?.error?.message) };
    }
  }
}

/** @param {unknown} message */
function firstLine(message) {
  // Playwright colours its messages.
  // oxlint-disable-next-line no-control-regex
  const plain = String(message ?? 'It failed.').replaceAll(/\u001b\[[0-9;]*m/g, '');
  return plain.split('\n').find((line) => line.trim() !== '') ?? 'It failed.';
}

/**
 * The report's end: every skip and failure by name, then the counts alone on the last line.
 * @param {Tally} tally
 * @returns {string[]}
 */
export function reportLines(tally) {
  const lines = [''];
  const list = (/** @type {string} */ title, /** @type {readonly Named[]} */ named) => {
    if (named.length === 0) return;
    lines.push(title);
    for (const { name, reason } of named) lines.push(`  ${name}: ${reason}`);
    lines.push('');
  };
  list('Skipped:', tally.skipped);
  list('Failed:', tally.failed);
  lines.push(`${tally.passed} passed, ${tally.failed.length} failed, ${tally.skipped.length} skipped`);
  return lines;
}
