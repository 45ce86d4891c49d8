import { applyDelta } from '../../src/contract/index.ts';
import type { LinkState, Part, Turn, TurnDelta } from '../../src/contract/index.ts';
import type { Conversation } from './state.ts';

export interface HistoryPage {
  readonly turns: readonly Turn[];
  readonly hasMore: boolean;
}

/** `gap`: something before the change is missing here, so the newest page has to be fetched again. */
export interface ConversationChange {
  readonly conversation: Conversation;
  readonly gap: boolean;
}

export const loadingConversation: Conversation = {
  turns: [],
  hasMore: false,
  newest: { kind: 'loading' },
  older: 'idle',
};

/** Events come in order; an answer to a request, a page too, may have been overtaken by events. */
export type Origin = 'event' | 'answer';

/**
 * The newer of two states of one turn. While an answer streams, pages and events may each be ahead of the other;
 * its text only grows, so the longer one is the newer one.
 */
export function newerTurn(have: Turn, incoming: Turn, origin: Origin): Turn {
  if (incoming.rev < have.rev) return have;
  if (have.status !== 'streaming') return incoming.rev === have.rev && origin === 'answer' ? have : incoming;
  if (incoming.status !== 'streaming') return incoming;
  const parts = have.parts.length > incoming.parts.length ? have.parts : incoming.parts;
  return { ...incoming, parts: parts.map((part, at) => longerPart(part, have.parts[at], incoming.parts[at])) };
}

function longerPart(fallback: Part, have: Part | undefined, incoming: Part | undefined): Part {
  if (have === undefined || incoming === undefined) return fallback;
  if (have.type !== 'text' && have.type !== 'thought') return incoming;
  return have.type === incoming.type && have.text.length > incoming.text.length ? have : incoming;
}

/** Takes in a turn that the core reported. */
export function withTurn(conversation: Conversation, turn: Turn, origin: Origin): ConversationChange {
  const { turns } = conversation;
  const at = findTurn(turns, turn.id);
  if (at >= 0) {
    const newer = newerTurn(turns[at] as Turn, turn, origin);
    if (newer === turns[at]) return { conversation, gap: false };
    const next = turns.slice();
    next[at] = newer;
    return { conversation: { ...conversation, turns: next }, gap: false };
  }
  const first = turns[0];
  const last = turns.at(-1);
  // Until the first page is here there is nothing to join on to; the page is merged over whatever came before it.
  if (conversation.newest.kind !== 'ready') {
    const next = [...turns, turn].sort((a, b) => a.index - b.index);
    return { conversation: { ...conversation, turns: next }, gap: false };
  }
  if (first !== undefined && turn.index < first.index) return { conversation, gap: false };
  if (turn.index !== (last?.index ?? 0) + 1) return { conversation, gap: true };
  return { conversation: { ...conversation, turns: [...turns, turn] }, gap: false };
}

/** Applies a run of deltas, copying the list of turns once. */
export function withDeltas(conversation: Conversation, deltas: readonly TurnDelta[]): ConversationChange {
  let turns: Turn[] | undefined;
  let gap = false;
  for (const delta of deltas) {
    const list = turns ?? conversation.turns;
    const at = findTurn(list, delta.turnId);
    const turn = list[at];
    if (turn === undefined) {
      if (conversation.newest.kind === 'ready') gap = true;
      continue;
    }
    // A delta cannot change an answer that has ended: it can only be a late copy.
    if (turn.status !== 'streaming') continue;
    const outcome = applyDelta(turn, delta);
    switch (outcome.kind) {
      case 'applied':
        turns ??= conversation.turns.slice();
        turns[at] = outcome.turn;
        break;
      case 'known':
        break;
      case 'gap':
        gap = true;
        break;
    }
  }
  return { conversation: turns === undefined ? conversation : { ...conversation, turns }, gap };
}

