import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEntry, foldEntries, ForeignArchive, openArchive, UNTITLED } from '../../src/archive/index.ts';
import type { Archive, PlacedEntry, SessionRecord } from '../../src/archive/index.ts';
import { sessionSchema, textOf, turnSchema } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { journalEntrySchema } from '../../src/journal/index.ts';
import type { JournalEntry } from '../../src/journal/index.ts';
import { closeAfter } from '../support/core.ts';
import { tempDir } from '../support/temp-dir.ts';

function open(path = join(tempDir(), 'archive.db')): Archive & { readonly path: string } {
  const archive = openArchive(path);
  let closing: Promise<void> | undefined;
  return closeAfter({ ...archive, path, close: () => (closing ??= archive.close()) });
}

function session(id: string, change: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    title: id,
    titled: false,
    status: 'open',
    createdAt: 1,
    lastActivityAt: 1,
    turnCount: 0,
    rev: 1,
    ...change,
  };
}

function turn(sessionId: string, index: number, change: Partial<Turn> = {}): Turn {
  return {
    id: `t${index}`,
    sessionId,
    index,
    role: index % 2 === 1 ? 'user' : 'model',
    parts: [{ type: 'text', text: `Words ${index}` }],
    status: index % 2 === 1 ? 'answered' : 'complete',
    createdAt: index,
    rev: index,
    ...change,
  };
}

