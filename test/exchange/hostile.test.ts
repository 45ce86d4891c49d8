import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { turnSchema } from '../../src/contract/index.ts';
import { bytesSource, fileSource } from '../../src/exchange/index.ts';
import type { ImportLimits, UnreadableReason } from '../../src/exchange/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { AI_STUDIO, CHATGPT, CLAUDE, GEMINI_ACTIVITY, GEMINI_HISTORY, SESSION, TURNS } from './samples.ts';
import { importing, importingJson, zipOf } from './support.ts';

const EXPORT = JSON.stringify([CHATGPT, CLAUDE]);
const HEAD = { format: 'holdfast-conversations', version: 1, exportedAt: 1, app: '0.1.0' };
const OURS = {
  ...HEAD,
  conversations: [{ session: SESSION, turns: TURNS.map(({ rev: _rev, sessionId: _of, ...turn }) => turn) }],
};
const from = (bytes: Uint8Array | string, limits: Partial<ImportLimits> = {}) =>
  importing([bytesSource('file', Buffer.from(bytes as string))], { limits });

/** Nothing is imported, and the reason is said in words that say what to do. */
async function isRefused(bytes: Uint8Array | string, reason: UnreadableReason, limits: Partial<ImportLimits> = {}) {
  const imported = await from(bytes, limits);
  expect(imported).toMatchObject({
    kind: 'failed',
    problem: { retry: 'user', context: { reason } },
    conversations: [],
  });
  expect(imported.calls.at(-1)).toBe('abort');
  expect(imported.report.items.at(-1)).toMatchObject({ outcome: 'unreadable', reason });
  expect(imported.kind === 'failed' && imported.problem.message).toMatch(/^“file.*\. .*\.$|^“file.*\.$/);
}

