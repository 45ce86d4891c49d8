import { foldEntries } from '../archive/index.ts';
import type { Archive, FoldedSession, PlacedEntry } from '../archive/index.ts';
import type { Problem } from '../contract/index.ts';
import { journalEntrySchema } from '../journal/index.ts';
import type { JournalContent, Journals } from '../journal/index.ts';

/** Files looked at side by side: enough to hide the disk's latency. */
const STATS_AT_ONCE = 64;
const ALL_TURNS = Number.MAX_SAFE_INTEGER;

export interface ReconcilePorts {
  readonly journals: Journals;
  readonly archive: Archive;
  readonly notify: (problem: Problem) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
}

/**
 * Brings the archive to where the journals are: sessions whose journal has grown since (a crash between the two) are
 * folded again, sessions that were being deleted are erased to the end, and damage is reported.
 * A session whose journal is up to date costs one `stat`.
 */
export async function reconcile({ journals, archive, notify, report }: ReconcilePorts): Promise<void> {
  const marks = await archive.highWaterMarks();
  const ids = await journals.ids();
  for (let at = 0; at < ids.length; at += STATS_AT_ONCE) {
    const batch = ids.slice(at, at + STATS_AT_ONCE);
    const sizes = await Promise.all(batch.map((id) => journals.size(id)));
    for (const [index, id] of batch.entries()) {
      if (marks.get(id) !== sizes[index]) await bringUp(id);
    }
  }

  async function bringUp(sessionId: string): Promise<void> {
    const path = journals.pathOf(sessionId);
    const content = await journals.load(sessionId);
    const folded = foldEntries(
      entriesOf(content, (seq) => report('A journal line is of an unknown kind', { sessionId, seq })),
    );
    if (folded === undefined) {
      // Created and never acknowledged: nothing was promised. Anything more than a torn first line is kept for a look.
      if (content.goodBytes === 0 && content.tornLines === 0) return journals.remove(sessionId);
      notify(damaged(path, 'A conversation’s record cannot be read. The file is kept where it is.'));
      return;
    }
    if (folded.deleted) {
      await archive.remove(sessionId);
      await journals.remove(sessionId);
      return;
    }
    const known = await archive.session(sessionId);
    const shrunk = content.goodBytes < (marks.get(sessionId) ?? 0);
    if (known !== undefined && (shrunk || content.damage.length > 0)) {
      // The archive holds what the journal has lost: both together are the best there is, and a new journal begins with it.
      const whole = merged({ session: known, turns: await archive.turns(sessionId, undefined, ALL_TURNS) }, folded);
      await archive.replace(whole, 0);
      const aside = await journals.setAside(sessionId);
      notify(
        damaged(
          aside,
          `Part of the record of “${known.title}” was damaged. It was written again from what the archive and the rest of it hold; the damaged file is kept.`,
          content.damage.length,
        ),
      );
      return;
    }
    if (content.damage.length > 0) {
      notify(
        damaged(
          path,
          `Part of the record of “${folded.session.title}” is damaged. Everything that can be read is shown.`,
          content.damage.length,
        ),
      );
    }
    if (content.tornBytes > 0)
      report('A journal ended in the middle of a line', { sessionId, bytes: content.tornBytes });
    await archive.replace(folded, content.goodBytes);
    report('A session was read again from its journal', { sessionId, lines: content.lines.length });
  }
}

/** Turns of either side. Of one that both know, the journal's is the newer; what only the journal has comes last. */
function merged(stored: Omit<FoldedSession, 'deleted'>, folded: FoldedSession): FoldedSession {
  const fresh = new Map(folded.turns.map((turn) => [turn.id, turn]));
  const turns = stored.turns.map((turn) => {
    const newer = fresh.get(turn.id);
    fresh.delete(turn.id);
    return newer !== undefined && newer.rev > turn.rev ? { ...newer, index: turn.index } : turn;
  });
  for (const turn of fresh.values()) turns.push({ ...turn, index: turns.length + 1 });
  const session = folded.session.rev > stored.session.rev ? folded.session : stored.session;
  return { session: { ...session, turnCount: turns.length }, turns, deleted: false };
}

function* entriesOf(content: JournalContent, unknown: (seq: number) => void): Generator<PlacedEntry> {
  for (const { seq, at, entry } of content.lines) {
    const parsed = journalEntrySchema.safeParse(entry);
    if (parsed.success) yield { seq, at, entry: parsed.data };
    else unknown(seq);
  }
}

function damaged(path: string, message: string, places = 0): Problem {
  return { code: 'journal_damaged', message, retry: 'never', context: { path, places } };
}
