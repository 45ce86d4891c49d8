import type { CoreEvent } from '../../src/contract/index.ts';

/** When no frame comes (a hidden window), events are applied this long after the first that waits. */
const HIDDEN_FLUSH_MS = 100;
/** A hidden window's timers may run once a minute; the queue is emptied at this length at the latest. */
const QUEUE_MAX = 4_096;

/** Where the queue gets its rhythm from. Each returns its undo. */
export interface FlushClock {
  nextFrame(run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
}

export const windowClock: FlushClock = {
  nextFrame(run) {
    const id = requestAnimationFrame(run);
    return () => cancelAnimationFrame(id);
  },
  after(ms, run) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

export interface EventQueue {
  push(event: CoreEvent): void;
  /** Applies at once what waits. */
  flush(): void;
  stop(): void;
}

/** Gathers events and hands them over in order, at most once a frame. */
export function createEventQueue(apply: (events: readonly CoreEvent[]) => void, clock: FlushClock): EventQueue {
  let waiting: CoreEvent[] = [];
  let undo: (() => void) | undefined;

  const flush = () => {
    undo?.();
    undo = undefined;
    if (waiting.length === 0) return;
    const events = waiting;
    waiting = [];
    apply(events);
  };

  return {
    push(event) {
      waiting.push(event);
      if (waiting.length >= QUEUE_MAX) {
        flush();
        return;
      }
      if (undo !== undefined) return;
      const undoFrame = clock.nextFrame(flush);
      const undoTimer = clock.after(HIDDEN_FLUSH_MS, flush);
      undo = () => {
        undoFrame();
        undoTimer();
      };
    },
    flush,
    stop() {
      undo?.();
      undo = undefined;
      waiting = [];
    },
  };
}
