import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Outcome {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}

function run(files: Readonly<Record<string, string>>, ...args: string[]): Outcome[] {
  const folder = temporaryFolder({ ...files, 'vitest.config.mjs': 'export default { test: { globals: true } };' });
  const report = join(folder, 'report.json');
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE_|TEST$|NODE_ENV$)/.test(name)),
  );
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporter = join(ROOT, 'test', 'support', 'vitest-summary-reporter.ts');
  spawnSync(process.execPath, [vitest, 'run', '--root', folder, `--reporter=${reporter}`, ...args], {
    cwd: folder,
    env: { ...env, HOLDFAST_TEST_REPORT: report },
  });
  return (JSON.parse(readFileSync(report, 'utf8')) as { outcomes: Outcome[] }).outcomes;
}

it('tells the state of every test, the reasons of skips, and what broke outside of tests', () => {
  const outcomes = run({
    'a.test.js': `
      describe('group', () => {
        it('passes', () => {});
        it('fails', () => { throw new Error('first line\\nsecond line'); });
        it('is skipped for a reason', (ctx) => ctx.skip('not on this machine'));
        it.skip('is skipped for none', () => {});
        it.todo('is not written');
      });`,
    'b.test.js': `throw new Error('the file is broken');`,
    'c.test.js': `beforeAll(() => { throw new Error('the hook is broken'); });\nit('cannot run', () => {});`,
  });
  expect(outcomes).toContainEqual({ name: 'a.test.js › group > passes', state: 'passed' });
  expect(outcomes).toContainEqual({ name: 'a.test.js › group > fails', state: 'failed', reason: 'first line' });
  expect(outcomes).toContainEqual({
    name: 'a.test.js › group > is skipped for a reason',
    state: 'skipped',
    reason: 'not on this machine',
  });
  expect(outcomes).toContainEqual({ name: 'a.test.js › group > is skipped for none', state: 'skipped' });
  expect(outcomes).toContainEqual({ name: 'a.test.js › group > is not written', state: 'skipped' });
  expect(outcomes).toContainEqual({ name: 'b.test.js', state: 'failed', reason: 'the file is broken' });
  expect(outcomes).toContainEqual({ name: 'c.test.js', state: 'failed', reason: 'the hook is broken' });
});

it('leaves out what a narrowed run did not ask for', () => {
  const file = `it('one', () => {});\nit('two', () => {});`;
  expect(run({ 'a.test.js': file }, '-t', 'one')).toEqual([{ name: 'a.test.js › one', state: 'passed' }]);
});
