import { describe, expect, it } from 'vitest';
import { connectionRecordSchema, noteSchema, restorationSchema } from '../../src/contract/index.ts';
import type { LinkState } from '../../src/contract/index.ts';
import { happenedWords, rawWords } from '../../renderer/problem-words.ts';
import { durationWords, measuredWords, timeOf } from '../../renderer/status/times.ts';
import { linkWords, noteWords, words } from '../../renderer/words.ts';

const problem = { code: 'connection_lost', message: 'The connection was lost.', retry: 'automatic' } as const;
const since = 1_000;
const STATES: readonly LinkState[] = [
  { kind: 'idle', since },
  { kind: 'connecting', since },
  { kind: 'restoring', since, turns: 12 },
  ...restorationSchema.options.map((restored) => ({ kind: 'live', since, restored }) as const),
  { kind: 'rotating', since, until: 2_000 },
  { kind: 'waiting', since, attempt: 1, until: 2_000, problem },
  { kind: 'paused', since, by: 'user' },
  { kind: 'paused', since, by: 'offline' },
  { kind: 'needs-you', since, problem },
  { kind: 'closed', since },
];

describe('the words of a link', () => {
  it('are there for every state and different for each', () => {
    const said = STATES.map(linkWords);
    expect(said.every((one) => one.length > 3)).toBe(true);
    expect(new Set(said).size).toBe(STATES.length);
  });

  it('count turns', () => {
    expect(linkWords({ kind: 'restoring', since, turns: 1 })).toContain('(1 turn)');
    expect(linkWords({ kind: 'restoring', since, turns: 12 })).toContain('(12 turns)');
  });
});

describe('the words of a note', () => {
  it('say what happened and how many turns were told again', () => {
    expect(noteWords('resumed', 0)).toBe('Resumed by the server');
    expect(noteWords('rebuilt', 1)).toBe('Rebuilt from your history (1 turn)');
    expect(noteWords('resumed-older', 3)).toBe('Resumed from an older point; what came after was told again (3 turns)');
    expect(noteWords('summarised', 40)).toBe('Told again as a summary (40 turns)');
    expect(new Set(noteSchema.options.map((note) => noteWords(note, 2))).size).toBe(noteSchema.options.length);
  });
});

describe('the words of an earlier connection', () => {
  it('are there for every reason and every way of restoring', () => {
    expect(Object.keys(words.health.ended).sort()).toEqual([...connectionRecordSchema.shape.why.options].sort());
    expect(Object.keys(words.health.restored).sort()).toEqual([...restorationSchema.options].sort());
  });
});

describe('the words of a past problem', () => {
  it('tell what happened instead of what to do, and fall back on the message', () => {
    const refused = { code: 'setup_rejected', message: 'Start again.', retry: 'user' } as const;
    expect(happenedWords(refused)).toBe('The server did not accept what was sent');
    expect(happenedWords({ ...refused, code: 'internal' })).toBe('Start again.');
  });

  it('have what the server said, as it came', () => {
    expect(rawWords(problem)).toBeNull();
    expect(rawWords({ ...problem, context: { closeCode: 1006 } })).toBe('Close code 1006');
    expect(rawWords({ ...problem, context: { httpStatus: 503, reason: 'busy' } })).toBe('HTTP 503: busy');
    expect(rawWords({ ...problem, context: { errno: 'ECONNREFUSED' } })).toBe('ECONNREFUSED');
    expect(rawWords({ ...problem, context: { waitedMs: 8_000 } })).toBeNull();
  });
});

describe('a measured time', () => {
  it('is in milliseconds below a second', () => {
    expect([0, 0.4, 0.5, 40.2, 999.4, 999.6, 1_240].map(measuredWords)).toEqual([
      'under 1 ms',
      'under 1 ms',
      '1 ms',
      '40 ms',
      '999 ms',
      '1.0 s',
      '1.2 s',
    ]);
  });
});

describe('a time', () => {
  it('names the day where it is another one', () => {
    const now = new Date(2026, 5, 10, 12, 0).getTime();
    const today = timeOf(new Date(2026, 5, 10, 9, 5).getTime(), now);
    const yesterday = timeOf(new Date(2026, 5, 9, 9, 5).getTime(), now);
    expect(yesterday).toContain(today.slice(0, 5));
    expect(yesterday.length).toBeGreaterThan(today.length);
  });

  it('has a length in its two largest units', () => {
    const minute = 60_000;
    const said = [
      0,
      999,
      1_000,
      59_999,
      minute,
      59 * minute,
      60 * minute,
      125 * minute,
      24 * 60 * minute,
      26 * 60 * minute,
    ];
    expect(said.map(durationWords)).toEqual([
      'under a second',
      'under a second',
      '1 s',
      '59 s',
      '1 min',
      '59 min',
      '1 h',
      '2 h 5 min',
      '1 d',
      '1 d 2 h',
    ]);
  });
});
