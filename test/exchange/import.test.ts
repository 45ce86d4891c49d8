import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Problem, Result } from '../../src/contract/index.ts';
import { bytesSource, contentHashOf, fileSource } from '../../src/exchange/index.ts';
import type { ByteSource, ImportProgress } from '../../src/exchange/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';
import { CHATGPT, CLAUDE } from './samples.ts';
import { collectingSink, importing, importingJson, jsonSource, zipOf } from './support.ts';

const conversation = (at: number) => ({
  ...CLAUDE,
  uuid: `c${at}`,
  name: `Conversation ${at}`,
  created_at: new Date(1.7e12 + at * 1e6),
});
const numbered = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...conversation(at),
    chat_messages: [{ uuid: `m${at}`, sender: 'human', text: `Words ${at}` }],
  }));
const FULL: Problem = { code: 'disk_full', message: 'The disk is full.', retry: 'user' };

describe('all or nothing', () => {
  it('begins, adds each conversation and commits, in this order', async () => {
    expect((await importingJson(numbered(3))).calls).toEqual(['begin', 'add', 'add', 'add', 'commit']);
  });

  it.each([1, 2, 3])('is undone when conversation %d cannot be added', async (failing) => {
    const sink = collectingSink();
    let added = 0;
    const outcome = await importingJson(numbered(3), {
      sink: {
        ...sink,
        add: (one) => {
          added += 1;
          return added === failing ? Promise.resolve<Result<void>>({ ok: false, problem: FULL }) : sink.add(one);
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'failed', problem: FULL });
    expect(sink.committed).toEqual([]);
    expect(sink.calls.at(-1)).toBe('abort');
  });

  it('does not begin to read where nothing can be kept, and tells a commit that failed', async () => {
    const no = () => Promise.resolve<Result<void>>({ ok: false, problem: FULL });
    const sink = collectingSink();
    expect(await importingJson(numbered(3), { sink: { ...sink, begin: no } })).toMatchObject({
      kind: 'failed',
      problem: FULL,
    });
    expect(sink.calls).toEqual([]);
    expect(await importingJson(numbered(3), { sink: { ...sink, commit: no } })).toMatchObject({
      kind: 'failed',
      problem: FULL,
    });
  });

  it('is undone before a bug in the sink is handed on', async () => {
    const sink = collectingSink();
    const broken = { ...sink, add: () => Promise.reject(new Error('a bug')) };
    await expect(importingJson(numbered(1), { sink: broken })).rejects.toThrow('a bug');
    expect(sink.calls).toEqual(['begin', 'abort']);
  });

  it('one file of several that is bad spoils all, and is named', async () => {
    const outcome = await importing([jsonSource(numbered(2), 'good.json'), bytesSource('bad.json', Buffer.from('[{'))]);
    expect(outcome).toMatchObject({ kind: 'failed', problem: { context: { file: 'bad.json', reason: 'truncated' } } });
    expect(outcome.conversations).toEqual([]);
  });
});

describe('cancelling', () => {
  it('undoes what was added, wherever it comes', async () => {
    for (const after of [1, 7, 20]) {
      const abort = new AbortController();
      const sink = collectingSink();
      let added = 0;
      const outcome = await importingJson(numbered(20), {
        signal: abort.signal,
        sink: {
          ...sink,
          add: (one) => {
            added += 1;
            if (added === after) abort.abort();
            return sink.add(one);
          },
        },
      });
      expect(outcome.kind).toBe('cancelled');
      expect(added).toBe(after);
      expect(sink.calls.at(-1)).toBe('abort');
    }
  });

  it('stops in a file without an end, in which nothing is ever found', async () => {
    const abort = new AbortController();
    function* endless() {
      yield Buffer.from('[');
      for (;;) yield Buffer.alloc(1000, ' ');
    }
    const source: ByteSource = {
      name: 'endless.json',
      size: 1e9,
      read: (_start, end) => Readable.from(end === undefined ? endless() : ['[ '], { objectMode: false }),
    };
    const outcome = await importing([source], { signal: abort.signal, onProgress: () => abort.abort() });
    expect(outcome.kind).toBe('cancelled');
  });

  it('before the start reads nothing', async () => {
    const outcome = await importingJson(numbered(3), { signal: AbortSignal.abort() });
    expect(outcome.kind).toBe('cancelled');
    expect(outcome.calls).toEqual(['begin', 'abort']);
  });
});

describe('what is here already', () => {
  it('is told by its id, and is not imported again', async () => {
    const first = await importingJson([CHATGPT, CLAUDE]);
    const here = new Map(first.conversations.map(({ session, contentHash }) => [session.id, contentHash]));
    const again = await importingJson([CHATGPT, CLAUDE], {
      known: (sessionId) => {
        const contentHash = here.get(sessionId);
        return Promise.resolve(contentHash === undefined ? undefined : { sessionId, contentHash });
      },
    });
    expect(again.kind).toBe('nothing-new');
    expect(again.calls).toEqual(['begin', 'abort']);
    expect(again.report.items).toMatchObject([
      { outcome: 'duplicate', changed: false },
      { outcome: 'duplicate', changed: false },
    ]);
  });

  it('is told by its words under another id', async () => {
    const { conversations } = await importingJson([CLAUDE]);
    const hash = contentHashOf(conversations[0]?.turns ?? []);
    const again = await importingJson([{ ...CLAUDE, uuid: 'elsewhere', name: 'Renamed' }], {
      known: (_id, contentHash) => Promise.resolve(contentHash === hash ? { sessionId: 'mine' } : undefined),
    });
    expect(again.report.items).toMatchObject([{ outcome: 'duplicate', sessionId: 'mine', title: 'Renamed' }]);
  });

  it('with other words in it, is kept, unless a copy is wanted', async () => {
    const known = (sessionId: string) => Promise.resolve({ sessionId, contentHash: 'old' });
    const kept = await importingJson([CLAUDE], { known });
    expect(kept.kind).toBe('nothing-new');
    expect(kept.report.items).toMatchObject([{ outcome: 'duplicate', changed: true }]);

    const original = kept.report.items[0];
    const copied = await importingJson([CLAUDE], {
      changed: 'copy',
      known: (sessionId) =>
        Promise.resolve(
          original?.outcome === 'duplicate' && sessionId === original.sessionId
            ? { sessionId, contentHash: 'old' }
            : undefined,
        ),
    });
    expect(copied.kind).toBe('imported');
    expect(copied.conversations[0]?.session.id).not.toBe(original?.outcome === 'duplicate' && original.sessionId);
  });

  it('short conversations with the same words at other times are not the same', async () => {
    const hello = (uuid: string, created_at: string) => ({
      ...CLAUDE,
      uuid,
      chat_messages: [{ uuid, sender: 'human', text: 'Hello', created_at }],
    });
    const imported = await importingJson([hello('a', '2025-01-01T00:00:00Z'), hello('b', '2025-01-02T00:00:00Z')]);
    expect(imported.report).toMatchObject({ imported: 2, duplicates: 0 });
  });
});

describe('the report', () => {
  it('has an entry for each conversation, in the order of the file', async () => {
    const empty = { ...CLAUDE, uuid: 'e', name: 'Nothing here', chat_messages: [] };
    const imported = await importingJson([...numbered(2), empty, { something: 'else' }, CLAUDE, numbered(1)[0]]);
    expect(imported.report.items.map(({ outcome, title }) => [outcome, title])).toEqual([
      ['imported', 'Conversation 0'],
      ['imported', 'Conversation 1'],
      ['skipped', 'Nothing here'],
      ['partly', 'Bread'],
      ['duplicate', 'Conversation 0'],
      ['skipped', 'conversations'],
    ]);
    expect(imported.report).toMatchObject({ imported: 3, partly: 1, duplicates: 1, skipped: 2, turns: 4 });
    for (const { message } of imported.report.items) expect(message).toMatch(/\S+ .*\.$|^Imported\.$/);
  });
});

const noise = (count: number) => Array.from({ length: count }, () => randomBytes(20_000).toString('base64'));

describe('the files', () => {
  const archive = (content: string) =>
    zipOf([
      { name: 'conversations.json', content },
      { name: 'b.json', content: '{' },
    ]);
  it.each([
    ['imported', JSON.stringify(numbered(200))],
    ['empty', ''],
    ['a web page', `<html>${' '.repeat(2_000_000)}`],
    ['of an unknown kind', `what ${' '.repeat(2_000_000)}`],
    ['broken early', `[}${' '.repeat(2_000_000)}`],
    [
      'of a newer version',
      `{"format":"holdfast-conversations","version":9,"conversations":[${' '.repeat(2_000_000)}]}`,
    ],
    // What does not pack well is still being read when the first conversation is there.
    ['an archive', archive(JSON.stringify([...numbered(1), ...noise(200)]))],
    ['an archive of web pages', archive(`<html>${' '.repeat(2_000_000)}`)],
    ['an archive that is cut', archive(JSON.stringify(numbered(200))).subarray(0, 3000)],
  ])('are closed after the import of one that is %s, and after one that was cancelled', async (_what, content) => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, content);
    for (const cancelled of [false, true]) {
      const source = await fileSource(path);
      const streams: Readable[] = [];
      const abort = new AbortController();
      const sink = collectingSink();
      await importing(
        [
          {
            ...source,
            read: (start, end) => {
              const stream = source.read(start, end);
              streams.push(stream);
              return stream;
            },
          },
        ],
        {
          signal: abort.signal,
          sink: {
            ...sink,
            add: (one) => {
              if (cancelled) abort.abort();
              return sink.add(one);
            },
          },
        },
      );
      await until('all files to be closed', () => streams.every(({ destroyed }) => destroyed));
      expect(streams.length).toBeGreaterThan(0);
    }
  });
});

