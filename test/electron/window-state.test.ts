import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  DEFAULT_SIZE,
  keepWindowState,
  MIN_SIZE,
  overlap,
  parseWindowState,
  placeWindow,
  readWindowState,
} from '../../electron/window-state.ts';
import type { KeptWindow } from '../../electron/window-state.ts';
import { emitting, keptLog } from './fakes.ts';

const laptop = { x: 0, y: 25, width: 1440, height: 875 };
const desk = { x: 1440, y: 0, width: 2560, height: 1400 };
const left = { x: -1920, y: -200, width: 1920, height: 1080 };

describe('what was saved', () => {
  test('is read back as it was', () => {
    const state = { bounds: { x: -5, y: 10, width: 800, height: 600 }, maximised: true };
    expect(parseWindowState(state)).toEqual(state);
  });

  test.each([
    ['nothing', {}],
    ['null', null],
    ['a list', []],
    ['words for numbers', { bounds: { x: '0', y: 0, width: 1, height: 1 }, maximised: false }],
    ['no size', { bounds: { x: 0, y: 0, width: 0, height: 600 }, maximised: false }],
    ['a negative size', { bounds: { x: 0, y: 0, width: -800, height: 600 }, maximised: false }],
    ['not a number', { bounds: { x: Number.NaN, y: 0, width: 800, height: 600 }, maximised: false }],
    ['a place beyond any desktop', { bounds: { x: 1e9, y: 0, width: 800, height: 600 }, maximised: false }],
    ['no flag', { bounds: { x: 0, y: 0, width: 800, height: 600 } }],
  ])('counts as nothing when it is %s', (_name, stored) => {
    expect(parseWindowState(stored)).toBeUndefined();
  });

  test('counts as nothing when the file cannot be read', () => {
    const file = {
      get store(): Record<string, unknown> {
        throw new Error('EIO');
      },
    };
    expect(readWindowState(file)).toBeUndefined();
  });
});

