import { z } from 'zod';
import { turnSchema } from '../contract/index.ts';
import type { Turn } from '../contract/index.ts';
import type { FoldedSession, SessionRecord } from './projection.ts';
import { openDatabase } from './sqlite.ts';
import type { ArchiveTables } from './tables.ts';

export interface SessionPage {
  readonly sessions: readonly SessionRecord[];
  readonly nextCursor?: string;
}

export interface ListQuery {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The queryable history: a projection of the journals, which stay the truth. All methods reject with SQLite's errors. */
export interface Archive {
  /** The state of a session after a journal line, the turns that it touched, and the journal's size with that line. */
  save(session: SessionRecord, turns: readonly Turn[], journalBytes: number): Promise<void>;
  /** Puts a session that was folded anew in the place of what was there. */
  replace(folded: FoldedSession, journalBytes: number): Promise<void>;
  /** For good: nothing of it stays in the file or in its log. */
  remove(sessionId: string): Promise<void>;
  session(sessionId: string): Promise<SessionRecord | undefined>;
  /** Newest activity first. An unreadable cursor starts from the top. */
  sessions(query: ListQuery): Promise<SessionPage>;
  turn(sessionId: string, turnId: string): Promise<Turn | undefined>;
  /** Up to `limit` turns before index `before`, oldest first. */
  turns(sessionId: string, before: number | undefined, limit: number): Promise<readonly Turn[]>;
  /** Up to `limit` newest turns after index `after`, oldest first. */
  turnsAfter(sessionId: string, after: number, limit: number): Promise<readonly Turn[]>;
  /** Turns that wait to be sent, were sent without an answer, or are being answered; oldest first. */
  unfinished(sessionId: string): Promise<readonly Turn[]>;
  /** Sessions that have such turns. */
  sessionsWithUnfinished(): Promise<readonly string[]>;
  /** How far each session's journal is reflected here, in bytes, by session id. */
  highWaterMarks(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

const cursorSchema = z.tuple([z.number().int(), z.string()]);

/** Opens the archive at `path`, making or migrating it as needed. Throws as `openDatabase` does. */
export function openArchive(path: string): Archive {
  const { db, checkpoint, close } = openDatabase(path);

  return {
    save(session, turns, journalBytes) {
      return db.transaction().execute(async (tx) => {
        const row = sessionRow(session, journalBytes);
        const { id: _id, ...change } = row;
        await tx
          .insertInto('sessions')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(change))
          .execute();
        for (const turn of turns) {
          const body = turnRow(turn);
          await tx
            .insertInto('turns')
            .values(body)
            .onConflict((conflict) =>
              conflict.columns(['session_id', 'id']).doUpdateSet({
                status: body.status,
                rev: body.rev,
                body: body.body,
              }),
            )
            .execute();
        }
      });
    },
    async replace({ session, turns }, journalBytes) {
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('sessions').where('id', '=', session.id).execute();
        await tx.insertInto('sessions').values(sessionRow(session, journalBytes)).execute();
        for (const turn of turns) await tx.insertInto('turns').values(turnRow(turn)).execute();
      });
      // The journal that this came from may be set aside next.
      checkpoint();
    },
    async remove(sessionId) {
      await db.deleteFrom('sessions').where('id', '=', sessionId).execute();
      checkpoint();
    },
    async session(sessionId) {
      const row = await db.selectFrom('sessions').selectAll().where('id', '=', sessionId).executeTakeFirst();
      return row && sessionFrom(row);
    },
    async sessions({ status, limit, cursor }) {
      let query = db.selectFrom('sessions').selectAll();
      if (status !== 'all') query = query.where('status', '=', status);
      const after = parseCursor(cursor);
      if (after !== undefined) {
        const [time, id] = after;
        query = query.where((where) =>
          where.or([
            where('last_activity_at', '<', time),
            where.and([where('last_activity_at', '=', time), where('id', '>', id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('last_activity_at', 'desc')
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      const page = rows.slice(0, limit).map(sessionFrom);
      const last = page.at(-1);
      return rows.length > limit && last !== undefined
        ? { sessions: page, nextCursor: JSON.stringify([last.lastActivityAt, last.id]) }
        : { sessions: page };
    },
    async turn(sessionId, turnId) {
      const row = await db
        .selectFrom('turns')
        .select('body')
        .where('session_id', '=', sessionId)
        .where('id', '=', turnId)
        .executeTakeFirst();
      return row && turnFrom(row.body);
    },
    async turns(sessionId, before, limit) {
      let query = db.selectFrom('turns').select('body').where('session_id', '=', sessionId);
      if (before !== undefined) query = query.where('turn_index', '<', before);
      const rows = await query.orderBy('turn_index', 'desc').limit(limit).execute();
      return rows.map((row) => turnFrom(row.body)).reverse();
    },
    async turnsAfter(sessionId, after, limit) {
      const rows = await db
        .selectFrom('turns')
        .select('body')
        .where('session_id', '=', sessionId)
        .where('turn_index', '>', after)
        .orderBy('turn_index', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => turnFrom(row.body)).reverse();
    },
    async unfinished(sessionId) {
      const rows = await db
        .selectFrom('turns')
        .select('body')
        .where('session_id', '=', sessionId)
        .where('status', 'in', ['streaming', 'queued', 'sent'])
        .orderBy('turn_index')
        .execute();
      return rows.map((row) => turnFrom(row.body));
    },
    async sessionsWithUnfinished() {
      const rows = await db
        .selectFrom('turns')
        .select('session_id')
        .distinct()
        .where('status', 'in', ['streaming', 'queued', 'sent'])
        .execute();
      return rows.map((row) => row.session_id);
    },
    async highWaterMarks() {
      const rows = await db.selectFrom('sessions').select(['id', 'journal_bytes']).execute();
      return new Map(rows.map((row) => [row.id, row.journal_bytes]));
    },
    close,
  };
}

function sessionRow(session: SessionRecord, journalBytes: number): ArchiveTables['sessions'] {
  return {
    id: session.id,
    title: session.title,
    titled: session.titled ? 1 : 0,
    status: session.status,
    created_at: session.createdAt,
    last_activity_at: session.lastActivityAt,
    turn_count: session.turnCount,
    rev: session.rev,
    journal_bytes: journalBytes,
  };
}

function sessionFrom(row: ArchiveTables['sessions']): SessionRecord {
  return {
    id: row.id,
    title: row.title,
    titled: row.titled === 1,
    status: row.status,
    createdAt: row.created_at,
    lastActivityAt: row.last_activity_at,
    turnCount: row.turn_count,
    rev: row.rev,
  };
}

function turnRow(turn: Turn): ArchiveTables['turns'] {
  return {
    session_id: turn.sessionId,
    id: turn.id,
    turn_index: turn.index,
    role: turn.role,
    status: turn.status,
    created_at: turn.createdAt,
    rev: turn.rev,
    body: JSON.stringify(turn),
  };
}

/** Rows are ours, but a file can be damaged: a body that does not fit is an error, never a half-true turn. */
function turnFrom(body: string): Turn {
  return turnSchema.parse(JSON.parse(body));
}

function parseCursor(cursor: string | undefined): z.infer<typeof cursorSchema> | undefined {
  if (cursor === undefined) return undefined;
  try {
    return cursorSchema.parse(JSON.parse(cursor));
  } catch {
    return undefined;
  }
}
