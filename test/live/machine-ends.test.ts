import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../src/contract/index.ts';
import type { ConnectionEnd, LinkInput } from '../../src/live/index.ts';
import { ask, invalid, lost, MINUTE, playedLive, playLink, rung, SECOND, START, unavailable } from './played-link.ts';
import type { DialOutcome } from './played-link.ts';

const closed = (code: number, reason = ''): ConnectionEnd => ({ kind: 'closed', code, reason });
const refused = (status: number): ConnectionEnd => ({ kind: 'refused', status, body: '' });

/** Ends after which the link comes back by itself. */
const PASSING: readonly (readonly [string, ConnectionEnd])[] = [
  ['1000 cancelled', closed(1000, 'The operation was cancelled.')],
  ['1001', closed(1001)],
  ['1005', closed(1005)],
  ['1006', closed(1006)],
  ['1008 aborted', closed(1008, 'The operation was aborted.')],
  [
    '1008 after goAway',
    closed(
      1008,
      'Connection aborted: client failed to close the connection after receiving a GoAway signal once the time left expired.',
    ),
  ],
  ['1011 deadline', closed(1011, 'Deadline expired before operation could complete.')],
  ['1011 internal', closed(1011, 'Internal error encountered.')],
  ['1011 unavailable', closed(1011, 'The service is currently unavailable.')],
  ['HTTP 500', refused(500)],
  ['HTTP 503', refused(503)],
  ['no network', { kind: 'failed', errno: 'ENETUNREACH' }],
  ['no answer', { kind: 'failed', errno: 'ETIMEDOUT' }],
  ['an unknown error of the system', { kind: 'failed', errno: 'EWHATEVER' }],
  ['an unknown code', closed(4711, 'Something new')],
];

/** Ends that only the user can mend. */
const FATAL: readonly (readonly [string, ConnectionEnd, ProblemCode])[] = [
  ['1007 wrong key', closed(1007, 'API key not valid. Please pass a valid API key.'), 'key_invalid'],
  ['1007 expired key', closed(1007, 'API key expired. Please renew the API key.'), 'key_expired'],
  ['1007 region', closed(1007, 'User location is not supported for the API use.'), 'region_unsupported'],
  ['1008 not found', closed(1008, 'Requested entity was not found.'), 'model_not_found'],
  [
    '1008 no such model',
    closed(1008, 'models/x is not found for API version v1beta, or is not supported for bidiGenerateContent.'),
    'model_not_found',
  ],
  ['1011 quota', closed(1011, 'You exceeded your current quota, please check your plan and bil'), 'quota_exceeded'],
  ['HTTP 400', refused(400), 'key_invalid'],
  ['HTTP 401', refused(401), 'key_invalid'],
  ['HTTP 403', refused(403), 'key_invalid'],
  ['HTTP 404', refused(404), 'model_not_found'],
  ['HTTP 429', refused(429), 'quota_exceeded'],
];

/** Ends that a handle may be to blame for, and that say something of the request otherwise. */
const REFUSALS: readonly (readonly [string, ConnectionEnd])[] = [
  ['1007 invalid argument', invalid],
  ['1008 not implemented', closed(1008, 'Operation is not implemented, or supported, or enabled.')],
  ['1008 of an unknown kind', closed(1008, 'Something new')],
];

describe('a live connection that ends with', () => {
  it.each(PASSING)('%s is resumed from its handle within the first step of the backoff', (_name, end) => {
    const link = playedLive();
    link.ends(end);
    link.pass(250);
    expect(link.state).toMatchObject({ kind: 'live', restored: 'resumed' });
    expect(link.plans.at(-1)).toMatchObject({ kind: 'handle', rung: { handle: 'h1' } });
    link.input(ask('q2'));
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'question', epoch: 2 });
  });

  it.each(PASSING)('%s while an answer is due is resumed, and the question sent again', (_name, end) => {
    const link = playedLive();
    link.input(ask('q2'));
    link.ends(end);
    link.pass(250);
    expect(link.asks.filter(({ turnId }) => turnId === 'q2').map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(link.factsOf('requeued')).toHaveLength(1);
    link.answers('Two.', 'h2');
    expect(link.data.outbox).toEqual([]);
  });

  it.each(FATAL)('%s waits for the user, who is told why, and keeps what was to be said', (_name, end, code) => {
    const link = playedLive();
    link.input(ask('q2'));
    link.ends(end);
    expect(link.state).toMatchObject({ kind: 'needs-you', problem: { code, retry: 'user' } });
    const dials = link.dials.length;
    link.pass(60 * MINUTE);
    expect(link.dials).toHaveLength(dials);
    expect(link.data.outbox.map(({ turnId }) => turnId)).toEqual(['q2']);
    link.input({ type: 'reconnect' });
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2' });
  });

  it.each(REFUSALS)('%s is not tried again for ever', (_name, end) => {
    const link = playedLive({ dial: (dialled): DialOutcome => (dialled === 1 ? 'ready' : { inSetup: end }) });
    link.input(ask('q2'));
    link.ends(end);
    link.pass(60 * MINUTE);
    expect(link.state.kind).toBe('needs-you');
    expect(link.dials.length).toBeLessThan(10);
    // It is kept, or, where the connection died of it, put aside with a word.
    const putAside = link.factsOf('failed').map(({ turnId, problem }) => [turnId, problem.code, problem.retry]);
    if (link.data.outbox.length === 0) expect(putAside).toEqual([['q2', 'turn_rejected', 'user']]);
    else expect(link.data.outbox.map(({ turnId }) => turnId)).toEqual(['q2']);
  });
});