describe('where the window goes', () => {
  test('the first time: centred on the primary display, in the default size', () => {
    const { bounds, maximised } = placeWindow(undefined, [laptop, desk]);
    expect(bounds).toEqual({ x: 160, y: 82, ...DEFAULT_SIZE });
    expect(maximised).toBe(false);
  });

  test('where it was, when that is still on a display', () => {
    const saved = { bounds: { x: 2000, y: 100, width: 900, height: 700 }, maximised: true };
    expect(placeWindow(saved, [laptop, desk])).toEqual(saved);
  });

  test('on a display left of and above the primary, too', () => {
    const saved = { bounds: { x: -1800, y: -150, width: 900, height: 700 }, maximised: false };
    expect(placeWindow(saved, [laptop, left])).toEqual(saved);
  });

  test('centred on the primary in its old size, when its display has gone', () => {
    const saved = { bounds: { x: 2000, y: 100, width: 900, height: 700 }, maximised: true };
    expect(placeWindow(saved, [laptop])).toEqual({
      bounds: { x: 270, y: 112, width: 900, height: 700 },
      maximised: true,
    });
  });

  test('no larger than its display', () => {
    const saved = { bounds: { x: 0, y: 0, width: 5000, height: 4000 }, maximised: false };
    expect(placeWindow(saved, [laptop]).bounds).toEqual(laptop);
  });

  test('moved in whole onto the display that it covers most', () => {
    const saved = { bounds: { x: 1300, y: 1000, width: 900, height: 700 }, maximised: false };
    expect(placeWindow(saved, [laptop, desk]).bounds).toEqual({ x: 1440, y: 700, width: 900, height: 700 });
  });

  test('grown to the smallest useful size', () => {
    const saved = { bounds: { x: 50, y: 50, width: 1, height: 1 }, maximised: false };
    expect(placeWindow(saved, [laptop]).bounds).toEqual({ x: 50, y: 50, ...MIN_SIZE });
  });

  test('somewhere even when no display is known', () => {
    expect(placeWindow(undefined, []).bounds).toEqual({ x: 0, y: 0, ...DEFAULT_SIZE });
  });

  const area = fc.record({
    x: fc.integer({ min: -10_000, max: 10_000 }),
    y: fc.integer({ min: -10_000, max: 10_000 }),
    width: fc.integer({ min: 200, max: 8_000 }),
    height: fc.integer({ min: 200, max: 5_000 }),
  });
  const number = fc.oneof(
    fc.integer({ min: -120_000, max: 120_000 }),
    fc.double({ min: -120_000, max: 120_000 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0),
  );
  const anything = fc.oneof(
    fc.record({
      bounds: fc.record({ x: number, y: number, width: number, height: number }),
      maximised: fc.boolean(),
    }),
    fc.anything(),
  );

  test('whatever was saved and whatever displays there are: in whole within one of them, in whole numbers', () => {
    fc.assert(
      fc.property(anything, fc.array(area, { minLength: 1, maxLength: 5 }), (stored, areas) => {
        const { bounds } = placeWindow(parseWindowState(stored), areas);
        expect(areas.some((a) => overlap(a, bounds) === bounds.width * bounds.height)).toBe(true);
        expect(Object.values(bounds).every(Number.isInteger)).toBe(true);
        expect(bounds.width * bounds.height).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });

  test('placing is settled: what was placed and saved is placed there again', () => {
    fc.assert(
      fc.property(anything, fc.array(area, { minLength: 1, maxLength: 5 }), (stored, areas) => {
        const first = placeWindow(parseWindowState(stored), areas);
        // On displays that overlap, either may be the one; a real desktop has none that do.
        fc.pre(areas.every((a, i) => areas.every((b, j) => i === j || overlap(a, b) === 0)));
        expect(placeWindow(first, areas)).toEqual(first);
      }),
    );
  });
});

describe('saving', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function kept(file: { store: Record<string, unknown> }) {
    const place = { bounds: { x: 1, y: 2, width: 800, height: 600 }, maximised: false, destroyed: false };
    const window = emitting<KeptWindow>({
      getNormalBounds: () => place.bounds,
      isMaximized: () => place.maximised,
      isDestroyed: () => place.destroyed,
    });
    const log = keptLog();
    return { place, window, log, undo: keepWindowState(window, file, log) };
  }

  test('happens once, a moment after the last change', () => {
    const writes: unknown[] = [];
    const { window, place } = kept({
      get store() {
        return {};
      },
      set store(value) {
        writes.push(value);
      },
    });
    for (let x = 0; x < 20; x += 1) {
      place.bounds = { x, y: 2, width: 800, height: 600 };
      window.emit('move');
      vi.advanceTimersByTime(100);
    }
    expect(writes).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(writes).toEqual([{ bounds: { x: 19, y: 2, width: 800, height: 600 }, maximised: false }]);
  });

  test('is read back as the place to go to', () => {
    const file = { store: {} };
    const { window, place } = kept(file);
    place.maximised = true;
    window.emit('maximize');
    vi.advanceTimersByTime(1_000);
    expect(readWindowState(file)).toEqual({ bounds: place.bounds, maximised: true });
  });

  test('happens at once when the window closes, and not again after', () => {
    const file: { store: Record<string, unknown> } = { store: {} };
    const { window, place } = kept(file);
    window.emit('resize');
    window.emit('close');
    expect(file.store).toMatchObject({ bounds: place.bounds });
    file.store = {};
    place.destroyed = true;
    vi.advanceTimersByTime(1_000);
    expect(file.store).toEqual({});
  });

  test('that fails is logged and does no harm', () => {
    const { window, log } = kept({
      get store() {
        return {};
      },
      set store(_value) {
        throw new Error('ENOSPC');
      },
    });
    window.emit('close');
    expect(log.lines.map((line) => line.level)).toEqual(['warn']);
  });

  test('ends with its undo', () => {
    const file = { store: {} };
    const { window, undo } = kept(file);
    window.emit('move');
    undo();
    window.emit('close');
    vi.advanceTimersByTime(1_000);
    expect(file.store).toEqual({});
    expect(window.eventNames()).toEqual([]);
  });
});
