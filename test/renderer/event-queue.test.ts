import { describe, expect, it } from 'vitest';
import type { CoreEvent } from '../../src/contract/index.ts';
import { createEventQueue } from '../../renderer/store/event-queue.ts';

function byHand() {
  const due = { frame: [] as (() => void)[], timer: [] as (() => void)[] };
  const at = (list: (() => void)[]) => (run: () => void) => {
    list.push(run);
    return () => {
      const place = list.indexOf(run);
      if (place >= 0) list.splice(place, 1);
    };
  };
  const fire = (list: (() => void)[]) => {
    for (const run of list.splice(0)) run();
  };
  const frame = at(due.frame);
  const timer = at(due.timer);
  return {
    due,
    clock: { nextFrame: frame, after: (_ms: number, run: () => void) => timer(run) },
    frame: () => fire(due.frame),
    timer: () => fire(due.timer),
  };
}

const event = (sessionId: string): CoreEvent => ({ type: 'session.deleted', sessionId });

describe('the event queue', () => {
  it('hands over once a frame what came since the last, in order', () => {
    const time = byHand();
    const batches: string[][] = [];
    const queue = createEventQueue((events) => batches.push(events.map((one) => JSON.stringify(one))), time.clock);
    queue.push(event('1'));
    queue.push(event('2'));
    expect(batches).toEqual([]);
    time.frame();
    queue.push(event('3'));
    time.frame();
    time.frame();
    expect(batches).toEqual([[event('1'), event('2')].map((one) => JSON.stringify(one)), [JSON.stringify(event('3'))]]);
  });

  it('goes on by a timer where no frame comes, and then not once more with the frame', () => {
    const time = byHand();
    let batches = 0;
    const queue = createEventQueue(() => (batches += 1), time.clock);
    queue.push(event('1'));
    time.timer();
    time.frame();
    expect(batches).toBe(1);
    expect(time.due).toEqual({ frame: [], timer: [] });
  });

  it('does not grow without bound while neither comes', () => {
    const time = byHand();
    const sizes: number[] = [];
    const queue = createEventQueue((events) => sizes.push(events.length), time.clock);
    for (let at = 0; at < 10_000; at += 1) queue.push(event(String(at)));
    expect(sizes).toEqual([4_096, 4_096]);
  });

  it('applies nothing after it was stopped', () => {
    const time = byHand();
    let batches = 0;
    const queue = createEventQueue(() => (batches += 1), time.clock);
    queue.push(event('1'));
    queue.stop();
    time.frame();
    time.timer();
    expect(batches).toBe(0);
  });
});
