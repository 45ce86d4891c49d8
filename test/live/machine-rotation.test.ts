import { describe, expect, it } from 'vitest';
import { ask, lost, MINUTE, MODEL, playedLive, playLink, SECOND, START } from './played-link.ts';

const rotations = (link: ReturnType<typeof playedLive>) =>
  link.factsOf('connection').filter(({ why }) => why === 'rotated').length;

describe('goAway', () => {
  it('between turns, with everything covered, is followed at once; the old is closed before the new is opened', () => {
    const link = playedLive();
    link.says({ kind: 'go-away', timeLeftMs: 50_000 });
    expect(rotations(link)).toBe(1);
    expect(link.openAtMost).toBe(1);
    expect(link.plans.at(-1)).toMatchObject({ kind: 'handle', rung: { handle: 'h1' } });
    expect(link.state).toMatchObject({ kind: 'live', restored: 'resumed' });
  });

  it('in mid-answer waits for its end and for the handle that covers it, and then keeps nobody waiting', () => {
    const link = playedLive();
    link.input(ask('q2'), ask('q3'));
    link.says({ kind: 'text', text: 'Two' }, { kind: 'go-away', timeLeftMs: 50_000 });
    expect(link.state).toMatchObject({ kind: 'rotating', until: START + 48_500 });
    link.says({ kind: 'turn-complete' });
    expect(link.dials).toHaveLength(1);
    // The next question is not begun on a connection that is about to end.
    expect(link.asks.map(({ turnId }) => turnId)).toEqual(['q1', 'q2']);
    link.says({ kind: 'handle', handle: 'h2', consumed: undefined });
    expect(link.plans.at(-1)).toMatchObject({ kind: 'handle', rung: { handle: 'h2' } });
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3', epoch: 2 });
    expect(link.factsOf('cut')).toEqual([]);
  });

  it.each([50_000, 5_000, 2_500])(
    'with %i ms left is over a good second before that, though the server is silent from then on',
    (timeLeftMs) => {
      const link = playedLive();
      link.input(ask('q2'));
      link.says({ kind: 'text', text: 'Tw' }, { kind: 'go-away', timeLeftMs });
      let left: number | undefined;
      for (let ms = 0; ms <= timeLeftMs && left === undefined; ms += 50) {
        if (link.dials.length > 1) left = timeLeftMs - ms;
        else link.pass(50);
      }
      expect(left).toBeGreaterThanOrEqual(1_000);
      expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'continuation', epoch: 2 });
    },
  );

  it('without time left is followed at once, even in mid-answer', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'go-away', timeLeftMs: 0 });
    link.pass(0);
    expect(link.dials).toHaveLength(2);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'question', epoch: 2 });
  });

  it('without a time is taken to mean ten seconds', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'go-away', timeLeftMs: undefined });
    expect(link.state).toMatchObject({ kind: 'rotating', until: START + 8_500 });
  });

  it('that comes twice counts by the nearer end', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'go-away', timeLeftMs: 50_000 }, { kind: 'go-away', timeLeftMs: 3_000 });
    expect(link.state).toMatchObject({ kind: 'rotating', until: START + 1_500 });
    link.pass(1_500);
    expect(link.dials).toHaveLength(2);
  });

  it('on a connection that dies all the same is no worse than that', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'go-away', timeLeftMs: 50_000 });
    link.ends(lost);
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', epoch: 2 });
    expect(link.state.kind).toBe('live');
  });
});

describe('a planned rotation', () => {
  it('comes before the ninth minute, at a boundary that a handle covers', () => {
    const link = playedLive();
    link.pass(9 * MINUTE - 16 * SECOND);
    expect(rotations(link)).toBe(0);
    link.pass(2 * SECOND);
    expect(rotations(link)).toBe(1);
    expect(link.factsOf('cut')).toEqual([]);
  });

  it('is put off while an answer comes, and while no handle covers the last one', () => {
    const link = playedLive();
    link.input(ask('q2'));
    for (let minute = 0; minute < 12; minute += 1) {
      for (let half = 0; half < 4; half += 1) {
        link.pass(15 * SECOND);
        link.says({ kind: 'text', text: 'on and on ' });
      }
    }
    expect(rotations(link)).toBe(0);
    link.says({ kind: 'turn-complete' });
    link.pass(MINUTE);
    expect(rotations(link)).toBe(0);
    link.says({ kind: 'handle', handle: 'h2', consumed: undefined });
    link.pass(16 * SECOND);
    expect(rotations(link)).toBe(1);
    expect(link.plans.at(-1)).toMatchObject({ kind: 'handle', rung: { handle: 'h2' } });
  });

  it('learns from goAway how long this model lets a connection live, and no more than 57 minutes', () => {
    const lifetimeAfter = (minutes: number) => {
      const link = playedLive();
      link.input(ask('busy'));
      for (let n = 0; n < minutes * 4; n += 1) {
        link.pass(15 * SECOND);
        link.says({ kind: 'thought', text: '.' });
      }
      link.says({ kind: 'go-away', timeLeftMs: 50_000 });
      return link.data.lifetimes[MODEL];
    };
    expect(lifetimeAfter(20)).toBe(20 * MINUTE);
    expect(lifetimeAfter(70)).toBe(57 * MINUTE);
    // A goAway in the first minutes tells of a server that restarts, not of a lifetime.
    expect(lifetimeAfter(2)).toBeUndefined();
  });

  it('does without handles where there are none: such a connection is kept as long as it lasts', () => {
    const link = playLink();
    link.input(ask('q1'));
    link.answers('One.');
    link.pass(20 * MINUTE);
    expect(link.dials).toHaveLength(1);
  });

  it('keeps a question waiting no longer than a moment, with a handle or without', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'go-away', timeLeftMs: 50_000 });
    link.input(ask('q3'));
    link.answers('Two.');
    expect(link.state.kind).toBe('rotating');
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3', epoch: 2 });
  });

  it('is not put off by other wishes: what the server has announced holds', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' }, { kind: 'go-away', timeLeftMs: 10_000 });
    link.input({ type: 'refresh' });
    link.pass(9 * SECOND);
    expect(link.dials.length).toBeGreaterThan(1);
  });
});
