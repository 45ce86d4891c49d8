import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** What `npm test` counts; the same shape as `TestOutcome` in scripts/bootstrap/tally.mjs. */
interface Outcome {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

/** Writes every test's name, state and reason to the file that HOLDFAST_TEST_REPORT names. */
export default class SummaryReporter implements Reporter {
  #isNarrowed = false;

  onInit(vitest: Vitest): void {
    // With `-t`, Vitest marks as skipped all that was not asked for.
    this.#isNarrowed = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    const path = process.env['HOLDFAST_TEST_REPORT'];
    if (path === undefined) return;
    const outcomes = [...modules.flatMap((module) => this.#outcomesOf(module)), ...unhandled.map(outsideTests)];
    writeFileSync(path, JSON.stringify({ outcomes }));
  }

  #outcomesOf(module: TestModule): Outcome[] {
    const file = module.relativeModuleId;
    const broken = [module, ...module.children.allSuites()].flatMap((suite): Outcome[] => {
      const name = suite.type === 'module' ? file : `${file} › ${suite.fullName}`;
      return suite.errors().map((error) => ({ name, state: 'failed', reason: firstLine(error.message) }));
    });
    const tests = [...module.children.allTests()].flatMap((test) => this.#outcomeOf(test, file));
    return [...broken, ...tests];
  }

  #outcomeOf(test: TestCase, file: string): Outcome[] {
    const name = `${file} › ${test.fullName}`;
    const result = test.result();
    switch (result.state) {
      case 'passed':
        return [{ name, state: 'passed' }];
      case 'failed':
        return [{ name, state: 'failed', reason: firstLine(result.errors[0]?.message) }];
      case 'pending':
        return [{ name, state: 'failed', reason: 'It did not run to its end.' }];
      case 'skipped':
        if (result.note !== undefined) return [{ name, state: 'skipped', reason: result.note }];
        return this.#isNarrowed ? [] : [{ name, state: 'skipped' }];
    }
  }
}

function outsideTests(error: { readonly message: string }): Outcome {
  return { name: 'outside of any test', state: 'failed', reason: firstLine(error.message) };
}

function firstLine(message: string | undefined): string {
  return (message ?? '').split('\n').find((line) => line.trim() !== '') ?? 'It failed.';
}
