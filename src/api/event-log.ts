import { withEventMeta } from '@orpc/server';
import { STREAM_WINDOW } from '../contract/index.ts';
import type { CoreEvent } from '../contract/index.ts';

/** How many events, and how much text in them, are held for clients that lag or come back. */
const HELD_EVENTS = 20_000;
const HELD_CHARS = 16_000_000;
/** A rough size of an event beside the text that it carries. */
const EVENT_OVERHEAD_CHARS = 300;

interface Held {
  readonly seq: number;
  readonly event: CoreEvent;
  readonly chars: number;
}

interface Stream {
  acked: number;
  wake: () => void;
}

/** What changes in the core, numbered and held for a while, so that every client can follow at its own pace. */
export interface EventLog {
  publish(event: CoreEvent): void;
  /**
   * The events after `lastEventId`, then those to come, until `signal` aborts. At most `STREAM_WINDOW` are sent beyond
   * the last acknowledged one; a client for whom events have been dropped gets one `reset` and goes on from the newest.
   * Holds nothing per client but two numbers.
   */
  follow(streamId: string, lastEventId: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<CoreEvent>;
  ack(streamId: string, eventId: string): void;
  /** Ends all streams. */
  close(): void;
}

export interface EventLogOptions {
  /** Tells this run of the core from others: an id of another run resumes nothing. */
  readonly run: string;
  readonly heldEvents?: number;
  readonly heldChars?: number;
}

export function createEventLog({ run, heldEvents = HELD_EVENTS, heldChars = HELD_CHARS }: EventLogOptions): EventLog {
  /** Oldest first from `first` on; the slots before it are free and are compacted now and then. */
  let held: Held[] = [];
  let first = 0;
  let chars = 0;
  let newest = 0;
  let closed = false;
  const streams = new Map<string, Stream>();

  const idOf = (seq: number) => `${run}.${seq}`;

  function seqOf(eventId: string | undefined): number | undefined {
    if (eventId === undefined || !eventId.startsWith(`${run}.`)) return undefined;
    const seq = Number(eventId.slice(run.length + 1));
    return Number.isSafeInteger(seq) && seq >= 0 && seq <= newest ? seq : undefined;
  }

  const oldest = () => held[first]?.seq ?? newest + 1;

  function wakeAll(): void {
    for (const stream of streams.values()) stream.wake();
  }

  return {
    publish(event) {
      if (closed) return;
      newest += 1;
      const size = EVENT_OVERHEAD_CHARS + textLength(event);
      held.push({ seq: newest, event, chars: size });
      chars += size;
      while (held.length - first > heldEvents || (chars > heldChars && held.length - first > 1)) {
        chars -= held[first]!.chars;
        first += 1;
      }
      // What is no longer held is let go of soon, and not at the cost of a copy each time.
      if (first * 2 > held.length) {
        held = held.slice(first);
        first = 0;
      }
      wakeAll();
    },

    async *follow(streamId, lastEventId, signal) {
      const resumed = seqOf(lastEventId);
      let at = resumed ?? newest;
      let reset = resumed === undefined;
      const stream: Stream = { acked: at, wake: () => undefined };
      streams.get(streamId)?.wake();
      streams.set(streamId, stream);
      const onAbort = () => stream.wake();
      signal?.addEventListener('abort', onAbort);
      try {
        while (!closed && signal?.aborted !== true && streams.get(streamId) === stream) {
          if (reset || at + 1 < oldest()) {
            reset = false;
            at = newest;
            stream.acked = at;
            yield withEventMeta({ type: 'reset' as const }, { id: idOf(at) });
          } else if (at < newest && at - stream.acked < STREAM_WINDOW) {
            const next = held[first + (at + 1 - oldest())]!;
            at = next.seq;
            yield withEventMeta({ ...next.event }, { id: idOf(at) });
          } else {
            await new Promise<void>((resolve) => (stream.wake = resolve));
          }
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        if (streams.get(streamId) === stream) streams.delete(streamId);
      }
    },

    ack(streamId, eventId) {
      const stream = streams.get(streamId);
      const seq = seqOf(eventId);
      if (stream === undefined || seq === undefined || seq <= stream.acked) return;
      stream.acked = seq;
      stream.wake();
    },

    close() {
      closed = true;
      wakeAll();
    },
  };
}

function textLength(event: CoreEvent): number {
  if (event.type === 'turn.delta') return event.delta.text.length;
  if (event.type !== 'turn.changed') return 0;
  return event.turn.parts.reduce((sum, part) => sum + ('text' in part ? part.text.length : EVENT_OVERHEAD_CHARS), 0);
}
