import type { Problem } from '../../contract/index.ts';
import { problemFrom } from '../close-reasons.ts';
import type { ConnectionEnd } from '../close-reasons.ts';
import type { ServerSignal } from '../signals.ts';
import { enter, outstanding, patchConnection, patchTurn, removeTurn, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { choosePlan, isCovered, restorationOf, retireRung } from './ladder.ts';
import { SAID_KEPT } from './replay.ts';
import type { Connection, LeaveReason, OutTurn } from './types.ts';

/** Begins a connection, unless there is one, or too many were dialled of late. `byUser` may go a little further. */
export function connect(draft: Draft, byUser = false): void {
  const { data, at, config } = draft;
  if (data.connection !== undefined || data.phase.kind === 'closed') return;
  stopTimer(draft, 'retry');
  data.dials = data.dials.filter((time) => time <= at && at - time < config.dialWindow);
  const limit = byUser ? config.dialsMax : config.dialsMax - config.dialsForUser;
  if (data.dials.length >= limit) {
    const until = data.dials[data.dials.length - limit]! + config.dialWindow;
    wait(draft, until, TOO_MANY_DIALS);
    return;
  }
  const plan = choosePlan(draft);
  data.epoch += 1;
  data.dials = [...data.dials, at];
  if (data.phase.kind !== 'rotating') enter(draft, { kind: 'connected' });
  data.connection = {
    epoch: data.epoch,
    plan,
    stage: 'preparing',
    dialledAt: at,
    model: '',
    restored: 'new',
    sent: 0,
    proven: false,
    contextTurns: undefined,
    setupWaits: true,
    early: undefined,
    asked: false,
    listened: false,
  };
  draft.effects.push({ type: 'prepare', epoch: data.epoch, plan });
  startTimer(draft, 'dial', config.setupLimit);
}

/** Where to dial is known. What the connection is told is gathered meanwhile. */
export function prepared(draft: Draft, model: string, setupWaits: boolean): void {
  const { connection, seeding } = draft.data;
  if (connection?.stage !== 'preparing') return;
  const { plan, epoch } = connection;
  if (plan.kind === 'handle' && plan.rung.model !== model) {
    // Another model cannot take this handle. It stays on the ladder: the user may change back.
    const instead = { kind: seeding } as const;
    patchConnection(draft, { plan: instead });
    draft.effects.push({ type: 'prepare', epoch, plan: instead });
    return;
  }
  patchConnection(draft, { stage: 'dialling', model, setupWaits });
  draft.effects.push({ type: 'dial', epoch });
}

/** What the connection is to be told has been gathered. Returns whether the server is set up already. */
export function contextGathered(draft: Draft, turns: number): boolean {
  const { connection } = draft.data;
  if (connection === undefined || connection.stage === 'preparing' || connection.stage === 'leaving') return false;
  patchConnection(draft, { contextTurns: turns, restored: restorationOf(connection.plan, turns) });
  if (connection.stage === 'opened') sendSetup(draft);
  return connection.early !== undefined;
}

export function opened(draft: Draft): void {
  const { connection } = draft.data;
  if (connection?.stage !== 'dialling') return;
  if (connection.setupWaits && connection.contextTurns === undefined) patchConnection(draft, { stage: 'opened' });
  else sendSetup(draft);
}

function sendSetup(draft: Draft): void {
  patchConnection(draft, { stage: 'setup', sent: 1 });
  draft.effects.push({ type: 'setup', epoch: draft.data.epoch });
}

/** The server said `setupComplete`. Returns whether what it is to be told is known already. */
export function setUp(draft: Draft): boolean {
  const { connection } = draft.data;
  if (connection?.stage !== 'setup') return false;
  if (connection.early === undefined) patchConnection(draft, { early: [] });
  return connection.contextTurns !== undefined;
}

/** What a server that is set up says while its context is gathered waits until it has been told. */
export function keepEarly(draft: Draft, signal: ServerSignal): void {
  const early = draft.data.connection?.early;
  if (early !== undefined && early.length < EARLY_MAX) patchConnection(draft, { early: [...early, signal] });
}

/** Gathering takes milliseconds: whoever says more than this meanwhile floods. */
const EARLY_MAX = 1_000;

/** The server is set up, and what it lacks is known: it is told that, and is live. */
export function ready(draft: Draft): void {
  const { data, at, config } = draft;
  const { connection } = data;
  if (connection?.stage !== 'setup') return;
  stopTimer(draft, 'dial');
  patchConnection(draft, { stage: 'ready', readyAt: at, early: undefined });
  const contextTurns = connection.contextTurns ?? 0;
  if (contextTurns > 0) {
    draft.effects.push({ type: 'tell-context', epoch: connection.epoch });
    patchConnection(draft, { sent: connection.sent + 1 });
  }
  if (connection.plan.kind !== 'handle') data.tokens = undefined;
  enter(draft, { kind: 'connected' });
  tell(draft, { type: 'restored', how: connection.restored, turns: contextTurns });
  startTimer(draft, 'healthy', config.healthyAfter);
  startTimer(draft, 'rotate', lifetimeOf(draft, connection.model) - config.lifetimeMargin);
  const waiting = data.audio;
  data.audio = [];
  data.audioBytes = 0;
  for (const base64 of waiting) {
    draft.effects.push({ type: 'audio', epoch: connection.epoch, base64 });
    patchConnection(draft, { sent: (data.connection?.sent ?? 0) + 1, listened: true });
  }
  if (data.greets && connection.restored !== 'new') {
    data.settling = true;
    startTimer(draft, 'settle', config.greetingWait);
  }
}

export function lifetimeOf(draft: Draft, model: string): number {
  return draft.data.lifetimes[model] ?? draft.config.lifetimeGuess;
}

/** The server has said goodbye by the clock, and so shown how long it lets a connection live. */
export function learnLifetime(draft: Draft, connection: Connection): void {
  const { data, at, config } = draft;
  if (connection.readyAt === undefined) return;
  const seen = at - connection.readyAt;
  if (seen < config.lifetimeMin) return;
  data.lifetimes = { ...data.lifetimes, [connection.model]: Math.min(seen, config.lifetimeMax) };
}

/** Replaces the connection by a fresh one, at a turn boundary, and at `until` at the latest. */
export function rotate(draft: Draft, until: number, forced: boolean): void {
  const { data, at, config } = draft;
  if (data.connection?.stage !== 'ready') return;
  if (data.phase.kind !== 'rotating' || data.phase.until > until) enter(draft, { kind: 'rotating', until, forced });
  if (rotateIfPossible(draft)) return;
  // Between turns no better handle will come: a moment for the one that may be on its way, and then without.
  const idle = forced && outstanding(data) === undefined && !data.unasked;
  startTimer(draft, 'margin', Math.max(0, idle ? Math.min(until - at, config.rotateIdle) : until - at));
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

/** It was we who ended the connection in the middle of an answer. */
export const CUT_OFF: Problem = {
  code: 'answer_cut',
  message: 'The connection was ended while this was being said. What had arrived is kept.',
  retry: 'user',
};

/** Ends that a handle which is no longer good brings about while the session is being set up. */
const HANDLE_REFUSED = new Set(['setup_rejected', 'model_not_found', 'not_known_yet']);
/** Ends that it may be to blame for, if they come again. */
const HANDLE_SUSPECT = new Set(['provider_unavailable', 'server_silent', 'connection_lost']);
const SUSPECT_TWICE = 2;
/** A server that refuses what it had accepted is asked this often before the user is. */
const BOUNDED_ATTEMPTS = 6;
/** Dials in vain that nobody waits for. */
const IDLE_ATTEMPTS = 3;

/** A connection ended that we did not leave, or our own watch gave it up (`down` is false: it has to be hung up). */
export function lose(draft: Draft, end: ConnectionEnd, down: boolean): void {
  const { data } = draft;
  const { connection } = data;
  if (connection === undefined) return;
  const problem = problemFrom(end);
  const wasReady = connection.stage === 'ready';
  if (connection.stage === 'leaving') {
    gone(draft);
    return;
  }

  const turn = outstanding(data);
  if (turn !== undefined) loseTurn(draft, turn, connection, problem);
  else if (data.unasked) tell(draft, { type: 'cut', turnId: undefined, problem, goesOn: false });
  data.unasked = false;
  data.usage = undefined;

  let again: 'now' | 'later' | 'never' = problem.retry === 'user' ? 'never' : 'later';
  const { plan } = connection;
  if (plan.kind === 'handle' && !connection.proven) {
    const dies = wasReady && (problem.code === 'setup_rejected' || problem.code === 'server_silent');
    if (dies || (!wasReady && HANDLE_REFUSED.has(problem.code))) {
      retireRung(draft, plan.rung.handle);
      again = 'now';
    } else if (!wasReady && HANDLE_SUSPECT.has(problem.code)) {
      data.rungFailures += 1;
      if (data.rungFailures >= SUSPECT_TWICE) {
        retireRung(draft, plan.rung.handle);
        again = 'now';
      }
    }
  } else if (
    plan.kind === 'history' &&
    (connection.contextTurns ?? 0) > 0 &&
    !connection.proven &&
    problem.code === 'setup_rejected'
  ) {
    data.seeding = 'summary';
    again = 'now';
  } else if (wasReady && problem.code === 'setup_rejected') {
    // It was the turn that the server did not take, and that has been seen to: the connection itself was good.
    again = data.attempts < BOUNDED_ATTEMPTS ? 'later' : 'never';
  }

  data.attempts += 1;
  if (again === 'later' && wasReady && data.attempts === 1) again = 'now';
  patchConnection(draft, { why: 'lost' });
  const needed = needsConnection(draft);
  if (again === 'never') enter(draft, { kind: 'needs-you', problem });
  else if (!data.online) pauseOffline(draft);
  else if (!needed && !wasReady && data.attempts > IDLE_ATTEMPTS) enter(draft, { kind: 'idle' });
  else if (again === 'now') enter(draft, { kind: 'redial' });
  else wait(draft, draft.at + backoff(draft), problem);

  if (down) gone(draft, problem);
  else leave(draft, 'lost');
}

/** With nothing to say there is no point in knocking for ever. */
function needsConnection({ data }: Draft): boolean {
  return data.outbox.length > 0 || data.audio.length > 0;
}

function loseTurn(draft: Draft, turn: OutTurn, connection: Connection, problem: Problem): void {
  const { data, config } = draft;
  const { turnId } = turn;
  if (turn.stage === 'stopping') {
    removeTurn(draft, turnId);
    data.lastAnswered = turnId;
    tell(draft, { type: 'answered', turnId, how: 'stopped', usage: undefined });
    return;
  }
  if (turn.stage === 'answering') {
    cut(draft, turn, problem);
    return;
  }
  const died = problem.code === 'setup_rejected';
  // A handle that was not proven is suspected first: the turn is innocent until a clean connection dies of it.
  const blamed = died && (connection.plan.kind !== 'handle' || connection.proven);
  const deaths = turn.deaths + (blamed ? 1 : 0);
  const losses = turn.losses + 1;
  const cleanDeath = blamed && connection.plan.kind !== 'handle' && connection.contextTurns === 0;
  if (cleanDeath || deaths >= config.deathsMax) {
    removeTurn(draft, turnId);
    tell(draft, {
      type: 'failed',
      turnId,
      problem: { ...TURN_REJECTED, ...(problem.context && { context: problem.context }) },
    });
  } else if (losses >= config.lossesMax && problem.retry === 'automatic') {
    removeTurn(draft, turnId);
    tell(draft, { type: 'failed', turnId, problem });
  } else {
    patchTurn(draft, turnId, { ...AGAIN, losses, deaths });
    tell(draft, { type: 'requeued', turnId });
  }
}

/** The connection went, or was left, in the middle of an answer. */
export function cut(draft: Draft, turn: OutTurn, problem: Problem): void {
  const { data, config } = draft;
  const { turnId } = turn;
  if (!turn.spoke && turn.losses + 1 < config.lossesMax) {
    // Not a word of it had come. The next connection does not know the question, so the question is asked again.
    patchTurn(draft, turnId, { ...AGAIN, losses: turn.losses + 1 });
    tell(draft, { type: 'cut', turnId, problem, goesOn: true });
    return;
  }
  // Once by itself; an answer that is cut again is left to the user.
  const goesOn = config.goOn && turn.spoke && !turn.continuation;
  data.lastAnswered = turnId;
  if (goesOn) patchTurn(draft, turnId, { ...AGAIN, continuation: true, spoke: false, losses: 0 });
  else removeTurn(draft, turnId);
  tell(draft, { type: 'cut', turnId, problem, goesOn });
}

const AGAIN = { stage: 'waiting', interrupted: false } as const;

export function pauseOffline(draft: Draft): void {
  enter(draft, { kind: 'paused', by: 'offline' });
  startTimer(draft, 'retry', draft.config.offlineRetry);
}

export function wait(draft: Draft, until: number, problem: Problem): void {
  const { data, at } = draft;
  enter(draft, { kind: 'waiting', until, attempt: Math.max(1, data.attempts), problem });
  startTimer(draft, 'retry', Math.max(0, until - at));
}

/** Exponential, with full jitter: a provider that dropped everybody is not met by everybody at once. */
function backoff({ data, config, random }: Draft): number {
  const ceiling = Math.min(config.backoffCap, config.backoffFirst * 2 ** Math.min(20, data.attempts - 1));
  return Math.round(ceiling * random);
}

const TOO_MANY_DIALS: Problem = {
  code: 'too_many_dials',
  message: 'Holdfast has dialled very often in the last minutes and holds back, so that nobody locks it out.',
  retry: 'automatic',
};

const TURN_REJECTED: Problem = {
  code: 'turn_rejected',
  message: 'The server ended the connection at this message. It was put aside, so that the conversation can go on.',
  retry: 'user',
};
