import { UNTITLED } from '../../archive/index.ts';
import { TITLE_MAX } from '../../contract/index.ts';
import type { Part, Turn } from '../../contract/index.ts';
import { contentHashOf, idFrom } from '../content-hash.ts';
import type { ConversationSource, IncomingConversation } from '../conversation.ts';
import type { LeftOut, LeftOutCount } from './left-out.ts';

const AUTOMATIC_TITLE_MAX = 60;
const DAY_MS = 24 * 60 * 60 * 1000;
const SECOND_MS = 1000;

/** One contribution as a foreign export has it. */
export interface DraftTurn {
  readonly role: 'user' | 'model';
  /** The source's id of it; absent where it has none. */
  readonly id?: string | undefined;
  readonly parts: readonly Part[];
  /** Milliseconds since the epoch. */
  readonly at?: number | undefined;
  readonly model?: string | undefined;
}

/** A foreign conversation, understood but not yet in our own form. */
export interface Draft {
  readonly source: Exclude<ConversationSource, 'holdfast'>;
  readonly sourceId: string;
  readonly title?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly updatedAt?: number | undefined;
  readonly turns: readonly DraftTurn[];
  readonly leftOut: LeftOut;
}

/** What reading a conversation needs to know beyond its text. */
export interface DraftContext {
  /** Milliseconds since the epoch. Nothing was said later than a day after it. */
  readonly now: number;
  /** The date of conversations without any: when the file was last changed. */
  readonly fallbackTime: number;
  /** The file's name without its ending. */
  readonly fileTitle: string;
}

/** Collects turns; what one side says in several pieces becomes one turn with several parts. */
export interface DraftTurns {
  user(turn: Omit<DraftTurn, 'role'>): void;
  model(turn: Omit<DraftTurn, 'role'>): void;
  /** Puts the result into the newest tool call that has none yet. False: there is no such call. */
  toolResult(result: Record<string, unknown>, callId?: string): boolean;
  readonly turns: readonly DraftTurn[];
}

export function collectTurns(): DraftTurns {
  const turns: (DraftTurn & { parts: Part[] })[] = [];
  return {
    turns,
    user: (turn) => {
      if (turn.parts.length > 0) turns.push({ ...turn, role: 'user', parts: joined([], turn.parts) });
    },
    model: (turn) => {
      if (turn.parts.length === 0) return;
      const last = turns.at(-1);
      if (last?.role === 'model') joined(last.parts, turn.parts);
      else turns.push({ ...turn, role: 'model', parts: joined([], turn.parts) });
    },
    toolResult: (result, callId) => {
      const parts = turns.at(-1)?.parts ?? [];
      const at = parts.findLastIndex(
        (part) => part.type === 'tool' && part.result === undefined && (callId === undefined || part.callId === callId),
      );
      const call = parts[at];
      if (call?.type !== 'tool') return false;
      parts[at] = { ...call, result };
      return true;
    },
  };
}

/**
 * Appends parts. Texts are kept apart by an empty line: side by side as one part, and with something in between as
 * two, because `textOf` joins them with nothing.
 */
function joined(parts: Part[], more: readonly Part[]): Part[] {
  for (const part of more) {
    const last = parts.at(-1);
    const before = parts.findLast(({ type }) => type === 'text');
    if (part.type !== 'text' || before?.type !== 'text') parts.push(part);
    else if (last === before) parts[parts.length - 1] = { type: 'text', text: `${before.text}\n\n${part.text}` };
    else parts.push({ type: 'text', text: `\n\n${part.text}` });
  }
  return parts;
}

/** A part of plain words, made well-formed: exports hold halves of characters and zeros, which databases do not take. */
export function textPart(text: string): Part {
  return { type: 'text', text: cleanText(text) };
}

export function thoughtPart(text: string): Part {
  return { type: 'thought', text: cleanText(text) };
}

/** What stands in place of something that an export names but that does not come along. */
export function missingPart(what: string, name?: string): Part {
  const named = name === undefined || name.trim() === '' ? '' : `: ${oneLine(name)}`;
  return { type: 'text', text: `[${what}${named} (not part of the import)]` };
}

export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

/**
 * Milliseconds since the epoch from seconds or an ISO date. `undefined` where there is none, and where there is one that
 * cannot be true: before 1971 or in the future. That is counted.
 */
export function timeFrom(value: unknown, context: DraftContext, leftOut: LeftOutCount): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const time =
    typeof value === 'number' ? value * SECOND_MS : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const possible = time > 365 * DAY_MS && time < context.now + DAY_MS;
  if (!possible) leftOut.add('dates');
  return possible ? Math.trunc(time) : undefined;
}

/** A draft in our own form. Pure: the same draft comes to the same conversation, ids and all. */
export function settle(draft: Draft, context: DraftContext): IncomingConversation {
  const sessionId = idFrom(draft.source, draft.source, draft.sourceId);
  const began =
    draft.createdAt ?? draft.turns.find((turn) => turn.at !== undefined)?.at ?? draft.updatedAt ?? context.fallbackTime;
  const ids = new Set<string>();
  const turns: Turn[] = [];
  let time = began;
  let asked: string | undefined;
  for (const [at, turn] of draft.turns.entries()) {
    time = turn.at ?? time;
    const name = turn.id === undefined || ids.has(turn.id) ? `#${at}` : turn.id;
    ids.add(name);
    const id = idFrom('t', draft.source, draft.sourceId, name);
    turns.push({
      id,
      sessionId,
      index: at + 1,
      role: turn.role,
      parts: turn.parts,
      status: turn.role === 'user' ? 'answered' : 'complete',
      createdAt: time,
      ...(turn.role === 'model' && asked !== undefined && { replyTo: asked }),
      ...(turn.role === 'model' && turn.model !== undefined && { model: turn.model }),
      rev: 0,
    });
    if (turn.role === 'user') asked = id;
  }
  const title = oneLine(draft.title ?? '');
  return {
    session: {
      id: sessionId,
      title: title === '' ? automaticTitle(draft.turns) : shortened(title, TITLE_MAX),
      titled: title !== '',
      status: 'closed',
      createdAt: Math.min(began, ...turns.slice(0, 1).map((turn) => turn.createdAt)),
      lastActivityAt: Math.max(draft.updatedAt ?? 0, time, began),
      turnCount: turns.length,
      rev: 0,
    },
    turns,
    source: draft.source,
    sourceId: draft.sourceId,
    contentHash: contentHashOf(turns),
  };
}

function automaticTitle(turns: readonly DraftTurn[]): string {
  const first = turns.find((turn) => turn.role === 'user') ?? turns[0];
  const words = oneLine((first?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join(' '));
  return words === '' ? UNTITLED : shortened(words, AUTOMATIC_TITLE_MAX);
}

function oneLine(text: string): string {
  return cleanText(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** At most `max` UTF-16 code units, without half a character at the end. */
function shortened(text: string, max: number): string {
  return text.length <= max
    ? text
    : `${text
        .slice(0, max - 1)
        .replace(/[\ud800-\udbff]$/, '')
        .trimEnd()}…`;
}
