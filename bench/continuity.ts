import { parseArgs } from 'node:util';
import { measureDrops } from './support/continuity-drops.ts';
import { measureLinks } from './support/continuity-links.ts';
import { quantile, removeFolders, rounded, spread } from './support/continuity-measure.ts';
import { endChildren, startProvider } from './support/continuity-processes.ts';

const { values } = parseArgs({
  options: {
    drops: { type: 'string', default: '500' },
    links: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '2' },
  },
});
const drops = Number(values.drops);
const links = Number(values.links);
const minutes = Number(values.minutes);

const GAP_GOAL_MS = 60;
const LINK_GOAL_KB = 150;
const KB = 1_024;

const note = (line: string) => process.stderr.write(`${line}\n`);
const goal = (name: string, limit: string, value: number, met: boolean) => ({ name, goal: limit, value, met });

try {
  const provider = await startProvider();
  note(`${drops} drops, ours and a naive SDK client's in turn…`);
  const gaps = await measureDrops(provider, drops, (done) => note(`${done} drops`));
  await provider.end();

  note(`${links} links, each dropped once a minute for ${minutes} minutes…`);
  const farProvider = await startProvider();
  const many = await measureLinks(farProvider, links, minutes, note);
  await farProvider.end();

  // Pair by pair, so that a moment in which the machine was busy with something else hits both sides.
  const worse = gaps.ours.map((gap, at) => gap - gaps.dials[at]!);
  const allowed = gaps.roundTrips.map((roundTrip, at) => roundTrip + gaps.writes[at]!);
  const over = worse.map((ms, at) => ms - allowed[at]!);
  const p50 = quantile(gaps.ours, 0.5);
  const overP50 = quantile(over, 0.5);
  const endRssKb = rounded(many.endRss / KB);
  process.stdout.write(
    `${JSON.stringify({
      bench: 'continuity',
      sizes: { drops, links, minutes, link_drops: many.drops },
      figures: {
        ...spread('gap', gaps.ours),
        ...spread('naive_sdk_gap', gaps.naive),
        ...spread('bare_dial', gaps.dials),
        ...spread('round_trip', gaps.roundTrips),
        ...spread('file_write', gaps.writes),
        ...spread('worse_than_bare_dial', worse),
        ...spread('allowed', allowed),
        turns_lost: gaps.oursLost,
        naive_sdk_turns_lost: gaps.naiveLost,
        links_turns_lost: many.lost,
        links_live_at_end: many.liveAtTheEnd,
        link_live_rss_kb: rounded(many.liveRss / KB),
        link_live_heap_after_gc_kb: rounded(many.liveHeap / KB),
        link_end_rss_kb: endRssKb,
        link_end_heap_after_gc_kb: rounded(many.endHeap / KB),
        link_cpu_ms_a_minute: rounded(many.cpuMsPerLinkMinute),
        links_share_of_a_core: rounded(many.coreShare),
      },
      goals: [
        goal('gap, p50, ms', `< ${GAP_GOAL_MS}`, p50, p50 < GAP_GOAL_MS),
        goal('gap beyond bare dial + round trip + file write, p50, ms', '<= 0', overP50, overP50 <= 0),
        goal(
          'gap beyond bare dial + round trip + file write, p99, ms',
          '<= 0',
          quantile(over, 0.99),
          quantile(over, 0.99) <= 0,
        ),
        goal('turns lost in drops', '0', gaps.oursLost, gaps.oursLost === 0),
        goal('turns lost over all links', '0', many.lost, many.lost === 0),
        goal(
          'memory a link at the end, RSS after collection, KB',
          `< ${LINK_GOAL_KB}`,
          endRssKb,
          endRssKb < LINK_GOAL_KB,
        ),
      ],
    })}\n`,
  );
} finally {
  await endChildren();
  removeFolders();
}