describe('a dial that fails with', () => {
  it.each(PASSING)('%s is made again until it succeeds', (_name, end) => {
    const link = playLink({ dial: (dialled) => (dialled <= 8 ? end : 'ready') });
    link.input(ask('q1'));
    link.pass(32 * SECOND);
    expect(link.state.kind).toBe('live');
    expect(link.dials).toHaveLength(9);
    expect(link.asks).toHaveLength(1);
    link.answers('One.');
    expect(link.data.outbox).toEqual([]);
  });

  it.each(FATAL)('%s is not made again', (_name, end, code) => {
    const link = playLink({ dial: () => end });
    link.input(ask('q1'));
    link.pass(60 * MINUTE);
    expect(link.state).toMatchObject({ kind: 'needs-you', problem: { code } });
    expect(link.dials).toHaveLength(1);
    expect(link.data.outbox).toHaveLength(1);
  });

  it.each(REFUSALS)('%s on a handle gives that handle up, and the next below it is tried at once', (_name, end) => {
    const ladder = [rung('new'), rung('old')];
    const link = playLink({ ladder, dial: (dialled) => (dialled === 1 ? { inSetup: end } : 'ready') });
    link.input(ask('q1'));
    expect(link.plans).toMatchObject([
      { kind: 'handle', rung: { handle: 'new' }, older: false },
      { kind: 'handle', rung: { handle: 'old' }, older: true },
    ]);
    expect(link.state).toMatchObject({ kind: 'live', restored: 'resumed-older' });
    expect(link.data.ladder.map(({ handle }) => handle)).toEqual(['old']);
  });

  it.each(REFUSALS)('%s on every handle comes down to the history', (_name, end) => {
    const ladder = ['a', 'b', 'c', 'd'].map((handle) => rung(handle));
    const link = playLink({
      ladder,
      dial: (dialled) => (dialled <= 4 ? { inSetup: end } : 'ready'),
      contextTurns: (plan) => (plan.kind === 'handle' ? 0 : 12),
    });
    link.input(ask('q1'));
    expect(link.plans.map(({ kind }) => kind)).toEqual(['handle', 'handle', 'handle', 'handle', 'history']);
    expect(link.state).toMatchObject({ kind: 'live', restored: 'rebuilt' });
    expect(link.effects.filter(({ type }) => type === 'tell-context')).toHaveLength(1);
  });

  it('a fault of the provider gives a handle up at the second time only', () => {
    const link = playLink({
      ladder: [rung('only')],
      dial: (dialled) => (dialled <= 2 ? { inSetup: unavailable } : 'ready'),
    });
    link.input(ask('q1'));
    link.pass(5 * SECOND);
    expect(link.plans.map(({ kind }) => kind)).toEqual(['handle', 'handle', 'history']);
  });
});

describe('the backoff', () => {
  const waits = (random: number, dials: number) => {
    const link = playLink({ random: () => random, dial: () => unavailable });
    link.input(ask('q1'));
    const found: number[] = [];
    while (link.dials.length < dials && link.state.kind === 'waiting') {
      found.push(link.state.until - link.now);
      link.pass(link.state.until - link.now);
    }
    return found;
  };

  it('doubles from 250 ms to 30 s, and is spread over all of it', () => {
    const ceilings = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
    expect(waits(0.999_999, 11)).toEqual(ceilings);
    expect(waits(0.5, 11)).toEqual(ceilings.map((ceiling) => ceiling / 2));
  });

  it('begins anew after a minute of health, and not before', () => {
    const attemptsAfter = (liveMs: number) => {
      const link = playLink({ dial: (dialled) => (dialled === 5 ? 'ready' : unavailable) });
      link.input(ask('q1'));
      link.pass(3_750 / 2);
      expect(link.state.kind).toBe('live');
      link.answers('One.');
      link.pass(liveMs);
      link.ends(lost);
      return link.data.attempts;
    };
    expect(attemptsAfter(MINUTE - SECOND)).toBe(5);
    // The dial that follows at once fails as well.
    expect(attemptsAfter(MINUTE + SECOND)).toBe(2);
  });

  it('goes on where it was when a connection was short-lived', () => {
    const link = playLink({ dial: (dialled) => (dialled % 2 === 0 ? 'ready' : unavailable) });
    link.input(ask('q1'));
    for (let round = 0; round < 4; round += 1) {
      link.pass(20 * SECOND);
      if (link.state.kind === 'live') link.ends(lost);
    }
    expect(link.data.attempts).toBeGreaterThan(3);
  });

  it('says how often it has tried, and until when it waits', () => {
    const link = playLink({ dial: () => unavailable });
    link.input(ask('q1'));
    expect(link.state).toMatchObject({ kind: 'waiting', attempt: 1, until: START + 125 });
    link.pass(125);
    expect(link.state).toMatchObject({ kind: 'waiting', attempt: 2, until: START + 125 + 250 });
    expect(link.state).toMatchObject({ problem: { code: 'provider_unavailable' } });
  });
});

