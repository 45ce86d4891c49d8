import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';

const USAGE = `Usage: node test/crash/main.ts [--kills 300] [--seed 1]

Kills a host with SIGKILL, at random moments and at every numbered step of its journals, restarts it on the same data
directory, and holds what is left against what had been told. Prints one JSON line; exit code 1 if anything was found.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    'go-on': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const report = await runCrashes({
    kills: Number(values.kills),
    seed: Number(values.seed),
    stopAtFinding: !values['go-on'],
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.findings.length === 0 ? 0 : 1;
}
