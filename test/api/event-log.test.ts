import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getEventMeta } from '@orpc/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventLog } from '../../src/api/index.ts';
import type { EventLog } from '../../src/api/index.ts';
import { STREAM_WINDOW } from '../../src/contract/index.ts';
import type { CoreEvent } from '../../src/contract/index.ts';

const eventNumber = (n: number): CoreEvent => ({ type: 'session.deleted', sessionId: String(n) });
const numberOf = (event: CoreEvent): number | undefined =>
  event.type === 'session.deleted' ? Number(event.sessionId) : undefined;

interface Got {
  readonly event: CoreEvent;
  readonly id: string;
}

/** A client's end of a stream that can tell whether anything is to be had without waiting for it. */
function reader(log: EventLog, streamId: string, lastEventId?: string) {
  const abort = new AbortController();
  const stream = log.follow(streamId, lastEventId, abort.signal);
  let waiting: Promise<IteratorResult<CoreEvent>> | undefined;
  return {
    /** The next event; `undefined` when there is none now, `null` when the stream has ended. */
    async next(): Promise<Got | null | undefined> {
      waiting ??= stream.next();
      // A stream has nothing to wait for but the log: after a turn of the loop it has given what it can.
      const settled = await Promise.race([
        waiting,
        new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
      ]);
      if (settled === undefined) return undefined;
      waiting = undefined;
      if (settled.done === true) return null;
      return { event: settled.value, id: getEventMeta(settled.value)!.id! };
    },
    async leave(): Promise<void> {
      abort.abort();
      await waiting;
      await stream.return(undefined);
    },
  };
}

type Step =
  | { readonly do: 'publish'; readonly count: number }
  | { readonly do: 'read'; readonly count: number }
  | { readonly do: 'ack'; readonly lag: number }
  | { readonly do: 'reconnect'; readonly forgets: boolean };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('ack' as const), lag: fc.integer({ min: 0, max: 10 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), forgets: fc.boolean() }) },
  ),
  { maxLength: 40 },
);

