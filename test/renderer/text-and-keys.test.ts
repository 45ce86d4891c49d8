import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksOf, runsOf } from '../../renderer/conversation/text-blocks.ts';
import { sameTurns, stretchesOf, stretchKey } from '../../renderer/conversation/stretches.ts';
import { shortcutOf } from '../../renderer/shortcuts.ts';
import type { KeyPress } from '../../renderer/shortcuts.ts';
import { turn } from './samples.ts';

const prose = fc.array(fc.oneof(fc.string({ maxLength: 300 }), fc.constant('\n'), fc.constant(' '.repeat(40))), {
  maxLength: 80,
});

describe('blocks of a text', () => {
  it('joined are the text', () => {
    fc.assert(
      fc.property(prose, (pieces) => {
        const text = pieces.join('');
        expect(blocksOf(text).join('')).toBe(text);
        expect(runsOf(text).join('')).toBe(text);
      }),
    );
  });

  it('do not change once the text has grown past them', () => {
    const text = Array.from({ length: 900 }, (_, at) => `line ${at} of many\n`).join('');
    for (const length of [3_000, 7_001, 12_345]) {
      const early = blocksOf(text.slice(0, length)).slice(0, -1);
      expect(blocksOf(text).slice(0, early.length)).toEqual(early);
    }
  });

  it('end at line breaks alone', () => {
    expect(blocksOf('word '.repeat(5_000))).toHaveLength(1);
    expect(blocksOf('').length).toBe(1);
  });
});

describe('stretches of turns', () => {
  const turns = Array.from({ length: 90 }, (_, at) => turn(at + 1));

  it('hold every turn once, in order', () => {
    expect(stretchesOf(turns).flat()).toEqual(turns);
  });

  it('stay the same when older turns come in front', () => {
    const newest = stretchesOf(turns.slice(45));
    const all = stretchesOf(turns);
    const last = (list: typeof all) => list.at(-1) ?? [];
    expect(stretchKey(last(newest))).toBe(stretchKey(last(all)));
    expect(sameTurns(last(newest), last(all))).toBe(true);
  });
});

describe('shortcuts', () => {
  const press = (key: string, code: string, held = ''): KeyPress => ({
    key,
    code,
    altKey: held.includes('alt'),
    ctrlKey: held.includes('ctrl'),
    metaKey: held.includes('meta'),
    shiftKey: held.includes('shift'),
    getModifierState: (name) => name === 'AltGraph' && held.includes('graph'),
  });

  it('are led by Alt, since browsers keep Ctrl for themselves', () => {
    expect(shortcutOf(press('n', 'KeyN', 'alt'), false)).toEqual({ kind: 'new' });
    expect(shortcutOf(press('n', 'KeyN', 'ctrl alt'), false)).toEqual({ kind: 'new' });
    expect(shortcutOf(press('w', 'KeyW', 'alt'), false)).toEqual({ kind: 'close' });
    expect(shortcutOf(press('3', 'Digit3', 'alt'), false)).toEqual({ kind: 'tab', place: 2 });
    expect(shortcutOf(press('F2', 'F2'), false)).toEqual({ kind: 'rename' });
    expect(shortcutOf(press('Escape', 'Escape'), false)).toEqual({ kind: 'stop' });
  });

  it('leave typing alone', () => {
    expect(shortcutOf(press('n', 'KeyN'), false)).toBeNull();
    expect(shortcutOf(press('n', 'KeyN', 'ctrl'), false)).toBeNull();
    expect(shortcutOf(press('ń', 'KeyN', 'ctrl alt graph'), false)).toBeNull();
    expect(shortcutOf(press('@', 'Digit2', 'ctrl alt'), false)).toBeNull();
    expect(shortcutOf(press('˜', 'KeyN', 'alt'), true)).toBeNull();
    expect(shortcutOf(press('0', 'Digit0', 'alt'), false)).toBeNull();
  });

  it('go with Ctrl or Cmd and Option on a Mac, whatever letter Option makes of the key', () => {
    expect(shortcutOf(press('˜', 'KeyN', 'alt meta'), true)).toEqual({ kind: 'new' });
    expect(shortcutOf(press('∑', 'KeyW', 'alt ctrl'), true)).toEqual({ kind: 'close' });
  });

  it('follow the letter of the layout, not the place of the key', () => {
    expect(shortcutOf(press('n', 'KeyL', 'alt'), false)).toEqual({ kind: 'new' });
    expect(shortcutOf(press('b', 'KeyN', 'alt'), false)).toBeNull();
  });
});
