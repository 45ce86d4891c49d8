import { describe, expect, it, onTestFinished } from 'vitest';
import { FILE_CHUNK_BYTES, randomId, sendImport, EXPORT_WINDOW } from '../../src/contract/index.ts';
import type { ImportProgress } from '../../src/contract/index.ts';
import { openTestCore, testWorld } from '../support/core.ts';
import { mirror } from '../support/mirror.ts';
import { transports } from '../support/transports.ts';
import { until } from '../support/wait.ts';
import {
  ask,
  exported,
  fileOf,
  fileWith,
  hasLeftovers,
  journalsOf,
  problemOf,
  turnsOf,
  withoutRev,
} from './support.ts';

describe.each(transports)('export and import over $name', (transport) => {
  async function world() {
    const made = await testWorld();
    const core = await openTestCore(made.dataDir, made.env);
    const tie = await transport.tie(core.router);
    onTestFinished(() => tie.close());
    return { ...made, core, tie, api: tie.connection.client };
  }

  it('brings a deleted conversation back word for word, closed, and it goes on where it was', async () => {
    const { api, tie } = await world();
    const seen = mirror(tie.connection);
    const { id } = await api.sessions.create({ title: 'Zürich 🗼' });
    await ask(api, id, 'Hello, my name is Ada');
    const before = await api.sessions.get({ sessionId: id });
    const turns = await turnsOf(api, id);
    const file = await exported(api, { sessionIds: [id], format: 'json' });
    expect(file).toMatchObject({ name: 'Zürich 🗼.json', mediaType: 'application/json', conversations: 1 });
    await api.sessions.delete({ sessionId: id });

    const { outcome, items } = await sendImport(api, [fileOf(file.bytes)]);
    expect(outcome).toEqual({ kind: 'imported' });
    expect(items).toMatchObject([{ outcome: 'imported', sessionId: id, title: 'Zürich 🗼', turns: turns.length }]);
    expect(withoutRev(await turnsOf(api, id))).toEqual(withoutRev(turns));
    const after = await api.sessions.get({ sessionId: id });
    expect(after).toMatchObject({
      status: 'closed',
      title: before.title,
      createdAt: before.createdAt,
      lastActivityAt: before.lastActivityAt,
      turnCount: before.turnCount,
    });
    await until('the session to be told of', () =>
      seen.events.some((event) => event.type === 'sessions.imported' && event.sessionIds.includes(id)),
    );
    await api.sessions.open({ sessionId: id });
    const answer = await ask(api, id, 'What is my name?');
    expect(JSON.stringify(answer.parts)).toContain('Ada');
    expect((await api.sessions.get({ sessionId: id })).link).toMatchObject({ kind: 'live', restored: 'rebuilt' });
  });

  it('exports one, some and all, in each format, the newest first', async () => {
    const { api } = await world();
    await sendImport(api, [fileWith(7)]);
    const all = await exported(api, { format: 'json' });
    const titles = (text: string) =>
      (JSON.parse(text) as { conversations: { session: { title: string } }[] }).conversations.map(
        ({ session }) => session.title,
      );
    expect(titles(all.text)).toEqual([6, 5, 4, 3, 2, 1, 0].map((at) => `Number ${at}`));
    expect(all.name).toBe('Conversations.json');
    const some = await exported(api, { sessionIds: ['made-2', 'made-4', 'made-2'], format: 'json' });
    expect(titles(some.text)).toEqual(['Number 2', 'Number 4']);
    for (const [format, name] of [
      ['markdown', 'Number 3.md'],
      ['html', 'Number 3.html'],
      ['text', 'Number 3.txt'],
    ] as const) {
      const one = await exported(api, { sessionIds: ['made-3'], format, timeZone: 'Europe/Berlin' });
      expect(one.name).toBe(name);
      expect(one.text).toContain('Answer 3');
    }
  });

  it('sends no more of an export than is taken in', async () => {
    const { api } = await world();
    const long = 'x'.repeat(900_000);
    const file = JSON.parse(Buffer.from(await fileWith(1).read(0, 10_000)).toString()) as {
      conversations: { turns: { parts: object[] }[] }[];
    };
    file.conversations[0]!.turns[1]!.parts = Array.from({ length: 6 }, () => ({ type: 'text', text: long }));
    await sendImport(api, [fileOf(JSON.stringify(file))]);
    const streamId = randomId();
    const events = await api.exchange.export({ streamId, format: 'json' });
    let chunks = 0;
    let bytes = 0;
    const reading = (async () => {
      for await (const event of events) {
        if (event.type !== 'chunk') continue;
        chunks += 1;
        bytes += event.bytes.length;
        expect(event.bytes.length).toBeLessThanOrEqual(FILE_CHUNK_BYTES);
      }
    })();
    await until('the window to be full', () => chunks === EXPORT_WINDOW);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(chunks).toBe(EXPORT_WINDOW);
    const ack = () => api.exchange.exportAck({ streamId, chunks }).catch(() => undefined);
    const acks = setInterval(() => void ack(), 5);
    await reading;
    clearInterval(acks);
    expect(bytes).toBeGreaterThan(6 * long.length);
  });

  it('tells problems of an export as problems', async () => {
    const { api } = await world();
    await sendImport(api, [fileWith(1)]);
    expect((await problemOf(exported(api, { sessionIds: ['nowhere'], format: 'json' }))).code).toBe(
      'session_not_found',
    );
    expect((await problemOf(exported(api, { format: 'text', timeZone: 'Nowhere/At_All' }))).code).toBe('invalid_input');
    expect((await problemOf(exported(api, { format: 'pdf' as 'text' }))).code).toBe('invalid_input');
  });

  it('recognises what is here, and takes what is changed as a copy only when asked to', async () => {
    const { api } = await world();
    await sendImport(api, [fileWith(2)]);
    const again = await sendImport(api, [fileWith(3)]);
    expect(again.outcome.kind).toBe('imported');
    expect(again.items.map(({ outcome }) => outcome)).toEqual(['duplicate', 'duplicate', 'imported']);
    expect((await sendImport(api, [fileWith(3)])).outcome.kind).toBe('nothing-new');

    const changed = fileOf(
      Buffer.from(await fileWith(1).read(0, 10_000))
        .toString()
        .replace('Answer 0', 'Answer x'),
    );
    const kept = await sendImport(api, [changed]);
    expect(kept.items).toMatchObject([{ outcome: 'duplicate', changed: true, sessionId: 'made-0' }]);
    const copied = await sendImport(api, [changed], { changed: 'copy' });
    expect(copied.items).toMatchObject([{ outcome: 'imported' }]);
    expect(await api.sessions.list({ status: 'all' }).then(({ sessions }) => sessions.length)).toBe(4);
  });

  it('refuses what it cannot read in a clear sentence, and changes nothing', async () => {
    const { api, dataDir } = await world();
    for (const [content, words] of [
      ['', 'is empty'],
      ['Just words', 'is not an export that Holdfast knows'],
      ['{"format":"holdfast-conversations","version":99,"conversations":[]}', 'newer version'],
      [Buffer.from(await fileWith(4).read(0, 900)), 'ends in the middle'],
    ] as const) {
      const { outcome } = await sendImport(api, [fileWith(2, 'good', 'good.json'), fileOf(content, 'bad.json')]);
      expect(outcome).toMatchObject({ kind: 'failed', problem: { message: expect.stringContaining(words) } });
    }
    expect((await api.sessions.list({ status: 'all' })).sessions).toEqual([]);
    expect(journalsOf(dataDir)).toEqual([]);
    expect(hasLeftovers(dataDir)).toBe(false);
  });

  it('reports how far it is, and can be cancelled while it sends', async () => {
    const { api, dataDir } = await world();
    const progress: ImportProgress[] = [];
    await sendImport(api, [fileWith(300)], { onProgress: (one) => progress.push(one) });
    expect(new Set(progress.map(({ phase }) => phase))).toEqual(new Set(['sending', 'reading', 'keeping']));
    expect(progress.at(-1)).toEqual({ phase: 'keeping', done: 300, total: 300 });

    const abort = new AbortController();
    const cancelled = sendImport(api, [fileWith(900, 'other')], {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(cancelled).rejects.toThrow();
    // The next may begin at once.
    expect((await sendImport(api, [fileWith(1, 'third')])).outcome.kind).toBe('imported');
    expect(hasLeftovers(dataDir)).toBe(false);
    expect(journalsOf(dataDir)).toHaveLength(301);
  }, 30_000);

  it('runs one import at a time, and takes no bytes that are not of it', async () => {
    const { api } = await world();
    const importId = randomId();
    const abort = new AbortController();
    const first = await api.exchange.import(
      { importId, files: [{ name: 'slow.json', size: 100 }] },
      { signal: abort.signal },
    );
    expect((await first.next()).value).toEqual({ type: 'ready' });
    expect((await problemOf(sendImport(api, [fileWith(1)]))).code).toBe('busy');
    const chunk = { importId, file: 0, offset: 0, bytes: new Uint8Array(10) };
    expect(await api.exchange.importChunk(chunk)).toEqual({ received: 10 });
    expect(await api.exchange.importChunk(chunk)).toEqual({ received: 10 });
    for (const wrong of [
      { ...chunk, offset: 50 },
      { ...chunk, offset: 10, bytes: new Uint8Array(91) },
      { ...chunk, file: 1 },
      { ...chunk, importId: 'another' },
      { ...chunk, bytes: new Uint8Array(FILE_CHUNK_BYTES + 1) },
    ]) {
      expect((await problemOf(api.exchange.importChunk(wrong))).code).toBe('invalid_input');
    }
    abort.abort();
    await until('the place to be free', async () =>
      sendImport(api, [fileWith(1)]).then(
        () => true,
        () => false,
      ),
    );
  });

  it('leaves nothing of an import whose client is gone', async () => {
    const { api, tie, dataDir } = await world();
    const events = await api.exchange.import({ importId: 'lost', files: [{ name: 'slow.json', size: 100 }] });
    await events.next();
    expect(hasLeftovers(dataDir)).toBe(true);
    if (tie.cut !== undefined) tie.cut();
    else tie.connection.close();
    await until('nothing to be left', () => !hasLeftovers(dataDir));
  });
});
