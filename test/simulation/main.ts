import { parseArgs } from 'node:util';
import { runSchedule } from './schedule.ts';
import type { Outcome } from './schedule.ts';

/**
 * `npm run simulate -- --seeds 10000 --hours 24` runs so many schedules and prints one JSON line; `--seed N --trace`
 * replays one and prints each step. Exits with 1 when an invariant was broken.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    hours: { type: 'string', default: '24' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'stop-at-first': { type: 'boolean', default: false },
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
const failed: Outcome[] = [];
const sum = { turns: 0, connections: 0, crashes: 0, cut: 0, putAside: 0, misheard: 0, events: 0 };
let ran = 0;
for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
  const outcome = await runSchedule({ seed, hours });
  ran += 1;
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key];
  if (outcome.violation !== undefined) {
    failed.push(outcome);
    if (values['stop-at-first']) break;
  }
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
