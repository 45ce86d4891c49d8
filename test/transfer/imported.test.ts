import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomId, sendImport } from '../../src/contract/index.ts';
import type { CoreClient } from '../../src/contract/index.ts';
import { journalsIn } from '../../src/journal/index.ts';
import type { Journals } from '../../src/journal/index.ts';
import { createTransfer, stagingIn, storedConversations } from '../../src/transfer/index.ts';
import { openArchive } from '../../src/archive/index.ts';
import { makeDirectory } from '../../src/storage/index.ts';
import { closeAfter, openTestCore, testWorld } from '../support/core.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';
import {
  asAfterCrash,
  ask,
  clientOf,
  exported,
  fileOf,
  fileWith,
  hasLeftovers,
  journalsOf,
  turnsOf,
} from './support.ts';

const titles = async (api: CoreClient) =>
  (await api.sessions.list({ status: 'all' })).sessions.map(({ title }) => title);

describe('an imported session', () => {
  it('survives a restart, a crash right after the import, and the loss of the archive', async () => {
    const { dataDir, env } = await testWorld();
    const core = await openTestCore(dataDir, env);
    const api = clientOf(core);
    expect((await sendImport(api, [fileWith(3)])).outcome.kind).toBe('imported');
    const turns = await turnsOf(api, 'made-1');
    expect(turns.map(({ rev, index }) => [rev, index])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    const crashed = asAfterCrash(dataDir);
    await core.close();
    const rebuilt = asAfterCrash(dataDir);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(rebuilt, `archive.db${suffix}`), { force: true });
    for (const folder of [dataDir, crashed, rebuilt]) {
      const again = clientOf(await openTestCore(folder, env));
      expect(await titles(again)).toEqual(['Number 2', 'Number 1', 'Number 0']);
      expect(await turnsOf(again, 'made-1')).toEqual(turns);
      expect((await again.system.info()).notices).toEqual([]);
    }
  });

  it('is continued: the server is told what was said, and nothing of it is sent as a question', async () => {
    const { dataDir, env, simulator } = await testWorld();
    const api = clientOf(await openTestCore(dataDir, env));
    const file = Buffer.from(await fileWith(1).read(0, 10_000))
      .toString()
      .replace('Question 0', 'My name is Grace');
    // As it was when it was exported in the middle of things.
    const waiting = file.replace('"status":"answered"', '"status":"queued"');
    await sendImport(api, [fileOf(waiting)]);
    expect(simulator.sessions()).toHaveLength(0);
    const answer = await ask(api, 'made-0', 'What is my name?');
    expect(JSON.stringify(answer.parts)).toContain('Grace');
    expect(await api.sessions.get({ sessionId: 'made-0' })).toMatchObject({
      status: 'open',
      link: { kind: 'live', restored: 'rebuilt' },
    });
    const said = (await turnsOf(api, 'made-0')).filter(({ role }) => role !== 'note');
    expect(said.map(({ role }) => role)).toEqual(['user', 'model', 'user', 'model']);
    expect(said[0]!.status).toBe('failed');
  });

  it('is renamed and deleted for good like any other', async () => {
    const { dataDir, env } = await testWorld();
    const core = await openTestCore(dataDir, env);
    const api = clientOf(core);
    await sendImport(api, [fileWith(2)]);
    await api.sessions.rename({ sessionId: 'made-0', title: 'A name' });
    await api.sessions.delete({ sessionId: 'made-1' });
    expect(journalsOf(dataDir)).toEqual(['made-0.jsonl']);
    await core.close();
    const again = clientOf(await openTestCore(dataDir, env));
    expect(await titles(again)).toEqual(['A name']);
  });

  it('has nothing of a live state that an earlier session had under its id', async () => {
    const { dataDir, env } = await testWorld();
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({ sessionId: 'made-0' });
    await ask(api, id, 'Hello, my name is Ada');
    await api.sessions.delete({ sessionId: id });
    await sendImport(api, [fileWith(1)]);
    await ask(api, id, 'Hello');
    expect((await api.sessions.get({ sessionId: id })).link).toMatchObject({ restored: 'rebuilt' });
  });

  it('comes out again as it came in', async () => {
    const { dataDir, env } = await testWorld();
    const api = clientOf(await openTestCore(dataDir, env));
    await sendImport(api, [fileWith(5)]);
    const first = await exported(api, { format: 'json' });
    const other = clientOf(await openTestCore((await testWorld()).dataDir, env));
    await sendImport(other, [fileOf(first.bytes)]);
    const second = await exported(other, { format: 'json' });
    const body = (text: string) => text.slice(text.indexOf('"conversations"'));
    expect(body(second.text)).toBe(body(first.text));
  });

  it('of a conversation under way is exported with the words that have come so far', async () => {
    const { dataDir, env } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    await api.turns.send({ sessionId: id, turnId: randomId(), text: 'Count to 200' });
    await until('some words', async () => JSON.stringify((await turnsOf(api, id))[1]?.parts ?? '').length > 60);
    const file = JSON.parse((await exported(api, { sessionIds: [id], format: 'json' })).text) as {
      conversations: [{ turns: { status: string }[] }];
    };
    expect(file.conversations[0].turns.map(({ status }) => status)).toEqual(['answered', 'streaming']);
  });

  it('with many turns is exported page by page, none twice and none left out', async () => {
    const { dataDir, env } = await testWorld();
    const api = clientOf(await openTestCore(dataDir, env));
    const file = JSON.parse(Buffer.from(await fileWith(1).read(0, 10_000)).toString()) as {
      conversations: [{ session: { turnCount: number }; turns: object[] }];
    };
    const [made] = file.conversations;
    made.session.turnCount = 350;
    made.turns = Array.from({ length: 350 }, (_, at) => ({ ...made.turns[0], id: `t${at}`, index: at + 1 }));
    await sendImport(api, [fileOf(JSON.stringify(file))]);
    const out = JSON.parse((await exported(api, { format: 'json' })).text) as {
      conversations: [{ turns: { id: string }[] }];
    };
    expect(out.conversations[0].turns.map(({ id }) => id)).toEqual(Array.from({ length: 350 }, (_, at) => `t${at}`));
  });
});

