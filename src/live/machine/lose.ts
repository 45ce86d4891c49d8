import type { Problem } from '../../contract/index.ts';
import { problemFrom } from '../close-reasons.ts';
import type { ConnectionEnd } from '../close-reasons.ts';
import { enter, outstanding, patchConnection, patchTurn, removeTurn, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { retireRung } from './ladder.ts';
import { gone, leave, needsConnection } from './leave.ts';
import type { Connection, OutTurn } from './types.ts';
import { backoff, pauseOffline, wait } from './wait.ts';

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
    tell(draft, { type: 'failed', turnId, problem: { ...problem, message: IN_VAIN, retry: 'user' } });
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

const IN_VAIN =
  'This message was sent several times, and each time the connection ended or stayed silent before an answer came. It is kept; send it again.';

const AGAIN = { stage: 'waiting', interrupted: false } as const;

const TURN_REJECTED: Problem = {
  code: 'turn_rejected',
  message: 'The server ended the connection at this message. It was put aside, so that the conversation can go on.',
  retry: 'user',
};
