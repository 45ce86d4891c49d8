/** A small, fast generator with a 32-bit seed (mulberry32): the same seed gives the same schedule everywhere. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const between = (random: Random, low: number, high: number) => low + random() * (high - low);
export const exponential = (random: Random, mean: number) => -Math.log(1 - random()) * mean;
export const oneOf = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

/** So many events at one moment are a loop, not a schedule. */
const STILL_MAX = 100_000;

interface Item {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Nothing here waits for the real world: whatever promises lead to is over before the next macrotask. */
const promisesKept = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Virtual time: what is due is done in the order of its time, and nothing else makes time pass. */
export interface VirtualTime {
  now(): number;
  after(ms: number, run: () => void): () => void;
  /** Runs everything that is due until `end`, with all that follows from it, calling `each` after every event. */
  runUntil(end: number, each: () => void): Promise<void>;
  readonly events: number;
}

export function virtualTime(start: number): VirtualTime {
  const heap: Item[] = [];
  let now = start;
  let order = 0;
  let events = 0;
  let still = 0;

  const before = (a: Item, b: Item) => a.at < b.at || (a.at === b.at && a.order < b.order);
  function push(item: Item): void {
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }
  function pop(): Item | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      let least = at;
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
      if (left + 1 < heap.length && before(heap[left + 1]!, heap[least]!)) least = left + 1;
      if (least === at) return top;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }

  return {
    now: () => now,
    get events() {
      return events;
    },
    after(ms, run) {
      // Whole milliseconds: sums of fractions drift past one another.
      const item: Item = { at: now + Math.max(0, Math.ceil(ms)), order: (order += 1), run };
      push(item);
      return () => {
        item.run = undefined;
      };
    },
    async runUntil(end, each) {
      await promisesKept();
      while (heap.length > 0 && heap[0]!.at <= end) {
        const item = pop()!;
        if (item.run === undefined) continue;
        still = item.at === now ? still + 1 : 0;
        if (still > STILL_MAX) throw new Error(`Time stands still at ${now}: ${String(item.run)}`);
        now = item.at;
        events += 1;
        item.run();
        await promisesKept();
        each();
      }
      now = end;
    },
  };
}
