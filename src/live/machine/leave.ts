import type { Problem } from '../../contract/index.ts';
import { connect } from './connect.ts';
import { enter, outstanding, patchConnection, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { isCovered } from './ladder.ts';
import { SAID_KEPT } from './replay.ts';
import type { Connection, LeaveReason } from './types.ts';

/** The server has said goodbye by the clock, and so shown how long it lets a connection live. */
export function learnLifetime(draft: Draft, connection: Connection): void {
  const { data, at, config } = draft;
  if (connection.readyAt === undefined) return;
  const seen = at - connection.readyAt;
  if (seen < config.lifetimeMin) return;
  data.lifetimes = { ...data.lifetimes, [connection.model]: Math.min(seen, config.lifetimeMax) };
}

/** Replaces the connection by a fresh one, at a turn boundary, and at `until` at the latest. */
export function rotate(draft: Draft, until: number): void {
  const { data, at } = draft;
  if (data.connection?.stage !== 'ready') return;
  if (data.phase.kind !== 'rotating' || data.phase.until > until) enter(draft, { kind: 'rotating', until });
  if (rotateIfPossible(draft)) return;
  startTimer(draft, 'margin', Math.max(0, until - at));
  hurry(draft);
}

/**
 * Between turns no better handle will come than the one that may be on its way: a moment for that, and then without, so
 * that nobody waits for a rotation. What the last handle does not cover is told.
 */
export function hurry(draft: Draft): void {
  const { data, at, config } = draft;
  if (data.phase.kind !== 'rotating' || data.connection?.stage !== 'ready') return;
  if (outstanding(data) !== undefined || data.unasked) return;
  const moment = data.suspect === undefined ? config.rotateIdle : config.settleGreeter;
  // Once the moment has begun, nothing that happens in it makes it longer.
  const until = Math.min(data.phase.until, at + moment);
  data.phase = { kind: 'rotating', until };
  startTimer(draft, 'margin', Math.max(0, until - at));
}

/** At a boundary, with everything covered by a handle, the time has come. */
export function rotateIfPossible(draft: Draft): boolean {
  const { data } = draft;
  if (data.phase.kind !== 'rotating' || data.connection?.stage !== 'ready') return false;
  if (outstanding(data) !== undefined || data.unasked || !isCovered(data)) return false;
  leave(draft, 'rotated');
  return true;
}

/** Hangs up. The next connection is opened only when this one is down: two at once end in 1011. */
export function leave(draft: Draft, why: LeaveReason): void {
  const { data, config } = draft;
  const { connection } = data;
  if (connection === undefined || connection.stage === 'leaving') return;
  stopTimer(draft, 'dial', 'answer', 'end', 'stop', 'rotate', 'margin', 'healthy', 'settle');
  data.settling = false;
  patchConnection(draft, { stage: 'leaving', why });
  if (connection.stage === 'preparing') {
    gone(draft);
    return;
  }
  draft.effects.push({ type: 'hang-up', epoch: connection.epoch });
  startTimer(draft, 'leave', config.leaveGrace);
}

/** The connection is down for good; what comes next depends on why it was left. */
export function gone(draft: Draft, problem?: Problem): void {
  const { data, at } = draft;
  const { connection } = data;
  if (connection === undefined) return;
  stopTimer(draft, 'leave', 'dial', 'answer', 'end', 'stop', 'rotate', 'margin', 'healthy', 'settle');
  data.connection = undefined;
  if (data.unasked) {
    data.unasked = false;
    tell(draft, { type: 'cut', turnId: undefined, problem: problem ?? CUT_OFF, goesOn: false });
  }
  data.settling = false;
  data.suspect = undefined;
  data.heldHandle = undefined;
  data.replay = undefined;
  if (data.speaking !== '') data.said = [data.speaking, ...data.said].slice(0, SAID_KEPT);
  data.speaking = '';
  tell(draft, {
    type: 'connection',
    epoch: connection.epoch,
    openedAt: connection.dialledAt,
    endedAt: at,
    restored: connection.readyAt === undefined ? undefined : connection.restored,
    problem,
    why: connection.why ?? 'lost',
  });
  const { phase } = data;
  if (phase.kind === 'rotating' || phase.kind === 'redial') connect(draft);
  else if (phase.kind === 'waiting' && phase.until <= at) connect(draft);
  else if (phase.kind === 'connected') enter(draft, { kind: 'idle' });
  // What came while the old one was closing.
  if (data.phase.kind === 'idle' && needsConnection(draft)) connect(draft);
}

/** With nothing to say there is no point in knocking for ever. */
export function needsConnection({ data }: Draft): boolean {
  return data.outbox.length > 0 || data.audio.length > 0;
}

/** It was we who ended the connection in the middle of an answer. */
export const CUT_OFF: Problem = {
  code: 'answer_cut',
  message: 'The connection was ended while this was being said. What had arrived is kept.',
  retry: 'user',
};