describe('a client of the event log', () => {
  it('sees every event once and in order, or is told that it missed some, wherever it drops and resumes', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 60 }), async (script: readonly Step[], heldEvents) => {
        const log = createEventLog({ run: 'r', heldEvents });
        let published = 0;
        let stream = reader(log, 's0');
        let connections = 1;
        /** The newest event that the client has, or stands for; `undefined` before its first reset. */
        let at: number | undefined;
        let seen: string[] = [];
        let lastId: string | undefined;

        const take = async (): Promise<boolean> => {
          const got = await stream.next();
          if (got === null) expect.fail('The stream ended by itself');
          if (got === undefined) return false;
          lastId = got.id;
          seen.push(got.id);
          if (got.event.type === 'reset') {
            // From here on the client fetches what it shows: it stands where the log stands.
            at = published;
            return true;
          }
          expect(at).toBeDefined();
          expect(numberOf(got.event)).toBe(at! + 1);
          at = at! + 1;
          return true;
        };

        for (const step of script) {
          switch (step.do) {
            case 'publish':
              for (let n = 0; n < step.count; n += 1) log.publish(eventNumber((published += 1)));
              break;
            case 'read':
              for (let n = 0; n < step.count && (await take()); n += 1);
              break;
            case 'ack': {
              const id = seen.at(-1 - step.lag);
              if (id !== undefined) log.ack(`s${connections - 1}`, id);
              break;
            }
            case 'reconnect':
              await stream.leave();
              if (step.forgets) [lastId, at] = [undefined, undefined];
              seen = [];
              stream = reader(log, `s${connections}`, lastId);
              connections += 1;
          }
        }
        // Whoever reads and acknowledges to the end is up to date.
        while (await take()) log.ack(`s${connections - 1}`, lastId!);
        expect(at).toBe(published);
        await stream.leave();
        log.close();
      }),
      { numRuns: 150 },
    );
  });

  it('never has more than the window beyond what it acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: STREAM_WINDOW }), { maxLength: 4 }), async (acks) => {
        const log = createEventLog({ run: 'r' });
        const stream = reader(log, 's');
        expect((await stream.next())?.event.type).toBe('reset');
        for (let n = 1; n <= STREAM_WINDOW * 6; n += 1) log.publish(eventNumber(n));
        let acked = 0;
        let read = 0;
        for (const step of [0, ...acks]) {
          acked = Math.max(acked, Math.min(read, acked + step));
          log.ack('s', `r.${acked}`);
          while ((await stream.next()) !== undefined) read += 1;
          expect(read).toBe(Math.min(STREAM_WINDOW * 6, acked + STREAM_WINDOW));
        }
        await stream.leave();
      }),
      { numRuns: 20 },
    );
  });

  it('that resumes goes on after its last event; one from another run or with a made-up id begins anew', async () => {
    const log = createEventLog({ run: 'this' });
    for (let n = 1; n <= 5; n += 1) log.publish(eventNumber(n));
    const first = async (lastEventId: string | undefined) => {
      const stream = reader(log, 's', lastEventId);
      const got = await stream.next();
      await stream.leave();
      return got?.event.type === 'reset' ? 'reset' : got && numberOf(got.event);
    };
    expect(await first('this.3')).toBe(4);
    expect(await first('this.0')).toBe(1);
    expect(await first('this.5')).toBeUndefined();
    for (const id of ['this.6', 'this.-1', 'this.1.5', 'this.NaN', 'this.1e400', 'this', 'other.3', '', undefined]) {
      expect([id, await first(id)]).toEqual([id, 'reset']);
    }
  });

  it('of the same name takes the place of the one before, which ends', async () => {
    const log = createEventLog({ run: 'r' });
    const old = reader(log, 'same');
    expect((await old.next())?.event.type).toBe('reset');
    expect(await old.next()).toBeUndefined();
    const fresh = reader(log, 'same');
    expect((await fresh.next())?.event.type).toBe('reset');
    expect(await old.next()).toBeNull();
    log.publish(eventNumber(1));
    expect(numberOf((await fresh.next())!.event)).toBe(1);
    await fresh.leave();
  });

  it('cannot be moved by acknowledgements that make no sense', async () => {
    const log = createEventLog({ run: 'r' });
    const stream = reader(log, 's');
    await stream.next();
    for (let n = 1; n <= STREAM_WINDOW * 2; n += 1) log.publish(eventNumber(n));
    for (const id of ['', 'r', 'r.', 'r.x', 'r.-5', 'r.1e9', `r.${STREAM_WINDOW * 3}`, 'other.9']) log.ack('s', id);
    log.ack('nobody', 'r.1');
    let read = 0;
    while ((await stream.next()) !== undefined) read += 1;
    expect(read).toBe(STREAM_WINDOW);
    await stream.leave();
  });

  it('is let go when it leaves, and all are when the log is closed', async () => {
    const log = createEventLog({ run: 'r' });
    const streams = Array.from({ length: 50 }, (_, n) => reader(log, `s${n}`));
    for (const stream of streams) expect((await stream.next())?.event.type).toBe('reset');
    await streams[0]!.leave();
    log.publish(eventNumber(1));
    for (const stream of streams.slice(1)) expect(numberOf((await stream.next())!.event)).toBe(1);
    log.close();
    for (const stream of streams.slice(1)) expect(await stream.next()).toBeNull();
    log.publish(eventNumber(2));
    expect(await reader(log, 'late').next()).toBeNull();
  });
});

describe('what the event log holds', () => {
  const delta = (text: string): CoreEvent => ({
    type: 'turn.delta',
    delta: { sessionId: 's', turnId: 't', part: 0, kind: 'text', offset: 0, text },
  });

  it('is bounded by the text in it as well as by the number of events', async () => {
    const log = createEventLog({ run: 'r', heldEvents: 1_000, heldChars: 10_000 });
    const first = reader(log, 's');
    await first.next();
    for (let n = 0; n < 100; n += 1) log.publish(delta('x'.repeat(1_000)));
    expect((await first.next())?.event.type).toBe('reset');
    const held = reader(log, 't', 'r.95');
    expect((await held.next())?.event.type).toBe('turn.delta');
    // One event alone may be larger than the bound: it is held until the next.
    log.publish(delta('x'.repeat(50_000)));
    const last = reader(log, 'u', 'r.100');
    expect((await last.next())?.event.type).toBe('turn.delta');
    await Promise.all([first.leave(), held.leave(), last.leave()]);
  });

  it('is given back to the memory', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const log = createEventLog({ run: 'r', heldChars: 1_000_000 });
    const used = async () => {
      // Buffers are given back a turn of the loop after they are found to be unused.
      for (let round = 0; round < 5; round += 1) {
        collect();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return process.memoryUsage().heapUsed + process.memoryUsage().external;
    };
    const before = await used();
    for (let n = 0; n < 2_000; n += 1) log.publish(delta(Buffer.alloc(100_000, 'x').toString('latin1')));
    expect((await used()) - before).toBeLessThan(30_000_000);
    log.close();
  });
});
