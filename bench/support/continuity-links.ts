import { connectClient, countsTo } from './continuity-client.ts';
import type { Outcome } from './continuity-client.ts';
import { pause } from './continuity-measure.ts';
import type { Child } from './continuity-processes.ts';
import { startCore } from './continuity-processes.ts';

export interface Links {
  readonly drops: number;
  /** Questions without a whole answer. */
  readonly lost: number;
  readonly liveAtTheEnd: number;
  /** Bytes a link: once all are live, and at the end, after their drops; with all garbage collected. */
  readonly liveRss: number;
  readonly liveHeap: number;
  readonly endRss: number;
  readonly endHeap: number;
  /** Milliseconds of processor time that a link takes in a minute with one drop and its whole answer. */
  readonly cpuMsPerLinkMinute: number;
  /** Share of one core that all of them take. */
  readonly coreShare: number;
}

interface Usage {
  readonly rss: number;
  readonly heap: number;
  readonly cpuMs: number;
}

const AT_ONCE = 16;
const MINUTE_MS = 60_000;
const COUNT = 40;

/** Many links in one process, each dropped in mid-answer once a minute, evenly over the minute. */
export async function measureLinks(
  provider: Child,
  links: number,
  minutes: number,
  progress: (line: string) => void,
): Promise<Links> {
  const core = await startCore(provider.url);
  const client = await connectClient(core.url);
  const use = () => core.ask<Usage>('usage');

  const makeLink = async () => {
    const { id } = await client.api.sessions.create({});
    await client.ask(id, 'Say hello to the keeper');
    return id;
  };
  // What the first ones bring along (code, pools, prepared statements) is the process's, not a link's.
  for (let one = 0; one < AT_ONCE; one += 1) await makeLink();
  const before = await use();
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (ids.length < links) {
        const at = ids.push('') - 1;
        ids[at] = await makeLink();
      }
    }),
  );
  const live = await use();
  progress(`${links} links are live`);

  const outcomes: Promise<Outcome>[] = [];
  const from = performance.now();
  for (let minute = 0; minute < minutes; minute += 1) {
    for (const [at, id] of ids.entries()) {
      const due = from + minute * MINUTE_MS + (at * MINUTE_MS) / links;
      const early = due - performance.now();
      if (early > 1) await pause(early);
      outcomes.push(client.ask(id, `Count to ${COUNT}`));
    }
    progress(`${outcomes.length} drops`);
  }
  const whole = await Promise.all(outcomes);
  const end = await use();
  const elapsedMs = performance.now() - from;

  let liveAtTheEnd = 0;
  for (const sessionId of ids) {
    if ((await client.api.sessions.get({ sessionId })).link.kind === 'live') liveAtTheEnd += 1;
  }
  client.close();
  await core.end();
  const cpuMs = end.cpuMs - live.cpuMs;
  return {
    drops: outcomes.length,
    lost: whole.filter(({ complete, text }) => !complete || !countsTo(text, COUNT)).length,
    liveAtTheEnd,
    liveRss: (live.rss - before.rss) / links,
    liveHeap: (live.heap - before.heap) / links,
    endRss: (end.rss - before.rss) / links,
    endHeap: (end.heap - before.heap) / links,
    cpuMsPerLinkMinute: cpuMs / links / (elapsedMs / MINUTE_MS),
    coreShare: cpuMs / elapsedMs,
  };
}
