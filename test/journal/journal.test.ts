import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadJournal, openJournal } from '../../src/journal/index.ts';
import type { JournalFile, OpenFile } from '../../src/journal/index.ts';
import { readJournal } from '../../src/journal/read.ts';
import { tempDir } from '../support/temp-dir.ts';

const now = () => 1_790_000_000_000;

async function journalOf(entries: readonly unknown[]) {
  const path = join(tempDir(), 'a.jsonl');
  const { journal } = await openJournal(path, { mode: 'create', now });
  await Promise.all(entries.map((entry) => journal.append(entry)));
  await journal.close();
  return path;
}

describe('a journal', () => {
  it('gives back what was appended, in order, after it was opened again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), async (values) => {
        const entries = values.map((value) => ({ type: 'x', value }));
        const content = await loadJournal(await journalOf(entries));
        expect(content.lines.map((line) => line.entry)).toEqual(JSON.parse(JSON.stringify(entries)));
        expect(content.lines.map((line) => line.seq)).toEqual(entries.map((_, index) => index + 1));
        expect(content.damage).toEqual([]);
        expect(content.tornBytes).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('resolves an append only after the line is in the file, with its place', async () => {
    const path = join(tempDir(), 'a.jsonl');
    const { journal } = await openJournal(path, { mode: 'create', now });
    const place = await journal.append({ n: 1 });
    expect(readFileSync(path).length).toBe(place.bytes);
    expect(place).toMatchObject({ seq: 1, at: now() });
    await journal.close();
  });

  it('goes on in the chain after it was opened again', async () => {
    const path = await journalOf([{ n: 1 }]);
    const { journal, content } = await openJournal(path, { mode: 'continue', now });
    expect(content.nextSeq).toBe(2);
    await journal.append({ n: 2 });
    await journal.close();
    const again = await loadJournal(path);
    expect(again.lines.map((line) => line.entry)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(again.damage).toEqual([]);
  });

  it('refuses to create over a file that is there, and to continue one that is not', async () => {
    const path = await journalOf([{ n: 1 }]);
    await expect(openJournal(path, { mode: 'create', now })).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(openJournal(`${path}.no`, { mode: 'continue', now })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('cuts a torn tail, whatever its length, and keeps the torn bytes beside it', async () => {
    const whole = readFileSync(await journalOf([{ n: 1 }, { n: 2 }, { n: 3 }]));
    const lines = whole.toString().split('\n');
    const twoLines = Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`);
    for (let length = twoLines + 1; length < whole.length; length += 1) {
      const directory = tempDir();
      const path = join(directory, 'a.jsonl');
      writeFileSync(path, whole.subarray(0, length));
      const { journal, content } = await openJournal(path, { mode: 'continue', now });
      expect(content.lines).toHaveLength(2);
      expect(content.tornBytes).toBe(length - twoLines);
      await journal.append({ n: 'after' });
      await journal.close();
      const again = await loadJournal(path);
      expect(again.lines.map((line) => line.entry)).toEqual([{ n: 1 }, { n: 2 }, { n: 'after' }]);
      expect(again.damage).toEqual([]);
      expect(readdirSync(directory).some((name) => name.includes('.torn-'))).toBe(true);
    }
  });

  it('isolates a flipped byte to the line that it hit', async () => {
    const whole = readFileSync(await journalOf([{ n: 1 }, { n: 2 }, { n: 3 }]));
    const firstEnd = whole.indexOf(0x0a);
    const secondEnd = whole.indexOf(0x0a, firstEnd + 1);
    for (let at = firstEnd + 1; at < secondEnd; at += 7) {
      const bent = Buffer.from(whole);
      bent[at] = bent[at]! ^ 0x01;
      const content = readJournal(bent);
      expect(content.lines.map((line) => line.seq)).toEqual([1, 3]);
      expect(content.damage).toHaveLength(1);
      expect(content.damage[0]).toMatchObject({ offset: firstEnd + 1, reason: 'unreadable' });
    }
  });

  it('shows a line that was taken out or changed together with its checksum', async () => {
    const path = await journalOf([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const lines = readFileSync(path, 'utf8').split('\n');
    const without = readJournal(Buffer.from(`${lines[0]}\n${lines[2]}\n`));
    expect(without.damage).toEqual([expect.objectContaining({ reason: 'chain-broken' })]);

    const other = readFileSync(await journalOf([{ n: 1 }, { n: 'forged' }]), 'utf8').split('\n');
    const forged = readJournal(Buffer.from(`${lines[0]}\n${other[1]}\n${lines[2]}\n`));
    expect(forged.damage).toEqual([expect.objectContaining({ reason: 'chain-broken' })]);
  });

  it('never throws, whatever bytes it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const content = readJournal(Buffer.from(bytes));
        expect(content.goodBytes + content.tornBytes).toBe(bytes.length);
      }),
    );
  });

  it('refuses an entry that is no JSON, and takes the others', async () => {
    const path = join(tempDir(), 'a.jsonl');
    const { journal } = await openJournal(path, { mode: 'create', now });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const results = await Promise.allSettled([{ n: 1 }, circular, { n: 2 }].map((entry) => journal.append(entry)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await journal.close();
    expect((await loadJournal(path)).lines.map((line) => line.entry)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  describe.each(['no space', 'short write', 'failed sync', 'failed sync and truncate'] as const)('with %s', (fault) => {
    it('keeps nothing of a line that it did not acknowledge, and takes the next one', async () => {
      const path = join(tempDir(), 'a.jsonl');
      let broken = false;
      const openFile: OpenFile = async (...args) => {
        const file = await open(...args);
        const full = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return {
          readFile: file.readFile.bind(file),
          close: file.close.bind(file),
          async truncate(length) {
            if (broken && fault === 'failed sync and truncate') throw full();
            await file.truncate(length);
          },
          async datasync() {
            if (broken && fault.startsWith('failed sync')) throw full();
            await file.datasync();
          },
          write: (async (bytes: Buffer, offset: number, length: number, position: number) => {
            if (broken && fault === 'no space') throw full();
            const taken = fault === 'short write' ? Math.min(length, broken ? 3 : 11) : length;
            if (broken && fault === 'short write' && offset > 0) return { bytesWritten: 0, buffer: bytes };
            return file.write(bytes, offset, taken, position);
          }) as JournalFile['write'],
        };
      };
      const { journal } = await openJournal(path, { mode: 'create', now, openFile });
      await journal.append({ n: 1 });
      broken = true;
      await expect(journal.append({ n: 'lost' })).rejects.toMatchObject({ code: 'ENOSPC' });
      broken = false;
      const place = await journal.append({ n: 2 });
      expect(place.seq).toBe(2);
      await journal.close();
      const content = await loadJournal(path);
      expect(content.lines.map((line) => line.entry)).toEqual([{ n: 1 }, { n: 2 }]);
      expect(content.damage).toEqual([]);
      expect(content.tornBytes).toBe(0);
    });
  });
});
