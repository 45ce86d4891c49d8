import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/live/index.ts';
import { openLiveSessions, SEAL_KEY_BYTES } from '../../src/sessions/live-sessions.ts';
import type { LiveSessionEvent, LiveSessions, Seal, StoredRung } from '../../src/sessions/live-sessions.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const INACTIVITY_MS = 30 * MINUTE;

/** A clock that goes when it is told to. */
function handClock() {
  let now = START;
  const due = new Map<object, { readonly at: number; readonly run: () => void }>();
  const clock: Clock = {
    now: () => now,
    after(ms, run) {
      const key = {};
      due.set(key, { at: now + ms, run });
      return () => void due.delete(key);
    },
  };
  return {
    clock,
    get waiting() {
      return due.size;
    },
    pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const next = [...due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (next === undefined) break;
        due.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].run();
      }
      now = end;
    },
  };
}

/** A file in memory that keeps JSON as a real one does; `fault` says how its next writes go wrong. */
function memoryFile(initial: Record<string, unknown> = {}) {
  let text = JSON.stringify(initial);
  let writes = 0;
  let fault: 'throws' | 'truncates' | undefined;
  return {
    path: '/data/live-state.json',
    get store(): Record<string, unknown> {
      return JSON.parse(text) as Record<string, unknown>;
    },
    set store(next) {
      if (fault === 'throws') throw Object.assign(new Error('No space'), { code: 'ENOSPC' });
      writes += 1;
      // The first write is lost in part; putting the old content back works, as it needs no more room than it had.
      if (fault === 'truncates') {
        fault = undefined;
        text = '{}';
        return;
      }
      text = JSON.stringify(next);
    },
    get text() {
      return text;
    },
    get writes() {
      return writes;
    },
    fails(how: typeof fault) {
      fault = how;
    },
  };
}

type MemoryFile = ReturnType<typeof memoryFile>;

interface World {
  readonly live: LiveSessions;
  readonly events: (readonly [LiveSessionEvent, string])[];
  readonly errors: unknown[];
  readonly foreign: number[];
}

function open(
  file: MemoryFile,
  time: ReturnType<typeof handClock>,
  seal?: Seal,
  timeoutMs = () => INACTIVITY_MS,
): World {
  const events: (readonly [LiveSessionEvent, string])[] = [];
  const errors: unknown[] = [];
  const foreign: number[] = [];
  const live = openLiveSessions({
    file,
    clock: time.clock,
    timeoutMs,
    seal,
    on: (event, id) => events.push([event, id]),
    foreign: (count) => foreign.push(count),
    persistFailed: (error) => errors.push(error),
  });
  return { live, events, errors, foreign };
}

const rung = (handle: string, change: Partial<StoredRung> = {}): StoredRung => ({
  handle,
  model: 'gemini-3.8-live',
  at: START,
  after: 'q1',
  pending: undefined,
  summarised: false,
  covers: 2,
  seq: 7,
  ...change,
});
const key = (): Seal => ({ key: randomBytes(SEAL_KEY_BYTES) });