/** Merges the newest page of the history over what is held, without losing what arrived by events since it was read. */
export function withNewestPage(held: Conversation, page: HistoryPage): Conversation {
  const first = page.turns[0];
  const last = page.turns.at(-1);
  const ready = { newest: { kind: 'ready' } as const, older: held.older };
  if (first === undefined || last === undefined) {
    const contiguous = held.turns[0]?.index === 1 ? held.turns : [];
    return { ...ready, turns: contiguous, hasMore: false };
  }
  const byId = new Map(held.turns.map((turn) => [turn.id, turn]));
  const inPage = page.turns.map((turn) => {
    const have = byId.get(turn.id);
    return have === undefined ? turn : newerTurn(have, turn, 'answer');
  });
  const before = held.turns.filter((turn) => turn.index < first.index);
  // An answer that was streaming may have ended out of the page's sight: what lies before is then fetched anew.
  const joins = before.at(-1)?.index === first.index - 1 && before.every((turn) => turn.status !== 'streaming');
  const after = held.turns.filter((turn) => turn.index > last.index);
  const joinsAfter = after[0]?.index === last.index + 1;
  return {
    ...ready,
    turns: [...(joins ? before : []), ...inPage, ...(joinsAfter ? after : [])],
    hasMore: joins ? held.hasMore : page.hasMore,
  };
}

/** Puts an older page in front. A page that no longer joins on is left out. */
export function withOlderPage(held: Conversation, page: HistoryPage): Conversation {
  const first = held.turns[0];
  const older = first === undefined ? [] : page.turns.filter((turn) => turn.index < first.index);
  if (first === undefined || older.at(-1)?.index !== first.index - 1) return { ...held, older: 'idle' };
  return { ...held, turns: [...older, ...held.turns], hasMore: page.hasMore, older: 'idle' };
}

/** From the end, since what changes is nearly always the newest. */
function findTurn(turns: readonly Turn[], id: string): number {
  for (let at = turns.length - 1; at >= 0; at -= 1) if (turns[at]?.id === id) return at;
  return -1;
}

/** Whether the link has a connection that questions go out on. */
export function isConnected(link: LinkState | undefined): boolean {
  return link?.kind === 'live' || link?.kind === 'rotating';
}

/** The newest turn that somebody said: notes say nothing. */
export function lastSaid(turns: readonly Turn[]): Turn | undefined {
  return turns.findLast((turn) => turn.role !== 'note');
}

/** The answer that is under way. Only notes and messages that wait can come after it. */
export function streamingAnswer(conversation: Conversation | undefined): Turn | undefined {
  return conversation?.turns.slice(-4).find((turn) => turn.status === 'streaming');
}

/** Whether there is an answer that can be stopped. */
export function isAnswering(conversation: Conversation | undefined, link: LinkState | undefined): boolean {
  const last = lastSaid(conversation?.turns ?? []);
  if (last === undefined) return false;
  if (streamingAnswer(conversation) !== undefined) return true;
  return isConnected(link) && last.role === 'user' && last.status === 'sent';
}

/**
 * What becomes of a cut answer: another one goes on with it, its question waits to be sent again, or nothing by itself.
 */
export function afterCut(conversation: Conversation | undefined, cut: Turn): 'continued' | 'waiting' | 'nothing' {
  const turns = conversation?.turns ?? [];
  const later = turns.slice(Math.max(0, cut.index - (turns[0]?.index ?? 1) + 1));
  if (later.some((turn) => turn.continues === cut.id)) return 'continued';
  const question = turns.findLast((turn) => turn.id === cut.replyTo);
  return question?.status === 'queued' ? 'waiting' : 'nothing';
}

/** Whether a question that waits to be sent has an answer already that was cut. */
export function isCutQuestion(conversation: Conversation | undefined, question: Turn): boolean {
  return (conversation?.turns ?? []).findLast((turn) => turn.replyTo === question.id)?.status === 'interrupted';
}