describe('progress', () => {
  it('ends at all of the bytes, in files and in archives', async () => {
    const content = JSON.stringify(numbered(50));
    const sources = [
      bytesSource('a.json', Buffer.from(content)),
      bytesSource('b.zip', zipOf([{ name: 'conversations.json', content: content.replace(/"c(\d)/g, '"d$1') }])),
    ];
    const seen: ImportProgress[] = [];
    const imported = await importing(sources, { onProgress: (progress) => seen.push(progress) });
    expect(imported.kind).toBe('imported');
    expect(seen.at(-1)).toMatchObject({
      file: 'b.zip',
      bytes: { done: 2 * content.length, total: 2 * content.length },
    });
    for (const [at, { bytes }] of seen.entries()) {
      expect(bytes.done).toBeGreaterThanOrEqual(seen[at - 1]?.bytes.done ?? 0);
    }
  });
});

describe('100,000 messages', () => {
  const run = (heapMb: number, ...args: readonly string[]) => {
    const script = fileURLToPath(new URL('large-import.ts', import.meta.url));
    const child = spawnSync(process.execPath, [`--max-old-space-size=${heapMb}`, script, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(child.stderr).toBe('');
    return JSON.parse(child.stdout) as Record<string, number | string>;
  };

  it('in 1,000 conversations of 140 MB go through a heap of 64 MB', { timeout: 90_000 }, () => {
    const done = run(64, '1000', '100');
    expect(done).toMatchObject({ kind: 'imported', imported: 1000, turns: 100_000 });
    expect(done['fileMb']).toBeGreaterThan(120);
    expect(done['peakRssMb']).toBeLessThan(350);
  });

  it('in one conversation go through a heap of 512 MB', { timeout: 90_000 }, () => {
    expect(run(512, '1', '100000')).toMatchObject({ kind: 'imported', imported: 1, turns: 100_000 });
  });
});
