import { pump } from './ask.ts';
import { connect } from './connect.ts';
import { enter, outstanding, patchConnection, patchTurn, removeTurn, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { dropLadder } from './ladder.ts';
import { CUT_OFF, hurry, leave, rotate } from './leave.ts';
import { cut } from './lose.ts';
import { isBusy } from './state.ts';
import type { LeaveReason, LinkData, OutTurn } from './types.ts';
import { pauseOffline } from './wait.ts';

export function ask(draft: Draft, turnId: string, continuation: boolean): void {
  const { data } = draft;
  if (data.outbox.some((turn) => turn.turnId === turnId)) return;
  const turn: OutTurn = {
    turnId,
    stage: 'waiting',
    losses: 0,
    deaths: 0,
    spoke: false,
    continuation,
    interrupted: false,
  };
  data.outbox = [...data.outbox, turn];
  if (data.connection?.stage === 'ready') {
    pump(draft);
    hurry(draft);
  }
  // A wait or a pause goes on; what needs the user may have been mended by now.
  else if (data.phase.kind === 'idle' || data.phase.kind === 'needs-you') connect(draft);
}

export function stop(draft: Draft): void {
  const { data, config } = draft;
  const turn = outstanding(data) ?? data.outbox[0];
  if (turn === undefined || turn.stage === 'stopping') return;
  const { connection } = data;
  if (turn.stage === 'waiting' || connection?.stage !== 'ready') {
    removeTurn(draft, turn.turnId);
    tell(draft, { type: 'answered', turnId: turn.turnId, how: 'stopped', usage: undefined });
    return;
  }
  patchTurn(draft, turn.turnId, { stage: 'stopping', interrupted: false });
  stopTimer(draft, 'answer', 'end');
  draft.effects.push({ type: 'interrupt', epoch: connection.epoch });
  patchConnection(draft, { sent: connection.sent + 1 });
  startTimer(draft, 'stop', config.stopGrace);
}

export function sendAudio(draft: Draft, base64: string): void {
  const { data, config } = draft;
  const { connection } = data;
  if (connection?.stage === 'ready' && data.phase.kind === 'connected') {
    draft.effects.push({ type: 'audio', epoch: connection.epoch, base64 });
    patchConnection(draft, { sent: connection.sent + 1, asked: true, listened: true });
    return;
  }
  const audio = [...data.audio, base64];
  let bytes = data.audioBytes + bytesIn(base64);
  while (bytes > config.audioMaxBytes && audio.length > 1) bytes -= bytesIn(audio.shift()!);
  data.audio = audio;
  data.audioBytes = bytes;
  if (data.phase.kind === 'idle') connect(draft);
}

/** How many bytes a piece of base64 stands for. */
function bytesIn(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}

/** So many results are at hand for calls that come again. */
const TOOL_RESULTS_KEPT = 20;

export function toolResult(draft: Draft, result: LinkData['orphans'][number]): void {
  const { data } = draft;
  const call = data.tools[result.id];
  if (call === undefined) return;
  const tools = { ...data.tools };
  delete tools[result.id];
  data.tools = tools;
  const { connection } = data;
  const there = connection?.stage === 'ready' && connection.epoch === call.epoch;
  data.toolResults = [{ result, epoch: there ? call.epoch : 0 }, ...data.toolResults].slice(0, TOOL_RESULTS_KEPT);
  if (there) {
    draft.effects.push({ type: 'tool-response', epoch: connection.epoch, result });
    patchConnection(draft, { sent: connection.sent + 1 });
    return;
  }
  // Its connection is gone, and a response to a call that the next one never made would end that too.
  data.orphans = [...data.orphans, result];
}

export function reconnect(draft: Draft): void {
  const { data, at, config } = draft;
  const { connection } = data;
  if (connection?.stage === 'leaving') {
    data.attempts = 0;
    enter(draft, { kind: 'redial' });
    return;
  }
  // A dial that has just been made is what is wanted.
  if (connection !== undefined && connection.stage !== 'ready' && at - connection.dialledAt < config.dialPatience)
    return;
  data.attempts = 0;
  if (connection === undefined) {
    goOn(draft, true);
    return;
  }
  beginAnew(draft, 'fresh');
}

/** The connection is left at once, whatever is being said on it, and the next one dialled. */
function beginAnew(draft: Draft, why: LeaveReason): void {
  putBack(draft);
  enter(draft, { kind: 'redial' });
  leave(draft, why);
}

export function startFresh(draft: Draft): void {
  const { data } = draft;
  dropLadder(draft);
  data.seeding = 'history';
  data.tokens = undefined;
  if (data.connection === undefined) renew(draft, 'fresh');
  else if (data.connection.stage !== 'leaving') beginAnew(draft, 'fresh');
}

/** Leaves whatever kept the link from being connected. */
export function goOn(draft: Draft, byUser: boolean): void {
  const { data } = draft;
  stopTimer(draft, 'retry');
  if (data.connection !== undefined) enter(draft, { kind: 'redial' });
  else {
    enter(draft, { kind: 'idle' });
    connect(draft, byUser);
  }
}

/** The next connection is to be a new one: at once between turns, otherwise when the answer that comes is over. */
export function renew(draft: Draft, why: 'fresh' | 'settings'): void {
  const { data, at, config } = draft;
  const { connection, phase } = data;
  if (connection === undefined) {
    if (phase.kind === 'waiting' || phase.kind === 'needs-you') {
      stopTimer(draft, 'retry');
      enter(draft, { kind: 'idle' });
    }
    if (why === 'fresh' || data.outbox.length > 0) {
      if (data.phase.kind === 'idle') connect(draft, why === 'fresh');
    }
    return;
  }
  if (connection.stage === 'leaving') return;
  if (outstanding(data) !== undefined || data.unasked) {
    // An answer is not cut for it; a server that has said when it ends is believed.
    rotate(draft, phase.kind === 'rotating' ? phase.until : at + config.lifetimeGuess);
    return;
  }
  enter(draft, { kind: 'redial' });
  leave(draft, why);
}

/** What the connection has in hand goes back to the queue: it is we who hang up. */
export function putBack(draft: Draft): void {
  const { data } = draft;
  const turn = outstanding(data);
  if (turn === undefined) {
    if (data.unasked) tell(draft, { type: 'cut', turnId: undefined, problem: CUT_OFF, goesOn: false });
    data.unasked = false;
    return;
  }
  const { turnId } = turn;
  if (turn.stage === 'sent') {
    patchTurn(draft, turnId, { stage: 'waiting', interrupted: false, losses: turn.losses + 1 });
    tell(draft, { type: 'requeued', turnId });
    return;
  }
  if (turn.stage === 'stopping') {
    data.lastAnswered = turnId;
    removeTurn(draft, turnId);
    tell(draft, { type: 'answered', turnId, how: 'stopped', usage: undefined });
  } else cut(draft, turn, CUT_OFF);
}

export function network(draft: Draft, online: boolean): void {
  const { data } = draft;
  if (data.online === online) return;
  data.online = online;
  const { phase } = data;
  if (!online) {
    if (phase.kind === 'waiting' && data.connection === undefined) pauseOffline(draft);
    return;
  }
  if (phase.kind === 'waiting' || (phase.kind === 'paused' && phase.by === 'offline')) goOn(draft, false);
}

export function wake(draft: Draft): void {
  const { data, at, config } = draft;
  const { connection, phase } = data;
  if (connection?.stage === 'ready') {
    if (outstanding(data) !== undefined) startTimer(draft, 'answer', config.wakeGrace);
    // Interfaces that come and go every few seconds must not use up the dials: its pings look after a young one.
    else if (at - connection.dialledAt >= config.healthyAfter) {
      // It may be long dead without a sign; a new one costs little and is certain.
      enter(draft, { kind: 'redial' });
      leave(draft, 'lost');
    }
  } else if (
    connection === undefined &&
    (phase.kind === 'waiting' || (phase.kind === 'paused' && phase.by === 'offline'))
  ) {
    goOn(draft, false);
  }
}

export function expire(draft: Draft): void {
  const { data } = draft;
  if (isBusy(data)) return;
  dropLadder(draft);
  // A pause, a wait and what needs the user stay what they are.
  if (data.connection === undefined || (data.phase.kind !== 'connected' && data.phase.kind !== 'rotating')) return;
  enter(draft, { kind: 'idle' });
  leave(draft, 'idle');
}
