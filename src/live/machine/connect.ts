import type { ServerSignal } from '../signals.ts';
import { enter, patchConnection, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { choosePlan, restorationOf } from './ladder.ts';
import { TOO_MANY_DIALS, wait } from './wait.ts';

/** Begins a connection, unless there is one, or too many were dialled of late. `byUser` may go a little further. */
export function connect(draft: Draft, byUser = false): void {
  const { data, at, config } = draft;
  if (data.connection !== undefined || data.phase.kind === 'closed') return;
  stopTimer(draft, 'retry');
  data.dials = data.dials.filter((time) => Math.abs(at - time) < config.dialWindow);
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
    contextAsFrame: false,
    setupWaits: true,
    early: undefined,
    asked: false,
    endOwed: false,
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
export function contextGathered(draft: Draft, turns: number, asFrame: boolean): boolean {
  const { connection } = draft.data;
  if (connection === undefined || connection.stage === 'preparing' || connection.stage === 'leaving') return false;
  patchConnection(draft, {
    contextTurns: turns,
    contextAsFrame: asFrame,
    restored: restorationOf(connection.plan, turns),
  });
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
  if (connection.contextAsFrame) {
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
