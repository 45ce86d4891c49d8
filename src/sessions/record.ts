import { applyEntry } from '../archive/index.ts';
import type { Archive, SessionRecord } from '../archive/index.ts';
import type { Turn } from '../contract/index.ts';
import type { Journal, JournalEntry } from '../journal/index.ts';

/** A session's state as its journal has it, and the one way to change it. */
export interface SessionState {
  readonly session: SessionRecord;
  /** A turn that is under way or was touched lately; ended ones are in the archive. */
  turn(turnId: string): Turn | undefined;
  /** Turns under way, in order. */
  readonly underWay: readonly Turn[];
  /** The journal's last line. */
  readonly seq: number;
  /**
   * Writes an entry to the journal, waits for the disk, then applies it. Resolves to the turns that it touched.
   * Rejects with the file system's error; then nothing has changed.
   * Callers take turns: one at a time for a session. Only `turn.sent`, `turn.started` and `turn.delta` may be recorded
   * without waiting for the one before: they are applied in the order of the calls.
   */
  record(entry: JournalEntry): Promise<readonly Turn[]>;
  /** Makes a turn of the archive known here, unless it is, so that an entry can change it. */
  take(turn: Turn): void;
  /** A turn as the archive has it. */
  recall(turnId: string): Promise<Turn | undefined>;
}

export interface SessionStatePorts {
  readonly journal: Journal;
  readonly archive: Archive;
  /** The archive could not be written. The journal has the entry, so the next start makes up for it. */
  readonly archiveFailed: (error: unknown) => void;
}

/** Steps of a turn under way, which the archive gets with the next entry that it does follow. */
const FOLLOWED_LATER: ReadonlySet<JournalEntry['type']> = new Set(['turn.sent', 'turn.started', 'turn.delta']);

const UNDER_WAY: ReadonlySet<Turn['status']> = new Set(['queued', 'sent', 'streaming']);

export function createSessionState(
  initial: SessionRecord,
  underWay: readonly Turn[],
  ports: SessionStatePorts,
): SessionState {
  const { journal, archive } = ports;
  let session = initial;
  const turns = new Map(underWay.map((turn) => [turn.id, turn]));
  /** Turns of which the archive does not have everything. */
  const unsaved = new Set<string>();
  /** Turns that are on their way to it. */
  const saving = new Set<string>();
  /** Ended turns that an entry is about to change. */
  const held = new Set<string>();

  return {
    get session() {
      return session;
    },
    get underWay() {
      return [...turns.values()].filter((turn) => UNDER_WAY.has(turn.status)).sort((a, b) => a.index - b.index);
    },
    get seq() {
      return journal.position.seq;
    },
    turn: (turnId) => turns.get(turnId),
    take(turn) {
      // What is known here may be ahead of the archive.
      if (!turns.has(turn.id)) turns.set(turn.id, turn);
      held.add(turn.id);
    },
    recall: (turnId) => archive.turn(session.id, turnId),
    async record(entry) {
      const { seq, at, bytes } = await journal.append(entry);
      const projected = applyEntry(session, (id) => turns.get(id), { seq, at, entry });
      if (projected === undefined) return [];
      session = projected.session;
      for (const turn of projected.turns) {
        turns.set(turn.id, turn);
        held.delete(turn.id);
      }
      // Streaming text is read from here until its turn ends; the archive need not follow every word. But it must have
      // them before its mark goes beyond them: after a crash, what lies before the mark is not read again.
      if (FOLLOWED_LATER.has(entry.type)) {
        for (const turn of projected.turns) unsaved.add(turn.id);
      } else {
        const behind = [...unsaved].flatMap((id) => turns.get(id) ?? []);
        const batch = [...behind, ...projected.turns];
        // What changes while it is being saved is not saved by it, and stays here until it is.
        unsaved.clear();
        for (const { id } of batch) saving.add(id);
        try {
          await archive.save(session, batch, bytes);
        } catch (error) {
          for (const { id } of batch) unsaved.add(id);
          ports.archiveFailed(error);
        }
        for (const { id } of batch) saving.delete(id);
      }
      for (const turn of turns.values()) {
        const kept = UNDER_WAY.has(turn.status) || unsaved.has(turn.id) || saving.has(turn.id) || held.has(turn.id);
        if (!kept) turns.delete(turn.id);
      }
      return projected.turns;
    },
  };
}