describe('the archive', () => {
  it('gives back what it was given, also after it was closed', async () => {
    const archive = open();
    const kept = session('a', { title: 'Zürich — 東京 🗼', titled: true, status: 'closed', turnCount: 2, rev: 9 });
    const turns = [
      turn('a', 1),
      turn('a', 2, {
        parts: [
          { type: 'thought', text: '\u0000 "\\' },
          { type: 'tool', callId: 'c', name: 'f', args: { deep: [{ x: null }] }, result: { ok: true } },
          { type: 'text', text: '👩‍🚀\u2028' },
        ],
        usage: { promptTokens: 1, responseTokens: 2, thoughtTokens: 0, totalTokens: 3 },
        problem: { code: 'answer_cut', message: 'Cut.', retry: 'user', context: { closeCode: 1006 } },
        replyTo: 't1',
        provider: 'demo',
        model: 'm',
        endedAt: 5,
      }),
    ];
    await archive.save(kept, turns, 123);
    const check = async (from: Archive) => {
      expect(await from.session('a')).toEqual(kept);
      expect(await from.turns('a', undefined, 10)).toEqual(turns);
      expect(await from.turn('a', 't2')).toEqual(turns[1]);
      expect(await from.highWaterMarks()).toEqual(new Map([['a', 123]]));
    };
    await check(archive);
    await archive.close();
    await check(open(archive.path));
  });

  it('has nothing of what it was never given', async () => {
    const archive = open();
    expect(await archive.session('none')).toBeUndefined();
    expect(await archive.turn('none', 'none')).toBeUndefined();
    expect(await archive.turns('none', undefined, 10)).toEqual([]);
    expect(await archive.unfinished('none')).toEqual([]);
    expect(await archive.sessions({ status: 'all', limit: 10 })).toEqual({ sessions: [] });
    await archive.remove('none');
  });

  it('pages through sessions of the same moment without losing or repeating one', async () => {
    const archive = open();
    const one = fc.record({
      id: fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/),
      lastActivityAt: fc.integer({ min: 0, max: 3 }),
      status: fc.constantFrom('open' as const, 'closed' as const),
    });
    const sessions = fc.sample(fc.uniqueArray(one, { minLength: 60, maxLength: 60, selector: ({ id }) => id }), 1)[0]!;
    for (const { id, ...rest } of sessions) await archive.save(session(id, rest), [], 1);
    for (const status of ['all', 'open', 'closed'] as const) {
      const expected = sessions
        .filter((found) => status === 'all' || found.status === status)
        .toSorted((a, b) => b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? -1 : 1));
      for (const limit of [1, 7, 60, 500]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await archive.sessions({ status, limit, cursor });
          expect(page.sessions.length).toBeLessThanOrEqual(limit);
          seen.push(...page.sessions.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(expected.map(({ id }) => id));
      }
    }
  });

  it.each(['', 'x', '[]', '[1]', '["a","b"]', 'null', '[1,"a",2]', '[1,"\' OR 1=1"]'])(
    'with the cursor %j is read from the top or to its end, and harmed by neither',
    async (cursor) => {
      const archive = open();
      await archive.save(session('a'), [], 1);
      const { sessions } = await archive.sessions({ status: 'all', limit: 10, cursor });
      expect(sessions.length).toBeLessThanOrEqual(1);
      expect(await archive.session('a')).toBeDefined();
    },
  );

  it('pages through turns backwards, oldest first on each page', async () => {
    const archive = open();
    const all = Array.from({ length: 25 }, (_, at) => turn('a', at + 1));
    await archive.save(session('a', { turnCount: 25 }), all, 1);
    const seen: Turn[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await archive.turns('a', before, 4);
      if (page.length === 0) break;
      seen.unshift(...page);
      before = page[0]!.index;
    }
    expect(seen).toEqual(all);
    expect(await archive.turns('a', 1, 10)).toEqual([]);
    expect((await archive.turns('a', 3, 10)).map(({ index }) => index)).toEqual([1, 2]);
  });

  it('knows what is unfinished', async () => {
    const archive = open();
    const statuses = [
      'queued',
      'sent',
      'streaming',
      'answered',
      'complete',
      'stopped',
      'interrupted',
      'failed',
    ] as const;
    await archive.save(
      session('a'),
      statuses.map((status, at) => turn('a', at + 1, { status })),
      1,
    );
    await archive.save(session('b'), [turn('b', 1)], 1);
    expect((await archive.unfinished('a')).map(({ status }) => status)).toEqual(['queued', 'sent', 'streaming']);
    expect(await archive.sessionsWithUnfinished()).toEqual(['a']);
    await archive.save(
      session('a'),
      [1, 2, 3].map((at) => turn('a', at, { status: 'failed', rev: 99 })),
      2,
    );
    expect(await archive.sessionsWithUnfinished()).toEqual([]);
    expect((await archive.turn('a', 't1'))?.rev).toBe(99);
  });

  it('forgets a session with all its turns, and leaves the others', async () => {
    const archive = open();
    for (const id of ['a', 'b']) await archive.save(session(id), [turn(id, 1), turn(id, 2)], 7);
    await archive.remove('a');
    expect(await archive.turns('a', undefined, 10)).toEqual([]);
    expect(await archive.highWaterMarks()).toEqual(new Map([['b', 7]]));
    expect(await archive.turns('b', undefined, 10)).toHaveLength(2);
  });

  it('takes a change as a whole or not at all', async () => {
    const archive = open();
    await archive.save(session('a', { title: 'before' }), [turn('a', 1)], 1);
    // Two turns in one place cannot be.
    const clash = [turn('a', 2), turn('a', 1, { id: 'other' })];
    await expect(archive.save(session('a', { title: 'after' }), clash, 2)).rejects.toThrow(/UNIQUE/);
    expect(await archive.session('a')).toMatchObject({ title: 'before' });
    expect(await archive.turns('a', undefined, 10)).toHaveLength(1);
    const folded = { session: session('a', { title: 'folded' }), turns: clash, deleted: false };
    await expect(archive.replace({ ...folded, turns: [...clash, ...clash] }, 3)).rejects.toThrow(/UNIQUE/);
    expect(await archive.session('a')).toMatchObject({ title: 'before' });
    await archive.replace({ ...folded, turns: [turn('a', 1, { id: 'new' })] }, 3);
    expect((await archive.turns('a', undefined, 10)).map(({ id }) => id)).toEqual(['new']);
    expect(await archive.highWaterMarks()).toEqual(new Map([['a', 3]]));
  });

  it('says so when a row was damaged, instead of showing half of it', async () => {
    const archive = open();
    await archive.save(session('a'), [turn('a', 1)], 1);
    await archive.close();
    const db = new DatabaseSync(archive.path);
    db.exec(`UPDATE turns SET body = '{"id":"t1"}'`);
    db.close();
    await expect(open(archive.path).turns('a', undefined, 10)).rejects.toThrow();
  });
});