describe('a live session', () => {
  it('is created, changed, refreshed and ended, and each of these is told', () => {
    const time = handClock();
    const { live, events } = open(memoryFile(), time);
    expect(live.getSession('a')).toBeUndefined();
    expect(live.isActive('a')).toBe(false);
    const created = live.createSession('a');
    expect(created).toEqual({ createdAt: START, lastActivityAt: START, ladder: [], tokens: undefined, epoch: 0 });
    live.updateState('a', { ladder: [rung('h1')], epoch: 3 });
    expect(live.getSession('a')).toMatchObject({ ladder: [{ handle: 'h1' }], epoch: 3 });
    time.pass(10 * MINUTE);
    live.refresh('a');
    expect(live.getSession('a')).toMatchObject({ createdAt: START, lastActivityAt: START + 10 * MINUTE, epoch: 3 });
    expect(live.active()).toEqual(['a']);
    live.end('a');
    expect(live.getSession('a')).toBeUndefined();
    live.end('a');
    expect(events).toEqual([
      ['created', 'a'],
      ['updated', 'a'],
      ['refreshed', 'a'],
      ['ended', 'a'],
    ]);
  });

  it('is active for half an hour after the last that was said, to the millisecond', () => {
    const time = handClock();
    const { live } = open(memoryFile(), time);
    live.createSession('a');
    time.pass(29 * MINUTE);
    live.refresh('a');
    time.pass(30 * MINUTE);
    expect(live.isActive('a')).toBe(true);
    time.pass(1);
    expect(live.isActive('a')).toBe(false);
  });

  it('expires after as long as the host wants', () => {
    const time = handClock();
    const { live } = open(memoryFile(), time, undefined, () => 5 * MINUTE);
    live.createSession('a');
    time.pass(5 * MINUTE + 1);
    expect(live.isActive('a')).toBe(false);
  });

  it('comes into being when something is said in it', () => {
    const { live, events } = open(memoryFile(), handClock());
    live.refresh('a');
    expect(live.isActive('a')).toBe(true);
    expect(events.map(([event]) => event)).toEqual(['created', 'refreshed']);
  });

  it('is not made by a change that comes too late', () => {
    const { live, events } = open(memoryFile(), handClock());
    live.updateState('gone', { epoch: 1 });
    expect(live.getSession('gone')).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('that has expired is not restored, and the numbers of its connections go on', () => {
    const time = handClock();
    const { live, events } = open(memoryFile(), time);
    live.createSession('a');
    live.updateState('a', { ladder: [rung('h1')], epoch: 8 });
    // Half an hour is over, and the next sweep is still to come.
    time.pass(30 * MINUTE + 30_000);
    expect(live.getSession('a')).toBeDefined();
    expect(live.restore('a')).toMatchObject({ how: 'expired', session: { ladder: [], tokens: undefined, epoch: 8 } });
    expect(events).toContainEqual(['expired', 'a']);
  });

  it('is restored while it is active; one that is not known is begun', () => {
    const { live, events } = open(memoryFile(), handClock());
    live.createSession('a');
    live.updateState('a', { ladder: [rung('h1')] });
    expect(live.restore('a')).toMatchObject({ how: 'restored', session: { ladder: [{ handle: 'h1' }] } });
    expect(live.restore('b')).toMatchObject({ how: 'created', session: { ladder: [] } });
    expect(events.slice(2)).toEqual([
      ['restored', 'a'],
      ['created', 'b'],
    ]);
  });

  it('whose time lies far in the future, since the clock was set back, has expired', () => {
    const time = handClock();
    const file = memoryFile();
    const first = open(file, time);
    first.live.createSession('a');
    first.live.persist();
    first.live.close();
    const earlier: Clock = { now: () => START - 60 * MINUTE, after: () => () => undefined };
    const events: string[] = [];
    openLiveSessions({
      file,
      clock: earlier,
      timeoutMs: () => INACTIVITY_MS,
      seal: undefined,
      on: (event, id) => events.push(`${event} ${id}`),
      foreign: () => expect.fail('It is ours'),
      persistFailed: () => expect.fail('It can be written'),
    });
    expect(events).toEqual(['expired a']);
  });
});

describe('the sweep', () => {
  it('tells whoever uses a session that it has expired, and leaves one alone that is busy', () => {
    const time = handClock();
    const { live, events } = open(memoryFile(), time);
    const told: string[] = [];
    const busy = new Set(['b']);
    live.watch({ busy: (id) => busy.has(id), expired: (id) => told.push(id) });
    live.createSession('a');
    live.createSession('b');
    time.pass(32 * MINUTE);
    expect(told).toEqual(['a']);
    expect(live.isActive('b')).toBe(true);
    // Once it is silent its time starts.
    busy.clear();
    time.pass(29 * MINUTE);
    expect(live.active()).toEqual(['b']);
    time.pass(3 * MINUTE);
    expect(told).toEqual(['a', 'b']);
    expect(events.filter(([event]) => event === 'expired')).toEqual([
      ['expired', 'a'],
      ['expired', 'b'],
    ]);
  });

  it('goes by the time that is set now', () => {
    const time = handClock();
    let minutes = 60;
    const { live } = open(memoryFile(), time, undefined, () => minutes * MINUTE);
    live.createSession('a');
    time.pass(45 * MINUTE);
    expect(live.isActive('a')).toBe(true);
    minutes = 30;
    time.pass(2 * MINUTE);
    expect(live.isActive('a')).toBe(false);
    expect(live.getSession('a')).toBeUndefined();
  });

  it('removes what has expired each minute, from the file too', () => {
    const time = handClock();
    const file = memoryFile();
    const { live, events } = open(file, time);
    live.createSession('a');
    time.pass(20 * MINUTE);
    live.createSession('b');
    time.pass(12 * MINUTE);
    expect(events.filter(([event]) => event === 'expired')).toEqual([['expired', 'a']]);
    expect(live.active()).toEqual(['b']);
    expect(Object.keys(file.store)).toEqual(['b']);
  });

  it('is made at the start', () => {
    const time = handClock();
    const file = memoryFile();
    const first = open(file, time);
    first.live.createSession('old');
    first.live.close();
    time.pass(31 * MINUTE);
    const second = open(file, time);
    expect(second.events).toEqual([['expired', 'old']]);
    expect(second.live.getSession('old')).toBeUndefined();
    second.live.persist();
    expect(file.store).toEqual({});
  });

  it('ends when it is closed', () => {
    const time = handClock();
    const { live } = open(memoryFile(), time);
    live.createSession('a');
    live.close();
    expect(time.waiting).toBe(0);
  });
});

describe('what is kept in the file', () => {
  it('is there for the next run, word for word', () => {
    const time = handClock();
    const file = memoryFile();
    const first = open(file, time);
    first.live.createSession('a');
    const ladder = [rung('h2', { after: undefined, pending: 'q3', summarised: true }), rung('h1')];
    first.live.updateState('a', { ladder, tokens: { base: 10, last: 400 }, epoch: 5 });
    first.live.close();
    const second = open(file, time);
    expect(second.live.getSession('a')).toEqual(first.live.getSession('a'));
    expect(second.live.getSession('a')?.ladder).toEqual(ladder);
  });

  it('of somebody else is told before it is written anew', () => {
    const { foreign, live } = open(memoryFile({ a: 1, b: [2] }), handClock());
    expect(foreign).toEqual([2]);
    expect(live.active()).toEqual([]);
    expect(open(memoryFile(), handClock()).foreign).toEqual([]);
  });

  it('is written once for changes that come together', () => {
    const time = handClock();
    const file = memoryFile();
    const { live } = open(file, time);
    live.createSession('a');
    for (let epoch = 1; epoch <= 50; epoch += 1) live.updateState('a', { epoch });
    expect(file.writes).toBe(0);
    time.pass(100);
    expect(file.writes).toBe(1);
    expect(file.store['a']).toMatchObject({ epoch: 50 });
  });

  it.each([
    ['null', null],
    ['a number', 7],
    ['an empty object', {}],
    ['a ladder that is none', { createdAt: 1, lastActivityAt: START, ladder: 'h', epoch: 1 }],
    ['a rung without a handle', { createdAt: 1, lastActivityAt: START, ladder: [{ model: 'm' }], epoch: 1 }],
    ['a fraction for an epoch', { createdAt: 1, lastActivityAt: START, ladder: [], epoch: 1.5 }],
  ])('%s is left out, and its neighbours are not', (_name, entry) => {
    const time = handClock();
    const good = { createdAt: START, lastActivityAt: START, ladder: [rung('h1')], epoch: 2 };
    const { live } = open(memoryFile({ bad: entry, good }), time);
    expect(live.getSession('bad')).toBeUndefined();
    expect(live.getSession('good')?.ladder).toEqual([rung('h1')]);
    expect(live.restore('bad').how).toBe('created');
  });

  it.each(['throws', 'truncates'] as const)(
    'stays as it was when a write %s, which is told, and is tried again',
    (how) => {
      const time = handClock();
      const file = memoryFile();
      const { live, errors } = open(file, time);
      live.createSession('a');
      live.persist();
      const before = file.text;
      file.fails(how);
      live.updateState('a', { epoch: 9 });
      live.persist();
      expect(errors).toMatchObject([{ code: 'ENOSPC' }]);
      expect(file.text).toBe(before);
      // Nothing of it is forgotten in memory, and the next change takes it along.
      expect(live.getSession('a')?.epoch).toBe(9);
      file.fails(undefined);
      live.refresh('a');
      time.pass(100);
      expect(file.store['a']).toMatchObject({ epoch: 9 });
    },
  );

  it('that could not be written when it was closed is told, not thrown', () => {
    const file = memoryFile();
    const { live, errors } = open(file, handClock());
    live.createSession('a');
    file.fails('throws');
    expect(() => live.close()).not.toThrow();
    expect(errors).toHaveLength(1);
  });
});

describe('a sealed handle', () => {
  const handles = ['AAA-newest-handle', 'BBB-older-handle', 'CCC-oldest-handle'];

  function sealedFile(seal: Seal) {
    const time = handClock();
    const file = memoryFile();
    const { live } = open(file, time, seal);
    live.createSession('a');
    live.updateState('a', { ladder: handles.map((handle) => rung(handle)), epoch: 3 });
    live.close();
    return { file, time };
  }
  const found = (world: World) => world.live.getSession('a')?.ladder.map(({ handle }) => handle);

  it('cannot be read in the file, and can with the key', () => {
    const seal = key();
    const { file, time } = sealedFile(seal);
    for (const handle of handles) {
      expect(file.text).not.toContain(handle);
      expect(file.text).not.toContain(Buffer.from(handle).toString('base64'));
    }
    expect(found(open(file, time, seal))).toEqual(handles);
  });

  it('is never the same twice', () => {
    const seal = key();
    const first = sealedFile(seal).file.text;
    expect(sealedFile(seal).file.text).not.toBe(first);
  });

  it('with any one bit flipped is left out, and the others remain', () => {
    const seal = key();
    const { file, time } = sealedFile(seal);
    const stored = file.store as { a: { ladder: { handle: string }[] } };
    const bytes = Buffer.from(stored.a.ladder[1]!.handle.slice('sealed:'.length), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const bent = Buffer.from(bytes);
      bent[bit >> 3]! ^= 1 << (bit & 7);
      const damaged = structuredClone(stored);
      damaged.a.ladder[1]!.handle = `sealed:${bent.toString('base64')}`;
      expect(found(open(memoryFile(damaged), time, seal))).toEqual([handles[0], handles[2]]);
    }
  });

  it.each(['sealed:', 'sealed:AAAA', 'sealed:not base64 at all'])('that reads %j is left out', (handle) => {
    const seal = key();
    const { file, time } = sealedFile(seal);
    const damaged = file.store as { a: { ladder: { handle: string }[] } };
    damaged.a.ladder[0]!.handle = handle;
    expect(found(open(memoryFile(damaged), time, seal))).toEqual(handles.slice(1));
  });

  it('of another keystore, or of none, is left out; the rest of the session is kept', () => {
    const { file, time } = sealedFile(key());
    for (const seal of [key(), undefined]) {
      const world = open(file, time, seal);
      expect(found(world)).toEqual([]);
      expect(world.live.getSession('a')?.epoch).toBe(3);
    }
  });

  it('from before there was a keystore is still read, and sealed at the next write', () => {
    const time = handClock();
    const file = memoryFile();
    const plain = open(file, time);
    plain.live.createSession('a');
    plain.live.updateState('a', { ladder: [rung(handles[0]!)] });
    plain.live.close();
    expect(file.text).toContain(handles[0]);
    const seal = key();
    const later = open(file, time, seal);
    expect(found(later)).toEqual([handles[0]]);
    later.live.refresh('a');
    later.live.close();
    expect(file.text).not.toContain(handles[0]);
  });
});
