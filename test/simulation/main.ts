import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { runSchedule } from './schedule.ts';
import type { Outcome } from './schedule.ts';

/**
 * `npm run simulate -- --seeds 10000 --hours 24` runs so many schedules, on all processors, and prints one JSON line;
 * `--seed N --trace` replays one and prints each step. Exits with 1 when an invariant was broken.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    hours: { type: 'string', default: '24' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'stop-at-first': { type: 'boolean', default: false },
    jobs: { type: 'string' },
  },
});
const hours = Number(values.hours);

if (values.seed !== undefined) {
  const outcome = await runSchedule({
    seed: Number(values.seed),
    hours,
    ...(values.trace && { trace: (line: string) => console.log(line) }),
  });
  console.log(JSON.stringify(outcome));
  process.exit(outcome.violation === undefined ? 0 : 1);
}

const started = performance.now();
const first = Number(values.first);
const end = first + Number(values.seeds);
const stopAtFirst = values['stop-at-first'];
const sum = { turns: 0, connections: 0, crashes: 0, cut: 0, putAside: 0, misheard: 0, events: 0 };
const failed: Pick<Outcome, 'seed' | 'violation'>[] = [];
let ran = 0;

function count(outcome: Outcome): void {
  ran += 1;
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key];
  if (outcome.violation !== undefined) failed.push(outcome);
}

/** Every so many-th seed, in this process. */
async function run(from: number, step: number): Promise<void> {
  for (let seed = from; seed < end && !(stopAtFirst && failed.length > 0); seed += step) {
    const outcome = await runSchedule({ seed, hours });
    if (isMainThread) count(outcome);
    else parentPort?.postMessage(outcome);
  }
}

if (!isMainThread) {
  const { from, step } = workerData as { readonly from: number; readonly step: number };
  await run(from, step);
  process.exit(0);
}
// To stop at the first one there is no use in looking at several at once.
const jobs = stopAtFirst ? 1 : Math.max(1, Number(values.jobs ?? availableParallelism()));
if (jobs === 1) await run(first, 1);
else {
  await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { from: first + job, step: jobs },
        argv: process.argv.slice(2),
      });
      worker.on('message', count);
      return new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      });
    }),
  );
  failed.sort((a, b) => a.seed - b.seed);
}
console.log(
  JSON.stringify({
    simulation: 'link',
    seeds: ran,
    hours,
    failed: failed.length,
    first: failed.slice(0, 10).map(({ seed, violation }) => ({ seed, violation })),
    ...sum,
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }),
);
process.exit(failed.length === 0 ? 0 : 1);
