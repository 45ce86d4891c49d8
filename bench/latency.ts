import { benchBursts } from './support/bursts.ts';
import { atLeast, atMost, note, printReport, rounded, percentile, spread } from './support/measure.ts';
import { cleanUp } from './support/processes.ts';
import { benchStartup } from './support/startup.ts';
import { benchTurns } from './support/turns.ts';

const TURNS = 500;
const STARTS = 25;
const DELTAS_PER_SECOND = 2_000;
const BURST_SECONDS = 10;
/** A rate counts as sustained when no more than this share is missing: clocks and the last delta's end are not exact. */
const SUSTAINED = 0.98;

try {
  note(`The host's start, ${STARTS} times…`);
  const { ready, bareNode } = await benchStartup(STARTS);
  note(`${TURNS} turns…`);
  const turns = await benchTurns(TURNS);
  note(`${DELTAS_PER_SECOND} deltas a second for ${BURST_SECONDS} s, to a client, to a page, and bare…`);
  const bursts = await benchBursts(DELTAS_PER_SECOND, BURST_SECONDS);

  const rate = Math.floor(DELTAS_PER_SECOND * SUSTAINED);
  printReport({
    bench: 'latency',
    sizes: { ...turns.sizes, ...bursts.sizes, starts: STARTS },
    figures: { ...turns.figures, ...bursts.figures, ...spread('ready', ready), ...spread('bare_node', bareNode) },
    goals: [
      atMost('added from send to first delta, p50, ms', 5, rounded(turns.addedP50)),
      atMost('added from send to first delta, p99, ms', 15, rounded(turns.addedP99)),
      atLeast('deltas a second to a client', rate, bursts.clientKeepsUp ? bursts.clientRate : null),
      atLeast('deltas a second to a page', rate, bursts.pageKeepsUp ? bursts.pageRate : null),
      atMost('host ready, p50, ms', 500, rounded(percentile(ready, 0.5))),
    ],
  });
} finally {
  await cleanUp();
}
