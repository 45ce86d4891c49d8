import { bareDial, naiveDrop } from './continuity-bare.ts';
import { connectClient, countsTo } from './continuity-client.ts';
import { fileWrites } from './continuity-measure.ts';
import type { Child } from './continuity-processes.ts';
import { startCore } from './continuity-processes.ts';

export interface Drops {
  /** Milliseconds from the server's last delta, as the server has it, to live again, as a client of each is told. */
  readonly ours: readonly number[];
  readonly naive: readonly number[];
  readonly oursLost: number;
  readonly naiveLost: number;
  /** How the two sides of the goal came about: what a bare dial, a round trip and a file write cost then. */
  readonly dials: readonly number[];
  readonly roundTrips: readonly number[];
  readonly writes: readonly number[];
}

const WARM_UP_DROPS = 20;
const WARM_UP = 'Say hello to the keeper';
const COUNT = 60;
const QUESTION = `Count to ${COUNT}`;

/** Drops a connection in mid-answer, ours and the naive client's in turn, with the bare measures in between. */
export async function measureDrops(provider: Child, drops: number, progress: (done: number) => void): Promise<Drops> {
  const core = await startCore(provider.url);
  const client = await connectClient(core.url);
  const disk = await fileWrites();
  const ours: number[] = [];
  const naive: number[] = [];
  const dials: number[] = [];
  const roundTrips: number[] = [];
  const writes: number[] = [];
  let oursLost = 0;
  let naiveLost = 0;
  const droppedAt = async () => (await provider.ask<{ droppedAt: number }>('last-drop')).droppedAt;

  for (let drop = -WARM_UP_DROPS; drop < drops; drop += 1) {
    const { id } = await client.api.sessions.create({});
    await client.ask(id, WARM_UP);
    const liveAgain = client.liveAgain(id);
    const { complete, text } = await client.ask(id, QUESTION);
    const ourGap = (await liveAgain) - (await droppedAt());
    await client.api.sessions.close({ sessionId: id });

    const other = await naiveDrop(provider.url, WARM_UP, QUESTION);
    const theirGap = other.liveAt - (await droppedAt());

    const { dialMs, roundTripMs } = await bareDial(provider.url);
    const writeMs = await disk.measure();
    if (drop < 0) continue;
    ours.push(ourGap);
    naive.push(theirGap);
    if (!complete || !countsTo(text, COUNT)) oursLost += 1;
    if (!countsTo(other.text, COUNT)) naiveLost += 1;
    dials.push(dialMs);
    roundTrips.push(roundTripMs);
    writes.push(writeMs);
    if ((drop + 1) % 100 === 0) progress(drop + 1);
  }
  client.close();
  await disk.close();
  await core.end();
  return { ours, naive, oursLost, naiveLost, dials, roundTrips, writes };
}
