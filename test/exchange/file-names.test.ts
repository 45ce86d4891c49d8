import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeFileName } from '../../src/exchange/index.ts';
import { fileNames } from '../../src/exchange/file-names.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('a file name', () => {
  it.each([
    ['Tea: hot or cold?', 'Tea- hot or cold-'],
    ['a/b\\c', 'a-b-c'],
    ['../../etc/passwd', '-..-etc-passwd'],
    ['  spaced   out  ', 'spaced out'],
    ['dots...', 'dots'],
    ['.hidden', 'hidden'],
    ['', 'Conversation'],
    ['...', 'Conversation'],
    ['???', 'Conversation'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['Com1', '_Com1'],
    ['COM¹', '_COM¹'],
    ['console', 'console'],
    ['line\nbreak\ttab\u0000zero', 'line break tab zero'],
    ['evil\u202Efdp.exe', 'evil fdp.exe'],
    ['half \ud83d', 'half \ufffd'],
    ['Καλημέρα 日本語 👩‍👩‍👧‍👦', 'Καλημέρα 日本語 👩‍👩‍👧‍👦'],
  ])('from %j is %j', (title, name) => {
    expect(safeFileName(title)).toBe(name);
  });

  it('from a long title is cut between characters', () => {
    expect(safeFileName('👩‍👩‍👧‍👦'.repeat(50))).toBe('👩‍👩‍👧‍👦'.repeat(4));
    expect(safeFileName('é'.repeat(500))).toBe('é'.repeat(60));
    expect(safeFileName(`${'x'.repeat(119)} . y`)).toBe('x'.repeat(119));
  });

  it('from any title is good on every system, and can be made here', () => {
    const folder = tempDir();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (title) => {
        const name = safeFileName(title);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(121);
        expect(name).not.toMatch(/[<>:"/\\|?*\p{Cc}]|^[\s.]|[\s.]$|^$/u);
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(name.isWellFormed()).toBe(true);
        const own = join(folder, String(readdirSync(folder).length));
        mkdirSync(own);
        writeFileSync(join(own, `${name}.html`), '');
        expect(readdirSync(own)).toEqual([`${name}.html`]);
      }),
      { numRuns: 300 },
    );
  });

  it('is given out once, whatever a file system thinks of case and accents', () => {
    const names = fileNames();
    names.mark('Already.md');
    expect(
      ['Tea', 'tea', 'TEA', 'Tee\u0301', 'Te\u00e9', 'Straße', 'STRASSE', 'already'].map((title) =>
        names.name(title, 'md'),
      ),
    ).toEqual([
      'Tea.md',
      'tea (2).md',
      'TEA (3).md',
      'Teé.md',
      'Teé (2).md',
      'Straße.md',
      'STRASSE (2).md',
      'already (2).md',
    ]);
  });
});