describe('a file that is not what it should be', () => {
  it.each<[string, Uint8Array | string, UnreadableReason]>([
    ['empty', '', 'empty'],
    ['blank', ' \n\n', 'empty'],
    ['an empty list', '[]', 'empty'],
    ['an empty object', '{}', 'empty'],
    ['words', 'Dear diary', 'unknown-format'],
    ['a picture', Buffer.from('\u0089PNG\r\n\u001a\n0000', 'latin1'), 'unknown-format'],
    ['zeros', Buffer.alloc(5000), 'unknown-format'],
    ['JSON of something else', '{"compilerOptions":{}}', 'unknown-format'],
    ['a list of something else', '[{"a":1},{"b":2}]', 'unknown-format'],
    ['a list of lists', '[[[]],[1],null,"x",5]', 'unknown-format'],
    ['a web page', '<!doctype html><title>My Activity</title>', 'html'],
    ['packed with gzip', gzipSync('[]'), 'packed-otherwise'],
    [
      'in no encoding',
      Buffer.concat([Buffer.from('[{"title":"'), Buffer.from([0xe9, 0x20]), Buffer.from('"}]')]),
      'encoding',
    ],
    ['of a newer version', JSON.stringify({ ...OURS, version: 2 }), 'newer-version'],
    ['of no version at all', JSON.stringify({ ...OURS, version: 'x' }), 'malformed'],
    ['ours without its head', JSON.stringify({ conversations: OURS.conversations }), 'unknown-format'],
    ['broken in the middle', EXPORT.replace('"chat_messages":', '"chat_messages"'), 'malformed'],
    ['followed by something', `${EXPORT}]`, 'malformed'],
    ['followed by half a character', Buffer.concat([Buffer.from(EXPORT), Buffer.from([0xe2])]), 'truncated'],
  ])('%s', async (_what, bytes, reason) => {
    await isRefused(bytes, reason);
  });

  it('cut anywhere, it is refused as a whole', async () => {
    const bytes = Buffer.from(`\n${EXPORT}`);
    // The sample has names and texts outside of ASCII only where they are escaped; these cut characters as well.
    const ours = Buffer.from(JSON.stringify(OURS));
    for (const file of [bytes, ours]) {
      for (let at = 3; at < file.length; at += 97) await isRefused(file.subarray(0, at), 'truncated');
    }
  });

  it('cut in the middle of a character, it is refused as cut', async () => {
    await isRefused(Buffer.from('[{"title":"é').subarray(0, -1), 'truncated');
  });

  it('is taken as far as it is good where the user wants that', async () => {
    const cut = EXPORT.slice(0, EXPORT.indexOf('"Bread"'));
    const imported = await importing([bytesSource('file', Buffer.from(cut))], { damaged: 'keep' });
    expect(imported.kind).toBe('imported');
    expect(imported.conversations.map(({ session }) => session.title)).toEqual(['Garden plan']);
    expect(imported.report.items.at(-1)).toMatchObject({ outcome: 'unreadable', reason: 'truncated' });
  });

  it.each([
    ['UTF-8 with a mark', Buffer.from(`\ufeff${EXPORT}`)],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${EXPORT}`, 'utf16le')],
    ['UTF-16 without one', Buffer.from(EXPORT, 'utf16le')],
    ['big-endian UTF-16', Buffer.from(`\ufeff${EXPORT}`, 'utf16le').swap16()],
    ['big-endian UTF-16 without a mark', Buffer.from(EXPORT, 'utf16le').swap16()],
  ])('%s is read like any other', async (_encoding, bytes) => {
    expect((await from(bytes)).conversations).toEqual((await from(EXPORT)).conversations);
  });

  it('is gone by the time it is read', async () => {
    const path = join(tempDir(), 'gone.json');
    writeFileSync(path, EXPORT);
    const source = await fileSource(path);
    rmSync(path);
    const imported = await importing([source]);
    expect(imported).toMatchObject({ kind: 'failed', problem: { code: 'disk_failed', context: { reason: 'disk' } } });
  });

  it('is a folder', async () => {
    const imported = await importing([await fileSource(tempDir())]);
    expect(imported).toMatchObject({ kind: 'failed', problem: { code: 'disk_failed', context: { reason: 'disk' } } });
  });

  it('of any bytes never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('', '[', '{"mapping":', 'PK\u0003\u0004'),
        async (bytes, start) => {
          const imported = await from(Buffer.concat([Buffer.from(start), bytes]));
          expect(['failed', 'nothing-new']).toContain(imported.kind);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('values of other kinds than they should be', () => {
  const samples = [[CHATGPT], [CLAUDE], AI_STUDIO, GEMINI_ACTIVITY, GEMINI_HISTORY, OURS];

  it('anywhere in a file, they are left out, and what is imported is whole', async () => {
    const strange = fc.constantFrom(null, 0, -1, 1e300, '', 'x', '\ud800\u0000', true, [], {}, [[]], { a: 1 }, ['x']);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), fc.nat(), strange, async (sample, where, value) => {
        const places: ((to: unknown) => void)[] = [];
        const copy = structuredClone(sample);
        collectPlaces(copy, places);
        places[where % places.length]?.(value);
        const imported = await importingJson(copy);
        for (const { session, turns } of imported.conversations) {
          expect(session.turnCount).toBe(turns.length);
          expect(turns.map(({ index }) => index)).toEqual(turns.map((_, at) => at + 1));
          expect(new Set(turns.map(({ id }) => id)).size).toBe(turns.length);
          for (const turn of turns) turnSchema.parse(turn);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

function collectPlaces(value: unknown, places: ((to: unknown) => void)[]): void {
  if (value === null || typeof value !== 'object') return;
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    places.push((to) => (members[key] = to));
    collectPlaces(members[key], places);
  }
}

describe('an archive that means harm', () => {
  const good = { name: 'conversations.json', content: EXPORT };

  it.each(['../../etc/cron.d/x', '/etc/passwd', 'C:/windows/x', '..\\..\\x.json'])('names %s', async (name) => {
    await isRefused(zipOf([good, { name, content: EXPORT }]), 'zip-unsafe-name');
  });

  it('unpacks to far more than it is', async () => {
    const bomb = { name: 'conversations.json', content: Buffer.alloc(3_000_000, ' ') };
    await isRefused(zipOf([bomb]), 'zip-bomb', { zipRatioFrom: 1_000_000 });
    await isRefused(zipOf([good, { ...bomb, name: 'b.json' }]), 'zip-bomb', { zipBytes: 2_000_000 });
  });

  it('is larger inside than it says', async () => {
    const bytes = zipOf([{ ...good, claimedSize: 100 }]);
    await isRefused(bytes, 'zip-damaged');
  });

  it('is not what its checksum says', async () => {
    await isRefused(zipOf([{ ...good, claimedCrc: 12345 }]), 'zip-damaged');
  });

  it('has more files than an export', async () => {
    const many = Array.from({ length: 20 }, (_, at) => ({ name: `${at}.json`, content: '[]' }));
    await isRefused(zipOf(many), 'zip-bomb', { zipEntries: 10 });
  });

  it('is cut', async () => {
    const bytes = zipOf([good]);
    for (let at = 10; at < bytes.length - 1; at += 211) await isRefused(bytes.subarray(0, at), 'zip-damaged');
  });

  it('has a flipped bit in what is packed', async () => {
    const bytes = zipOf([good]);
    for (let at = 60; at < 500; at += 37) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      const imported = await from(flipped);
      expect(imported).toMatchObject({ kind: 'failed', conversations: [] });
    }
  });

  it('has any byte of it changed: it is refused, or comes to the same conversations', async () => {
    const bytes = zipOf([good]);
    const expected = (await from(bytes)).conversations;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        const imported = await from(changed);
        if (imported.kind === 'imported') expect(imported.conversations).toEqual(expected);
        else expect(imported).toMatchObject({ kind: 'failed', conversations: [] });
      }),
      { numRuns: 1000 },
    );
  });

  it('is locked', async () => {
    await isRefused(zipOf([{ ...good, encrypted: true }]), 'zip-encrypted');
  });

  it('is empty, or has nothing in it for us', async () => {
    await isRefused(zipOf([]), 'zip-nothing-inside');
    await isRefused(zipOf([{ name: 'a.json', content: '{"a":1}' }]), 'zip-nothing-inside');
    await isRefused(zipOf([{ name: 'My Activity.html', content: '<html></html>' }]), 'html');
  });

  it('holds itself: archives in archives stay closed', async () => {
    await isRefused(zipOf([{ name: 'inner', content: zipOf([good]) }]), 'zip-nothing-inside');
  });
});

describe('a conversation that means harm', () => {
  it('is nested without end: it is left out, and the others are taken', async () => {
    const deep = `{"mapping":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const imported = await from(`[${deep},${JSON.stringify(CLAUDE)}]`);
    expect(imported.kind).toBe('imported');
    expect(imported.report.items.map((item) => ('reason' in item ? item.reason : item.outcome))).toEqual([
      'too-deep',
      'partly',
    ]);
  });

  it('is nested without end and without anything else', async () => {
    await isRefused('['.repeat(1_000_000), 'truncated');
    await isRefused('{"a":'.repeat(300_000), 'truncated');
  });

  it('is larger than memory should hold: it is left out, and the others are taken', async () => {
    const large = { ...CLAUDE, uuid: 'large', padding: Array.from({ length: 20_000 }, () => 'x') };
    const imported = await from(JSON.stringify([large, CLAUDE]), { itemBytes: 50_000 });
    expect(imported.report.items.map((item) => ('reason' in item ? item.reason : item.outcome))).toEqual([
      'too-large',
      'partly',
    ]);
  });

  it('has a text without an end: it is refused before memory is full', async () => {
    await isRefused(`["${'x'.repeat(3_000_000)}`, 'too-large', { stringBytes: 1_000_000 });
  });

  it.each([
    ['its own parent', { n9: 'n9' }],
    ['a child of its child', { root: 'n9' }],
    ['in a circle that does not come from the root', { n5: 'n7' }],
  ])('is %s: it is taken up to where the circle closes', async (_what, parents) => {
    const mapping = structuredClone(CHATGPT.mapping) as Record<string, { parent: string | null }>;
    for (const [id, parent] of Object.entries(parents)) if (mapping[id]) mapping[id].parent = parent;
    const imported = await importingJson([{ ...CHATGPT, mapping }]);
    expect(imported.report.items[0]).toMatchObject({ outcome: 'partly', leftOut: { cycle: 1 } });
    expect(imported.conversations[0]?.turns.at(-1)?.parts.at(-1)).toMatchObject({ type: 'text' });
  });

  it('is a circle and nothing else, with no end named', async () => {
    const mapping = structuredClone(CHATGPT.mapping) as Record<string, { parent: string | null }>;
    const ids = Object.keys(mapping);
    ids.forEach((id, at) => mapping[id] && (mapping[id].parent = ids[(at + 1) % ids.length] ?? null));
    const imported = await importingJson([{ ...CHATGPT, mapping, current_node: 'nowhere' }]);
    expect(imported.report.items[0]).toMatchObject({ leftOut: { cycle: 1 } });
  });

  it('answers messages that are not there', async () => {
    const { root: _root, sys: _sys, ...mapping } = CHATGPT.mapping;
    const imported = await importingJson([{ ...CHATGPT, mapping }]);
    expect(imported.report.items[0]).toMatchObject({ leftOut: { references: 1 } });
    expect(imported.conversations[0]?.turns).toHaveLength(4);
  });

  it.each([1e20, -5, 99_999_999_999, 1e-9])('was said at %d: the nearest good date is taken', async (time) => {
    const imported = await importingJson([{ ...CHATGPT, create_time: time, update_time: time }]);
    expect(imported.report.items[0]).toMatchObject({ leftOut: { dates: 2 } });
    expect(imported.conversations[0]?.session.createdAt).toBe((CHATGPT.create_time + 10) * 1000);
  });

  it('was said on a day that is none', async () => {
    const imported = await importingJson([
      { ...CLAUDE, created_at: '2025-99-99', updated_at: '+275760-09-14T00:00:00Z' },
    ]);
    expect(imported.report.items[0]).toMatchObject({ leftOut: { dates: 2 } });
    expect(imported.conversations[0]?.session.createdAt).toBe(Date.parse('2025-05-06T07:08:10Z'));
  });

  it('has halves of characters and zeros in its texts, which no database takes', async () => {
    const imported = await importingJson([
      { ...CLAUDE, name: 'a\ud800\u0000\nb', chat_messages: [{ uuid: 'x', sender: 'human', text: 'c\udc00\u0000d' }] },
    ]);
    expect(imported.conversations[0]?.session.title).toBe('a\ufffd\ufffd b');
    expect(imported.conversations[0]?.turns[0]?.parts).toEqual([{ type: 'text', text: 'c\ufffd\ufffdd' }]);
  });

  it('has the id of another: both are taken, under ids of their own', async () => {
    const other = { ...CLAUDE, name: 'Other', chat_messages: [{ uuid: 'm1', sender: 'human', text: 'Other words' }] };
    const imported = await importingJson([CLAUDE, other, CLAUDE, other]);
    expect(imported.conversations.map(({ session }) => session.title)).toEqual(['Bread', 'Other']);
    expect(new Set(imported.conversations.map(({ session }) => session.id)).size).toBe(2);
    for (const { session, turns } of imported.conversations) {
      expect(turns.every(({ sessionId }) => sessionId === session.id)).toBe(true);
    }
    expect(imported.report).toMatchObject({ imported: 2, duplicates: 2 });
  });

  it('has two messages of one id', async () => {
    const message = { uuid: 'm', sender: 'human', text: 'Words', created_at: '2025-01-01T00:00:00Z' };
    const imported = await importingJson([{ ...CLAUDE, chat_messages: [message, message, message] }]);
    expect(new Set(imported.conversations[0]?.turns.map(({ id }) => id)).size).toBe(3);
  });

  it('has a title longer than a title is', async () => {
    const imported = await importingJson([{ ...CLAUDE, name: '😀'.repeat(5000) }]);
    const title = imported.conversations[0]?.session.title ?? '';
    expect(title.length).toBeLessThanOrEqual(200);
    expect(title.isWellFormed()).toBe(true);
  });

  it('has a turn of 10 MB', async () => {
    const text = 'long '.repeat(2_000_000);
    const imported = await importingJson([{ ...CLAUDE, chat_messages: [{ uuid: 'm', sender: 'human', text }] }]);
    expect(imported.conversations[0]?.turns[0]?.parts).toEqual([{ type: 'text', text }]);
  });

  it('has HTML made to take forever', async () => {
    for (const html of [
      '<a "'.repeat(200_000),
      '<!--'.repeat(200_000),
      `<pre>${' '.repeat(800_000)}x`,
      '&#'.repeat(400_000),
      '<li>'.repeat(200_000),
    ]) {
      const imported = await importingJson([{ ...GEMINI_ACTIVITY[0], safeHtmlItem: [{ html }] }]);
      // In quadratic time each of them takes longer than a test may.
      expect(imported.kind).toBe('imported');
    }
  });
});

describe('a file of ours that was edited', () => {
  type Edit = (file: {
    conversations: { session: Record<string, unknown>; turns: Record<string, unknown>[] }[];
  }) => void;
  const edited = async (edit: Edit) => {
    const copy = structuredClone(OURS) as unknown as Parameters<Edit>[0];
    edit(copy);
    return importingJson(copy);
  };
  const turnsOf = (file: Parameters<Edit>[0]) => file.conversations[0]?.turns ?? [];

  it.each<[string, Edit, Record<string, number>]>([
    ['a turn is gone', (file) => turnsOf(file).splice(2, 1), { turns: 1 }],
    ['a turn is no turn', (file) => turnsOf(file).splice(2, 1, { hello: 1 }), { turns: 1 }],
    ['turns have changed places', (file) => turnsOf(file).reverse(), { order: 1 }],
    ['two turns have one id', (file) => Object.assign(turnsOf(file)[2] ?? {}, { id: 'tea-turn-1' }), { ids: 1 }],
    ['an answer is to nothing', (file) => Object.assign(turnsOf(file)[1] ?? {}, { replyTo: 'x' }), { references: 1 }],
    ['a time is no time', (file) => Object.assign(turnsOf(file)[2] ?? {}, { createdAt: 1e300 }), { turns: 1 }],
    ['a time is beyond all dates', (file) => Object.assign(turnsOf(file)[2] ?? {}, { createdAt: 9e15 }), { dates: 1 }],
    [
      'a problem is of a kind that is not known',
      (file) => Object.assign(turnsOf(file)[4] ?? {}, { problem: { code: 'eaten', message: 'x', retry: 'user' } }),
      { fields: 1 },
    ],
  ])('%s', async (_what, edit, leftOut) => {
    const imported = await edited(edit);
    expect(imported.report.items).toMatchObject([{ outcome: 'partly', leftOut }]);
    const [conversation] = imported.conversations;
    expect(conversation?.turns.map(({ index }) => index)).toEqual(conversation?.turns.map((_, at) => at + 1));
    expect(conversation?.session.turnCount).toBe(conversation?.turns.length);
  });

  it('a conversation whose session is none is left out, by name', async () => {
    const imported = await edited((file) => Object.assign(file.conversations[0]?.session ?? {}, { id: '../../x' }));
    expect(imported.kind).toBe('nothing-new');
    expect(imported.report.items).toMatchObject([{ outcome: 'skipped', reason: 'damaged', title: SESSION.title }]);
  });
});
