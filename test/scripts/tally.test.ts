import { describe, expect, it } from 'vitest';
import { countTests, oneCheck, playwrightOutcomes, reportLines, sum } from '../../scripts/bootstrap/tally.mjs';
import { testPlan } from '../../scripts/bootstrap/test-run.mjs';

const well = { code: 0, signal: null };
const badly = { code: 1, signal: null };
const passed = { name: 'a', state: 'passed' as const };
const skipped = { name: 'c', state: 'skipped' as const };

describe('counting a runner’s tests', () => {
  it('counts by state', () => {
    const outcomes = [passed, { name: 'b', state: 'failed' as const, reason: 'r' }, { ...skipped, reason: 's' }];
    expect(countTests('runner', outcomes, badly)).toEqual({
      passed: 1,
      failed: [{ name: 'b', reason: 'r' }],
      skipped: [{ name: 'c', reason: 's' }],
    });
  });

  it('takes a skip without a reason for a failure', () => {
    expect(countTests('runner', [passed, skipped], well).failed).toEqual([
      { name: 'c', reason: 'It was skipped without a reason.' },
    ]);
  });

  it('takes a runner that ran nothing for a failure', () => {
    expect(countTests('runner', [], well).failed).toEqual([{ name: 'runner', reason: 'No test ran.' }]);
    expect(countTests('runner', [{ ...skipped, reason: 's' }], well).failed).toHaveLength(1);
  });

  it('takes a runner that left no report, was killed, or ended badly on its own account for a failure', () => {
    expect(countTests('runner', undefined, well).failed).toHaveLength(1);
    expect(countTests('runner', [passed], badly).failed).toHaveLength(1);
    expect(countTests('runner', [passed], { code: null, signal: 'SIGKILL' }).failed[0]?.reason).toContain('SIGKILL');
  });
});

describe('Playwright’s report', () => {
  const test = (status: string, more = {}) => ({ status, projectName: '', annotations: [], results: [], ...more });
  const report = (...tests: object[]) => ({
    errors: [],
    suites: [{ title: 'f.spec.ts', specs: [], suites: [{ title: 'd', specs: [{ title: 't', tests }] }] }],
  });

  it('names each test by its file and titles', () => {
    expect(playwrightOutcomes(report(test('expected')))).toEqual([{ name: 'f.spec.ts › d › t', state: 'passed' }]);
  });

  it('takes the reason of a skip from its annotation', () => {
    const skipped = test('skipped', { annotations: [{ type: 'skip', description: 'no binary' }] });
    expect(playwrightOutcomes(report(skipped))?.[0]).toMatchObject({ state: 'skipped', reason: 'no binary' });
  });

  it('does not take a test that never ran, or that passed only when tried again, for a good one', () => {
    expect(playwrightOutcomes(report(test('skipped')))?.[0]).toMatchObject({ state: 'failed' });
    expect(playwrightOutcomes(report(test('flaky')))?.[0]).toMatchObject({ state: 'failed' });
  });

  it('says of a failure its first line, without colours', () => {
    const failed = test('unexpected', { results: [{ error: { message: '\u001b[31mExpected\u001b[39m 1\n  at x' } }] });
    expect(playwrightOutcomes(report(failed))?.[0]).toMatchObject({ state: 'failed', reason: 'Expected 1' });
  });

  it('counts errors outside of tests, and is no report without suites', () => {
    const outcomes = playwrightOutcomes({ suites: [], errors: [{ message: 'cannot load' }] });
    expect(outcomes).toEqual([{ name: 'end-to-end', state: 'failed', reason: 'cannot load' }]);
    expect(playwrightOutcomes({})).toBeUndefined();
  });
});

describe('the report', () => {
  it('names skips and failures above, and ends in the counts alone', () => {
    const tally = sum([
      oneCheck('lint', undefined),
      oneCheck('types', 'wrong'),
      { passed: 2, failed: [], skipped: [{ name: 's', reason: 'why' }] },
    ]);
    const lines = reportLines(tally);
    expect(lines[lines.length - 1]).toBe('3 passed, 1 failed, 1 skipped');
    expect(lines).toContain('  types: wrong');
    expect(lines).toContain('  s: why');
  });
});

describe('npm test', () => {
  it('runs everything without arguments', () => {
    expect(testPlan([])).toEqual({ all: true });
  });
  it('hands files and flags to Vitest, specs to Playwright', () => {
    expect(testPlan(['test/live', '-t', 'resumes'])).toEqual({
      all: false,
      vitest: ['test/live', '-t', 'resumes'],
      playwright: [],
    });
    expect(testPlan(['test/e2e/a.spec.ts', '--headed'])).toEqual({
      all: false,
      vitest: [],
      playwright: ['test/e2e/a.spec.ts', '--headed'],
    });
    expect(testPlan(['test/live', 'test/e2e'])).toEqual({
      all: false,
      vitest: ['test/live'],
      playwright: ['test/e2e'],
    });
  });
});
