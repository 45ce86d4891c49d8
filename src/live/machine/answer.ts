import type { ServerSignal } from '../signals.ts';
import { pump } from './ask.ts';
import { outstanding, patchConnection, patchTurn, removeTurn, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { isCovered, offerRung } from './ladder.ts';
import { hurry, learnLifetime, leave, rotate, rotateIfPossible } from './leave.ts';
import { lose } from './lose.ts';
import { leaveIfCollapsed } from './proof.ts';
import { isOld, isReplay, REPLAY_MAX_CHARS, SAID_KEPT } from './replay.ts';
import type { OutTurn, ToolResult } from './types.ts';

/** How many ids of finished tool calls are remembered. */
const TOOLS_REMEMBERED = 200;

/** One thing that the server said on the connection that is. */
export function heard(draft: Draft, signal: ServerSignal): void {
  const { data, at, config } = draft;
  const { connection } = data;
  if (connection?.stage !== 'ready') return;
  const turn = outstanding(data);
  switch (signal.kind) {
    case 'text':
    case 'thought':
    case 'audio':
    case 'tool-call': {
      if (isReplay(draft, signal)) return;
      if (turn === undefined && !connection.asked && connection.restored !== 'new') {
        // A model that resumes may greet again, or say once more what it said last. Nobody asked for it; what is to be
        // asked waits for its end, so that the two are not taken for one another.
        data.greets = true;
        data.settling = true;
        startTimer(draft, 'settle', config.answerSilence);
        tell(draft, {
          type: 'odd',
          what: 'Words before anything was asked were left out',
          facts: { kind: signal.kind },
        });
        return;
      }
      if (turn === undefined && data.suspect !== undefined) {
        reopen(draft, data.suspect);
        heard(draft, signal);
        return;
      }
      const first = turn?.stage === 'sent';
      if (first) {
        patchTurn(draft, turn.turnId, { stage: 'answering' });
        patchConnection(draft, { proven: true });
        tell(draft, { type: 'first-delta', ms: at - (turn.sentAt ?? at) });
      }
      if (turn === undefined) data.unasked = true;
      if (turn !== undefined && turn.stage !== 'stopping') startTimer(draft, 'answer', config.answerSilence);
      if (turn?.stage === 'stopping') return;
      if (signal.kind === 'tool-call') callTool(draft, signal, turn?.turnId);
      else if (signal.kind !== 'audio') {
        if (signal.kind === 'text') data.speaking = (data.speaking + signal.text).slice(0, REPLAY_MAX_CHARS);
        if (signal.kind === 'text' && turn?.spoke === false) patchTurn(draft, turn.turnId, { spoke: true });
        tell(draft, { type: 'words', turnId: turn?.turnId, kind: signal.kind, text: signal.text });
      }
      return;
    }
    case 'heard':
      // It heard something though nothing was said on this connection: it says the last exchange once more.
      if (connection.restored !== 'new' && !connection.proven && !signal.interim) data.replay = '';
      return;
    case 'tool-cancel': {
      const tools = { ...data.tools };
      for (const id of signal.ids) delete tools[id];
      data.tools = tools;
      tell(draft, { type: 'tool-cancelled', ids: signal.ids });
      return;
    }
    case 'usage':
      data.usage = signal.usage;
      return;
    case 'generation-complete':
      if (data.replay !== undefined && turn?.stage === 'sent' && isOld(data)) return;
      replayWasAnswer(draft, turn);
      if (turn !== undefined || data.unasked) startTimer(draft, 'end', config.endSilence);
      return;
    case 'interrupted':
      interrupted(draft, turn);
      return;
    case 'turn-complete':
      if (data.replay !== undefined && turn?.stage === 'sent' && isOld(data)) {
        // The end of what was said once more: the answer is still to come.
        data.replay = undefined;
        return;
      }
      if (connection.endOwed) {
        // The end of an answer that counted as over since the server had fallen silent.
        patchConnection(draft, { endOwed: false });
        if (turn?.stage === 'sent') return;
      }
      replayWasAnswer(draft, turn);
      finish(draft);
      return;
    case 'handle':
      offerRung(draft, signal.handle, signal.consumed);
      if (data.suspect === undefined) {
        stopTimer(draft, 'settle');
        data.settling = false;
      }
      if (!rotateIfPossible(draft)) pump(draft);
      return;
    case 'go-away': {
      learnLifetime(draft, connection);
      const left = signal.timeLeftMs ?? config.goAwayDefault;
      rotate(draft, at + Math.max(0, left - config.goAwayMargin));
      return;
    }
    case 'malformed':
      tell(draft, { type: 'odd', what: 'A frame could not be read', facts: { shape: signal.shape } });
      return;
    case 'not-resumable':
      // It begins to answer: what came before was not the answer.
      data.replay = undefined;
      return;
    case 'setup-complete':
      return;
  }
}

/** The turn ends, and nothing but what was taken for a replay has come: then that was the answer. Nothing is lost by it. */
function replayWasAnswer(draft: Draft, turn: OutTurn | undefined): void {
  const text = draft.data.replay;
  draft.data.replay = undefined;
  if (turn?.stage === 'sent' && text) heard(draft, { kind: 'text', text });
}

function interrupted(draft: Draft, turn: OutTurn | undefined): void {
  const { data, config } = draft;
  if (turn === undefined) {
    if (data.unasked) startTimer(draft, 'end', config.endSilence);
    return;
  }
  if (turn.stage === 'stopping') {
    patchTurn(draft, turn.turnId, { interrupted: true });
    startTimer(draft, 'end', config.endSilence);
    return;
  }
  const { connection } = data;
  const afterAll = connection !== undefined && turn.messageIndex !== connection.sent - 1;
  const greeting = connection?.restored !== 'new' && connection?.firstAsked === turn.turnId;
  if (afterAll || !greeting) {
    // Something was said after the question and the server heard it, or it stopped for a reason of its own.
    patchTurn(draft, turn.turnId, { stage: 'answering', interrupted: true });
    startTimer(draft, 'end', config.endSilence);
    return;
  }
  // Nothing was sent since the question, so it is the question that interrupted: what came before it was the end of
  // something else (a greeting after a resume), and the answer is still to come after that thing's turnComplete.
  stopTimer(draft, 'end');
  data.greets = true;
  if (turn.stage === 'answering') tell(draft, { type: 'not-the-answer', turnId: turn.turnId });
  patchTurn(draft, turn.turnId, { stage: 'sent', interrupted: true });
  startTimer(draft, 'answer', config.answerSilence);
}

/** A turn is over: the server said so, or has been silent after its last word. */
export function finish(draft: Draft): void {
  const { data, config } = draft;
  const { connection } = data;
  const turn = outstanding(data);
  stopTimer(draft, 'end');
  const usage = data.usage;
  data.replay = undefined;
  if (turn !== undefined || data.unasked) {
    if (data.speaking !== '') data.said = [data.speaking, ...data.said].slice(0, SAID_KEPT);
    data.speaking = '';
  }
  if (turn === undefined) {
    if (!data.unasked) {
      // The end of a greeting.
      stopTimer(draft, 'settle');
      data.settling = false;
      pump(draft);
      return;
    }
    data.unasked = false;
    data.usage = undefined;
    tell(draft, { type: 'answered', turnId: undefined, how: 'complete', usage });
    if (!rotateIfPossible(draft)) pump(draft);
    return;
  }
  if (turn.interrupted && turn.stage === 'sent') {
    // The end of what the question interrupted.
    patchTurn(draft, turn.turnId, { interrupted: false });
    return;
  }
  stopTimer(draft, 'answer', 'stop');
  data.usage = undefined;
  removeTurn(draft, turn.turnId);
  data.lastAnswered = turn.turnId;
  data.seeding = 'history';
  const suspect = connection?.restored !== 'new' && connection?.firstAsked === turn.turnId && turn.stage !== 'stopping';
  if (suspect) {
    data.suspect = turn;
    startTimer(draft, 'suspect', config.suspectFor);
  }
  patchConnection(draft, { proven: true });
  tell(draft, {
    type: 'answered',
    turnId: turn.turnId,
    how: turn.stage === 'stopping' ? 'stopped' : turn.interrupted ? 'interrupted' : 'complete',
    usage,
  });
  // A greeting's count says nothing of the question: what may be one is judged when that is known.
  if (suspect) data.suspectPrompt = usage?.promptTokens;
  else if (usage !== undefined && leaveIfCollapsed(draft, usage.promptTokens)) return;
  if (data.phase.kind === 'rotating') {
    if (!rotateIfPossible(draft)) hurry(draft);
    return;
  }
  // The handle that covers this answer follows at once, where there are handles; the next question would blur it.
  if (suspect || (data.outbox.length > 0 && data.ladder.length > 0 && !isCovered(data))) {
    data.settling = true;
    startTimer(draft, 'settle', suspect ? suspectSettle(draft) : config.settle);
    return;
  }
  pump(draft);
}

/** How long the question after a suspect answer waits, in milliseconds. */
function suspectSettle({ data, config }: Draft): number {
  return data.greets ? config.settleGreeter : config.settleSuspect;
}

/** What had been taken for the answer to a question was a greeting: the answer comes now. */
function reopen(draft: Draft, suspect: OutTurn): void {
  const { data, at } = draft;
  const { turnId } = suspect;
  stopTimer(draft, 'suspect', 'settle');
  data.greets = true;
  data.suspect = undefined;
  data.heldHandle = undefined;
  data.settling = false;
  // A handle that came in between knows the question and not the answer: it stands for nothing certain.
  data.ladder = data.ladder.filter((rung) => rung.after !== turnId);
  tell(draft, { type: 'ladder', ladder: data.ladder, tokens: data.tokens });
  tell(draft, { type: 'not-the-answer', turnId });
  const turn: OutTurn = { ...suspect, stage: 'sent', sentAt: at, spoke: false, interrupted: false };
  // Asked again by the user in the meantime: this is the answer to that, too.
  data.outbox = [turn, ...data.outbox.filter((other) => other.turnId !== turnId)];
}

function callTool(
  draft: Draft,
  { id, name, args }: ServerSignal & { kind: 'tool-call' },
  turnId: string | undefined,
): void {
  const { data } = draft;
  const epoch = data.connection?.epoch ?? 0;
  data.tools = { ...data.tools, [id]: { name, epoch } };
  // A call that comes again, after a resume for one, is not run again; what came of it is said here too.
  if (data.ranTools.includes(id)) {
    const known = data.toolResults.find(({ result }) => result.id === id);
    if (known !== undefined && known.epoch !== epoch) answerTool(draft, known.result);
    return;
  }
  data.ranTools = [...data.ranTools, id].slice(-TOOLS_REMEMBERED);
  tell(draft, { type: 'tool-call', turnId, id, name, args });
}

function answerTool(draft: Draft, result: ToolResult): void {
  const { data } = draft;
  const { connection } = data;
  if (connection === undefined) return;
  const { [result.id]: _answered, ...tools } = data.tools;
  data.tools = tools;
  data.orphans = data.orphans.filter(({ id }) => id !== result.id);
  data.toolResults = data.toolResults.map((known) =>
    known.result.id === result.id ? { result, epoch: connection.epoch } : known,
  );
  draft.effects.push({ type: 'tool-response', epoch: connection.epoch, result });
  patchConnection(draft, { sent: connection.sent + 1 });
}

/** The answer that is due does not come. */
export function silent(draft: Draft): void {
  const turn = outstanding(draft.data);
  if (turn === undefined) return;
  const unproven = draft.data.connection?.plan.kind === 'handle' && !draft.data.connection.proven;
  const { deafAfter, answerSilence } = draft.config;
  lose(draft, { kind: 'silent', waitedMs: unproven ? deafAfter : answerSilence }, false);
}

/** A server that goes on as if `stop` had not been said is left: its frames must not run into the next answer. */
export function stopIgnored(draft: Draft): void {
  const { data } = draft;
  const turn = outstanding(data);
  if (turn?.stage !== 'stopping') return;
  removeTurn(draft, turn.turnId);
  data.lastAnswered = turn.turnId;
  tell(draft, { type: 'answered', turnId: turn.turnId, how: 'stopped', usage: data.usage });
  data.phase = { kind: 'redial' };
  data.since = draft.at;
  leave(draft, 'rotated');
}
