import { applyDelta, textOf } from '../contract/index.ts';
import type { Session, Turn } from '../contract/index.ts';
import type { JournalEntry } from '../journal/index.ts';

/** A session as the journal tells it: all but the state of its link, which is of the moment. */
export type SessionRecord = Omit<Session, 'link'>;

/** What an entry came to: the session after it, and the turns that it touched. */
export interface Projected {
  readonly session: SessionRecord;
  readonly turns: readonly Turn[];
  readonly deleted: boolean;
}

export interface PlacedEntry {
  readonly seq: number;
  readonly at: number;
  readonly entry: JournalEntry;
}

export const UNTITLED = 'New session';
const AUTOMATIC_TITLE_MAX = 60;

/**
 * Applies one entry of a session's journal. Pure. `turnOf` finds a turn as the entries before left it.
 * `undefined`: the entry speaks of something that is not there (possible behind damage) and changes nothing.
 */
export function applyEntry(
  session: SessionRecord | undefined,
  turnOf: (turnId: string) => Turn | undefined,
  { seq, at, entry }: PlacedEntry,
): Projected | undefined {
  if (entry.type === 'session.created') {
    if (session !== undefined) return undefined;
    return {
      session: {
        id: entry.sessionId,
        title: entry.title,
        titled: entry.titled,
        status: 'open',
        createdAt: at,
        lastActivityAt: at,
        turnCount: 0,
        rev: seq,
      },
      turns: [],
      deleted: false,
    };
  }
  if (entry.type === 'session.snapshot') {
    return {
      session: { ...entry.session, rev: seq },
      turns: entry.turns.map((turn) => ({ ...turn, rev: seq })),
      deleted: false,
    };
  }
  if (session === undefined) return undefined;
  const touched = (change: Partial<SessionRecord>, turns: readonly Turn[] = []): Projected => ({
    session: { ...session, ...change, rev: seq },
    turns: turns.map((turn) => ({ ...turn, rev: seq })),
    deleted: false,
  });

  switch (entry.type) {
    case 'session.titled':
      return touched({ title: entry.title, titled: entry.titled });
    case 'session.opened':
      return touched({ status: 'open', lastActivityAt: at });
    case 'session.closed':
      return touched({ status: 'closed' });
    case 'session.deleted':
      return { ...touched({}), deleted: true };
    case 'turn.accepted': {
      if (turnOf(entry.turnId) !== undefined) return undefined;
      const turn: Turn = {
        id: entry.turnId,
        sessionId: session.id,
        index: session.turnCount + 1,
        role: 'user',
        parts: entry.parts,
        status: 'queued',
        createdAt: at,
        rev: seq,
      };
      const named = session.titled || session.title !== UNTITLED ? {} : { title: titleFrom(turn) };
      return touched({ ...named, turnCount: session.turnCount + 1, lastActivityAt: at }, [turn]);
    }
    case 'turn.started': {
      if (turnOf(entry.turnId) !== undefined) return undefined;
      const asked = entry.replyTo === undefined ? undefined : turnOf(entry.replyTo);
      const answer: Turn = {
        id: entry.turnId,
        sessionId: session.id,
        index: session.turnCount + 1,
        role: 'model',
        parts: [],
        status: 'streaming',
        createdAt: at,
        ...(entry.replyTo !== undefined && { replyTo: entry.replyTo }),
        ...(entry.continues !== undefined && { continues: entry.continues }),
        provider: entry.provider,
        model: entry.model,
        rev: seq,
      };
      const turns =
        asked === undefined ? [answer] : [{ ...without(asked, 'continues'), status: 'answered' as const }, answer];
      return touched({ turnCount: session.turnCount + 1, lastActivityAt: at }, turns);
    }
    case 'link.noted': {
      if (turnOf(entry.turnId) !== undefined) return undefined;
      const note: Turn = {
        id: entry.turnId,
        sessionId: session.id,
        index: session.turnCount + 1,
        role: 'note',
        parts: [{ type: 'note', note: entry.note, turns: entry.turns }],
        status: 'complete',
        createdAt: at,
        rev: seq,
      };
      return touched({ turnCount: session.turnCount + 1 }, [note]);
    }
    case 'turn.sent':
    case 'turn.asked-again': {
      const turn = turnOf(entry.turnId);
      if (turn === undefined) return undefined;
      const rest = without(turn, 'problem', 'endedAt');
      if (entry.type === 'turn.sent') return touched({}, [{ ...rest, status: 'sent' }]);
      // One that is on its way is asked for the same once more; one that was over is asked anew.
      const onItsWay = turn.status === 'sent' || turn.status === 'queued';
      return touched({}, [{ ...(onItsWay ? rest : without(rest, 'continues')), status: 'queued' }]);
    }
    case 'turn.delta': {
      const turn = turnOf(entry.turnId);
      if (turn === undefined) return undefined;
      const outcome = applyDelta(turn, { ...entry, sessionId: session.id });
      return outcome.kind === 'applied' ? touched({}, [outcome.turn]) : undefined;
    }
    case 'turn.tool': {
      const turn = turnOf(entry.turnId);
      if (turn === undefined || entry.part > turn.parts.length) return undefined;
      const parts = turn.parts.slice();
      parts[entry.part] = entry.tool;
      return touched({}, [{ ...turn, parts }]);
    }
    case 'turn.ended': {
      const turn = turnOf(entry.turnId);
      if (turn === undefined) return undefined;
      const ended: Turn = {
        ...turn,
        status: entry.status,
        endedAt: at,
        ...(entry.usage && { usage: entry.usage }),
        ...(entry.problem && { problem: entry.problem }),
      };
      const question = entry.asksAgain === undefined ? undefined : turnOf(entry.asksAgain);
      if (question === undefined) return touched({ lastActivityAt: at }, [ended]);
      const continues = entry.status === 'interrupted' && textOf(turn) !== '' ? turn.id : turn.continues;
      const again: Turn = {
        ...without(question, 'problem', 'endedAt', 'continues'),
        status: 'queued',
        ...(continues !== undefined && { continues }),
      };
      return touched({ lastActivityAt: at }, [ended, again]);
    }
  }
}