describe('a disk that is full in the middle of an import', () => {
  const full = Object.assign(new Error('No space'), { code: 'ENOSPC' });

  /** Imports with these journals in the place of the real staging ones. */
  async function importing(breakIt: (journals: Journals) => Journals) {
    const dataDir = tempDir();
    makeDirectory(join(dataDir, 'journal'));
    const archive = closeAfter(await openArchive(join(dataDir, 'archive.db')));
    const journals = journalsIn(join(dataDir, 'journal'), Date.now);
    const real = stagingIn(dataDir, journals, archive);
    const { imports } = createTransfer({
      sessions: storedConversations(archive),
      journals,
      staging: {
        ...real,
        begin: async () => {
          const place = await real.begin();
          return { ...place, journals: breakIt(place.journals) };
        },
      },
      dataDir,
      forgetLive: () => undefined,
      publish: () => undefined,
      report: () => undefined,
      version: 'test',
    });
    const file = fileWith(5);
    const bytes = await file.read(0, file.size);
    const events = imports.stream(
      { importId: 'x', files: [{ name: file.name, size: file.size }], changed: 'skip', damaged: 'refuse' },
      undefined,
    );
    await events.next();
    expect(await imports.chunk('x', 0, 0, bytes)).toMatchObject({ ok: true });
    const seen: unknown[] = [];
    for await (const event of events) seen.push(event);
    expect(hasLeftovers(dataDir)).toBe(false);
    return {
      last: seen.at(-1),
      here: await archive.sessions({ status: 'all', limit: 10 }),
      files: journalsOf(dataDir),
    };
  }

  it('leaves the state before, and says so', async () => {
    let opened = 0;
    const { last, here, files } = await importing((journals) => ({
      ...journals,
      open: (id, mode) => ((opened += 1) > 2 ? Promise.reject(full) : journals.open(id, mode)),
    }));
    expect(last).toMatchObject({
      type: 'done',
      outcome: {
        kind: 'failed',
        problem: { code: 'disk_full', message: expect.stringContaining('nothing was imported') },
      },
    });
    expect(here.sessions).toEqual([]);
    expect(files).toEqual([]);
  });

  it('does no harm where it is not: the same goes through', async () => {
    const { last, here } = await importing((journals) => journals);
    expect(last).toEqual({ type: 'done', outcome: { kind: 'imported' } });
    expect(here.sessions).toHaveLength(5);
  });
});

describe('files of this machine', () => {
  it('are imported where they are, and one that is not there is named', async () => {
    const dataDir = tempDir();
    makeDirectory(join(dataDir, 'journal'));
    const archive = closeAfter(await openArchive(join(dataDir, 'archive.db')));
    const journals = journalsIn(join(dataDir, 'journal'), Date.now);
    const { imports } = createTransfer({
      sessions: storedConversations(archive),
      journals,
      staging: stagingIn(dataDir, journals, archive),
      dataDir,
      forgetLive: () => undefined,
      publish: () => undefined,
      report: () => undefined,
      version: 'test',
    });
    const path = join(tempDir(), 'some.json');
    const missing = join(tempDir(), 'nowhere.json');
    writeFileSync(path, Buffer.from(await fileWith(3).read(0, 100_000)));
    const how = { changed: 'skip', damaged: 'refuse' } as const;
    expect(await imports.fromFiles([path, missing], how)).toMatchObject({
      ok: false,
      problem: { code: 'invalid_input', message: expect.stringContaining(`${missing} cannot be read`) },
    });
    expect(journalsOf(dataDir)).toEqual([]);
    const done = await imports.fromFiles([path], how);
    expect(done).toMatchObject({ ok: true, value: [{ type: 'items' }, { outcome: { kind: 'imported' } }] });
    expect(await imports.fromFiles([path], how)).toMatchObject({
      value: [{ items: [{ outcome: 'duplicate' }, {}, {}] }, { outcome: { kind: 'nothing-new' } }],
    });
    expect(journalsOf(dataDir)).toHaveLength(3);
    expect(hasLeftovers(dataDir)).toBe(false);
  });
});
