import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { linkState } from '../../src/live/index.ts';
import { drawing, DRAWING_FILE, explored, pageWith } from './drawing.ts';
import type { Transition } from './drawing.ts';

const LIMIT_MS = 60_000;

const told = ({ from, happening, to }: Transition) => {
  const place = ({ data }: Transition['from']) =>
    [
      linkState(data).kind,
      data.connection?.stage ?? 'no connection',
      data.outbox.map(({ stage }) => stage).join('+'),
    ].join('/');
  return `${place(from)} — ${happening.label} → ${place(to)}`;
};

/** The transitions of all that can be reached for which something holds that must not. */
function wrong(is: (transition: Transition) => boolean): readonly string[] {
  const found = new Set<string>();
  for (const transition of explored()) {
    if (found.size >= 10) break;
    if (is(transition)) found.add(told(transition));
  }
  return [...found];
}

describe('the drawing of the states', () => {
  it('is what the code gives; `node test/live/drawing.ts` writes it anew', { timeout: LIMIT_MS }, () => {
    const page = readFileSync(DRAWING_FILE, 'utf8').replaceAll('\r\n', '\n');
    expect(page).toBe(pageWith(page, drawing()));
  });

  it('shows every state of the contract', () => {
    const page = readFileSync(DRAWING_FILE, 'utf8');
    for (const kind of [
      'idle',
      'connecting',
      'restoring',
      'live',
      'rotating',
      'waiting',
      'paused',
      'needs_you',
      'closed',
    ]) {
      expect(page).toMatch(new RegExp(`--> ${kind}\\b|→ ${kind}\\b`));
    }
  });
});

describe('in every situation that can be reached', () => {
  it('a turn that waits is waited for by something', { timeout: LIMIT_MS }, () => {
    const stuck = wrong(
      ({ to: { data, timers } }) =>
        data.outbox.length > 0 &&
        data.connection === undefined &&
        !timers.has('retry') &&
        !(data.phase.kind === 'paused' && data.phase.by === 'user') &&
        data.phase.kind !== 'needs-you' &&
        data.phase.kind !== 'closed',
    );
    expect(stuck).toEqual([]);
  });

  it('a connection that is made or left is watched by a timer', { timeout: LIMIT_MS }, () => {
    const unwatched = wrong(({ to: { data, timers } }) => {
      const stage = data.connection?.stage;
      if (stage === 'leaving') return !timers.has('leave');
      return stage !== undefined && stage !== 'ready' && !timers.has('dial');
    });
    expect(unwatched).toEqual([]);
  });

  it('an answer that is due is watched by a timer', { timeout: LIMIT_MS }, () => {
    const unwatched = wrong(
      ({ to: { data, timers } }) =>
        data.connection?.stage === 'ready' &&
        data.outbox.some(({ stage }) => stage !== 'waiting') &&
        !timers.has('answer') &&
        !timers.has('stop') &&
        !timers.has('end'),
    );
    expect(unwatched).toEqual([]);
  });

  it('at most one turn is in hand, and none without a connection', { timeout: LIMIT_MS }, () => {
    const strange = wrong(({ to: { data } }) => {
      const inHand = data.outbox.filter(({ stage }) => stage !== 'waiting').length;
      return inHand > 1 || (inHand > 0 && data.connection === undefined);
    });
    expect(strange).toEqual([]);
  });

  it('live is shown with a connection that is ready, and with nothing else', { timeout: LIMIT_MS }, () => {
    const untrue = wrong(({ to: { data } }) => {
      const shown = linkState(data).kind;
      const ready = data.connection?.stage === 'ready';
      return (shown === 'live' && !ready) || (ready && shown !== 'live' && shown !== 'rotating');
    });
    expect(untrue).toEqual([]);
  });

  it('words that nobody asked for end with their connection', { timeout: LIMIT_MS }, () => {
    const left = wrong(
      ({ to: { data } }) =>
        data.unasked &&
        data.phase.kind !== 'closed' &&
        (data.connection === undefined || data.connection.stage === 'preparing'),
    );
    expect(left).toEqual([]);
  });

  it('a pause of the user is ended by the user alone', { timeout: LIMIT_MS }, () => {
    const ended = wrong(
      ({ from, happening, to }) =>
        from.data.phase.kind === 'paused' &&
        from.data.phase.by === 'user' &&
        to.data.phase.kind !== 'paused' &&
        !['resume', 'reconnect', 'close'].includes(happening.input.type),
    );
    expect(ended).toEqual([]);
  });
});