function without<Key extends keyof Turn>(turn: Turn, ...keys: readonly Key[]): Omit<Turn, Key> {
  const rest: Partial<Record<keyof Turn, unknown>> = { ...turn };
  for (const key of keys) delete rest[key];
  return rest as Omit<Turn, Key>;
}

/** A whole session, folded from its journal. */
export interface FoldedSession {
  readonly session: SessionRecord;
  readonly turns: readonly Turn[];
  readonly deleted: boolean;
}

/** Folds all entries of a journal; `undefined` when it does not say what session it is of. */
export function foldEntries(entries: Iterable<PlacedEntry>): FoldedSession | undefined {
  const turns = new Map<string, Turn>();
  let session: SessionRecord | undefined;
  let deleted = false;
  for (const placed of entries) {
    const projected = applyEntry(session, (id) => turns.get(id), placed);
    if (projected === undefined) continue;
    session = projected.session;
    deleted ||= projected.deleted;
    for (const turn of projected.turns) turns.set(turn.id, turn);
  }
  if (session === undefined) return undefined;
  return { session, turns: [...turns.values()].sort((a, b) => a.index - b.index), deleted };
}

function titleFrom(turn: Turn): string {
  const text = turn.parts
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
  const points = Array.from(text);
  if (points.length === 0) return UNTITLED;
  if (points.length <= AUTOMATIC_TITLE_MAX) return text;
  const cut = points.slice(0, AUTOMATIC_TITLE_MAX).join('');
  const space = cut.lastIndexOf(' ');
  return `${space > AUTOMATIC_TITLE_MAX / 2 ? cut.slice(0, space) : cut}…`;
}