describe('the archive’s file', () => {
  it('is written ahead, synced in full and marked as ours', async () => {
    const archive = open();
    await archive.save(session('a'), [], 1);
    const db = new DatabaseSync(archive.path, { readOnly: true });
    const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect([pragma('journal_mode'), pragma('application_id')]).toEqual(['wal', 0x48467374]);
    expect(pragma('integrity_check')).toBe('ok');
    db.close();
  });

  it('of another program is left untouched', async () => {
    const path = join(tempDir(), 'other.db');
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE sessions (x); INSERT INTO sessions VALUES (1)');
    db.close();
    const before = readFileSync(path);
    expect(() => openArchive(path)).toThrow(ForeignArchive);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('of a newer version is left untouched and named', async () => {
    const archive = open();
    await archive.close();
    const db = new DatabaseSync(archive.path);
    db.exec('PRAGMA user_version = 4711');
    db.close();
    const before = readFileSync(archive.path);
    expect(() => openArchive(archive.path)).toThrow(/newer Holdfast \(schema 4711/);
    expect(readFileSync(archive.path).equals(before)).toBe(true);
  });

  it('that is no database is refused with SQLite’s words', () => {
    const path = join(tempDir(), 'archive.db');
    writeFileSync(path, 'nonsense '.repeat(1_000));
    expect(() => openArchive(path)).toThrow(/not a database/);
  });
});

/** Entries as a session could write them, and some that no session would: behind damage, a fold meets those too. */
const turnIds = fc.constantFrom('t1', 't2', 't3', 't4');
const words = fc.string({ maxLength: 8 });
const parts = fc.array(fc.record({ type: fc.constant('text' as const), text: words }), { minLength: 1, maxLength: 2 });
const entries: fc.Arbitrary<JournalEntry> = fc.oneof(
  fc.record({ type: fc.constant('session.titled' as const), title: words, titled: fc.boolean() }),
  fc.constant({ type: 'session.opened' as const }),
  fc.constant({ type: 'session.closed' as const }),
  fc.record({ type: fc.constant('turn.accepted' as const), turnId: turnIds, parts }),
  fc.record({ type: fc.constant('turn.sent' as const), turnId: turnIds, epoch: fc.nat() }),
  fc.record({ type: fc.constant('turn.asked-again' as const), turnId: turnIds }),
  fc.record({
    type: fc.constant('turn.started' as const),
    turnId: turnIds,
    replyTo: turnIds,
    provider: fc.constantFrom('gemini' as const, 'demo' as const),
    model: words,
  }),
  fc.record({
    type: fc.constant('turn.delta' as const),
    turnId: turnIds,
    part: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('text' as const, 'thought' as const),
    offset: fc.integer({ min: 0, max: 6 }),
    text: words,
  }),
  fc.record({
    type: fc.constant('turn.tool' as const),
    turnId: turnIds,
    part: fc.integer({ min: 0, max: 3 }),
    tool: fc.record({
      type: fc.constant('tool' as const),
      callId: words,
      name: words,
      args: fc.dictionary(words, fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true, maxKeys: 2 }),
    }),
  }),
  fc.record({
    type: fc.constant('turn.ended' as const),
    turnId: turnIds,
    status: fc.constantFrom('complete' as const, 'stopped' as const, 'interrupted' as const, 'failed' as const),
  }),
);
const journals = fc.array(entries, { maxLength: 40 }).map((list): PlacedEntry[] =>
  [{ type: 'session.created' as const, sessionId: 's', title: 'New', titled: false }, ...list].map((entry, at) => ({
    seq: at + 1,
    at: 1_000 + at,
    entry: journalEntrySchema.parse(JSON.parse(JSON.stringify(entry))),
  })),
);

describe('the fold of a journal', () => {
  it('is always of the contract’s form, with turns numbered without gaps', () => {
    fc.assert(
      fc.property(journals, (journal) => {
        const folded = foldEntries(journal)!;
        sessionSchema.omit({ link: true }).parse(folded.session);
        for (const found of folded.turns) turnSchema.parse(found);
        expect(folded.turns.map(({ index }) => index)).toEqual(folded.turns.map((_, at) => at + 1));
        expect(folded.session.turnCount).toBe(folded.turns.length);
      }),
    );
  });

  it('comes to the same in one go as entry by entry through the archive', async () => {
    const archive = open();
    let at = 0;
    await fc.assert(
      fc.asyncProperty(journals, async (journal) => {
        const id = `s${(at += 1)}`;
        const renamed = journal.map((placed) =>
          placed.entry.type === 'session.created' ? { ...placed, entry: { ...placed.entry, sessionId: id } } : placed,
        );
        const turns = new Map<string, Turn>();
        let state: SessionRecord | undefined;
        for (const placed of renamed) {
          const projected = applyEntry(state, (turnId) => turns.get(turnId), placed);
          if (projected === undefined) continue;
          state = projected.session;
          for (const found of projected.turns) turns.set(found.id, found);
          await archive.save(projected.session, projected.turns, placed.seq);
        }
        const folded = foldEntries(renamed)!;
        expect(await archive.session(id)).toEqual(folded.session);
        expect(await archive.turns(id, undefined, 1_000)).toEqual(folded.turns);
      }),
      { numRuns: 40 },
    );
  });

  it('is nothing where no entry says what it is of, and deleted where one says so', () => {
    expect(foldEntries([])).toBeUndefined();
    expect(foldEntries([{ seq: 1, at: 1, entry: { type: 'session.opened' } }])).toBeUndefined();
    const created = { type: 'session.created' as const, sessionId: 's', title: 'x', titled: true };
    const journal = [created, { type: 'session.deleted' as const }].map((entry, at) => ({ seq: at + 1, at, entry }));
    expect(foldEntries(journal)).toMatchObject({ deleted: true });
  });

  it('takes a delta twice as once, and leaves out one that does not join on', () => {
    const delta = (offset: number, text: string) => ({
      type: 'turn.delta' as const,
      turnId: 'a',
      part: 0,
      kind: 'text' as const,
      offset,
      text,
    });
    const list: JournalEntry[] = [
      { type: 'session.created', sessionId: 's', title: 'x', titled: false },
      { type: 'turn.started', turnId: 'a', provider: 'demo', model: 'm' },
      delta(0, 'Hello '),
      delta(0, 'Hello '),
      delta(3, 'lo wor'),
      delta(20, 'lost'),
      delta(9, 'ld'),
    ];
    const folded = foldEntries(list.map((entry, at) => ({ seq: at + 1, at, entry })))!;
    expect(textOf(folded.turns[0]!)).toBe('Hello world');
  });

  it.each([
    ['Hello there', 'Hello there'],
    ['  many \n\n kinds \t of   space ', 'many kinds of space'],
    ['🗼'.repeat(70), `${'🗼'.repeat(60)}…`],
    [`${'word '.repeat(20)}`, 'word word word word word word word word word word word word…'],
    [' \n ', UNTITLED],
  ])('names a session by its first words: %j', (text, title) => {
    const folded = foldEntries([
      { seq: 1, at: 1, entry: { type: 'session.created', sessionId: 's', title: UNTITLED, titled: false } },
      { seq: 2, at: 2, entry: { type: 'turn.accepted', turnId: 'a', parts: [{ type: 'text', text }] } },
    ])!;
    expect(folded.session.title).toBe(title);
  });
});