const DIALS_MAX = 20;
const WINDOW = 10 * MINUTE;

function mostInWindow(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time - from < WINDOW).length));
}

describe('the breaker', () => {
  it('holds 17 dials in ten minutes to be enough, keeps three for the user, and says so', () => {
    const link = playLink({ random: () => 0, dial: () => unavailable });
    link.input(ask('q1'));
    link.pass(MINUTE);
    expect(link.dials).toHaveLength(17);
    expect(link.state).toMatchObject({ kind: 'waiting', problem: { code: 'too_many_dials' }, until: START + WINDOW });
    for (let press = 0; press < 10; press += 1) link.input({ type: 'reconnect' });
    link.pass(SECOND);
    expect(link.dials).toHaveLength(DIALS_MAX);
    link.pass(2 * WINDOW);
    expect(link.dials.length).toBeGreaterThan(DIALS_MAX);
    expect(mostInWindow(link.dials)).toBeLessThanOrEqual(DIALS_MAX);
  });

  it('holds under anything that can happen', () => {
    const end = fc.constantFrom<ConnectionEnd>(
      ...[...PASSING, ...REFUSALS].map(([, one]) => one),
      ...FATAL.map(([, one]) => one),
    );
    const outcome = fc.oneof(
      { weight: 3, arbitrary: fc.constant<DialOutcome>('ready') },
      fc.constant<DialOutcome>('nothing'),
      end,
      end.map((inSetup): DialOutcome => ({ inSetup })),
    );
    const happening = fc.oneof(
      fc.nat(40).map((n): LinkInput => ask(`q${n}`)),
      fc.constantFrom<LinkInput>(
        { type: 'stop' },
        { type: 'reconnect' },
        { type: 'reconnect' },
        { type: 'pause' },
        { type: 'resume' },
        { type: 'start-fresh' },
        { type: 'refresh' },
        { type: 'wake' },
        { type: 'network', online: false },
        { type: 'network', online: true },
        { type: 'audio', base64: 'AAAA' },
      ),
      fc.constantFrom('answers', 'go-away', 'interrupted', 'ends').map((what) => ({ what })),
      fc.nat(90 * SECOND).map((ms) => ({ ms })),
      end.map((how) => ({ how })),
    );
    fc.assert(
      fc.property(
        fc.array(outcome, { minLength: 1, maxLength: 12 }),
        fc.array(happening, { maxLength: 120 }),
        fc.boolean(),
        (outcomes, happenings, closes) => {
          const link = playLink({
            random: () => 0,
            closes,
            dial: (dialled) => outcomes[dialled % outcomes.length]!,
            ladder: [rung('a'), rung('b')],
          });
          for (const happened of happenings) {
            if ('type' in happened) link.input(happened);
            else if ('ms' in happened) link.pass(happened.ms);
            else if ('how' in happened) link.ends(happened.how);
            else if (happened.what === 'answers') link.answers('Yes.', `h${link.effects.length}`);
            else if (happened.what === 'go-away') link.says({ kind: 'go-away', timeLeftMs: 1_000 });
            else if (happened.what === 'interrupted') link.says({ kind: 'interrupted' });
            else link.ends(lost);
          }
          link.pass(20 * MINUTE);
          expect(mostInWindow(link.dials)).toBeLessThanOrEqual(DIALS_MAX);
          expect(link.openAtMost).toBeLessThanOrEqual(closes ? 1 : link.dials.length);
          if (link.data.outbox.length > 0) {
            // What waits is waited for: by a timer, by the user, or by a connection.
            expect(link.timers.size > 0 || ['paused', 'needs-you', 'closed'].includes(link.state.kind)).toBe(true);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
