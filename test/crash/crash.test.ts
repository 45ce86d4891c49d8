import { describe, expect, it } from 'vitest';
import type { Turn } from '../../src/contract/index.ts';
import { runCrashes } from './crash-run.ts';
import { emptyLedger, findInHistories, findInServer, findUnanswered, noteDelta } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { HOST_ENV } from './messages.ts';

describe('a host that is killed again and again', () => {
  it(
    'loses nothing that was acknowledged or shown, and the server hears nothing twice',
    { timeout: 150_000 },
    async () => {
      const report = await runCrashes({ kills: 24, seed: 7 });
      expect(report.findings).toEqual([]);
      expect(report.kills.atRandom + report.kills.atStep).toBe(24);
      expect(report.turns.acknowledged).toBeGreaterThan(10);
      expect(report.turns.answeredWhole).toBeGreaterThan(5);
      expect(report.deltasDelivered).toBeGreaterThan(20);
      expect(report.tornTails).toBeGreaterThan(0);
    },
  );

  it('is found out when it acknowledges before the disk has it', { timeout: 150_000 }, async () => {
    const report = await runCrashes({ kills: 24, seed: 7, env: { [HOST_ENV.tooEarly]: 'yes' } });
    expect(report.findings[0]?.what).toBe('turn lost');
  });
});

describe('what is held against what was told', () => {
  const question: Turn = {
    id: 'q1',
    sessionId: 's1',
    index: 1,
    role: 'user',
    parts: [{ type: 'text', text: 'Say #1# tide' }],
    status: 'answered',
    createdAt: 1,
    rev: 2,
  };
  const answer: Turn = {
    ...question,
    id: 'a1',
    index: 2,
    role: 'model',
    parts: [{ type: 'text', text: '#1# tide' }],
    status: 'complete',
    replyTo: 'q1',
  };
  function told(): Ledger {
    const ledger = emptyLedger();
    ledger.created.add('s1');
    ledger.wanted.push({ number: 1, sessionId: 's1', turnId: 'q1', text: 'Say #1# tide', acknowledged: true });
    noteDelta(ledger, { sessionId: 's1', turnId: 'a1', part: 0, kind: 'text', offset: 0, text: '#1# ' });
    noteDelta(ledger, { sessionId: 's1', turnId: 'a1', part: 0, kind: 'text', offset: 4, text: 'tide' });
    return ledger;
  }
  const histories = (...turns: readonly Turn[]) => ({ s1: turns });
  const found = (...turns: readonly Turn[]) => [
    ...findInHistories(told(), histories(...turns)).map(({ what }) => what),
    ...findUnanswered(told(), histories(...turns)).map(({ what }) => what),
  ];

  it('is at peace with all that was promised', () => {
    expect(found(question, answer)).toEqual([]);
    expect(found(question, { ...answer, status: 'interrupted' })).toEqual([]);
    const rest: Turn = {
      ...answer,
      id: 'a2',
      index: 3,
      continues: 'a1',
      parts: [{ type: 'text', text: 'That was all.' }],
    };
    expect(found(question, { ...answer, status: 'interrupted' }, rest)).toEqual([]);
  });

  it('sees what is missing, changed, doubled, cut short or left unanswered', () => {
    expect(findInHistories(told(), {}).map(({ what }) => what)).toEqual([
      'session lost',
      'turn lost',
      'delivered text lost',
    ]);
    expect(found({ ...question, parts: [{ type: 'text', text: 'Say #1# tid' }] }, answer)).toContain('turn changed');
    expect(found(question, answer, question)).toContain('turn twice');
    expect(found(question, answer, { ...answer, id: 'a2', index: 3 })).toContain('turn twice');
    expect(found(question, { ...answer, parts: [{ type: 'text', text: '#1# ti' }] })).toContain('delivered text lost');
    expect(found({ ...question, status: 'queued' }, answer)).toContain('not answered');
    expect(found({ ...question, status: 'failed' }, answer)).toContain('turn failed');
    expect(found(question, { ...answer, parts: [{ type: 'text', text: '#1# tide #1#' }] })).toContain('wrong answer');
    expect(found({ ...question, index: 2 }, { ...answer, index: 1 })).toContain('turn twice');
    const cut: Turn = { ...answer, status: 'interrupted' };
    const rest: Turn = { ...answer, id: 'a2', index: 3, continues: 'a1' };
    expect(found(question, cut, rest)).toContain('wrong answer');
    const again = { ...rest, parts: [{ type: 'text' as const, text: 'That was all.' }] };
    expect(found(question, cut, again, { ...again, id: 'a3', index: 4 })).toContain('turn twice');
    expect(found(question, answer, again)).toContain('wrong answer');
  });

  it('sees what a server has heard twice or out of order, and does not mistake a continuation for it', () => {
    const heard = (...userTurns: readonly string[]) => findInServer([{ id: 'x', userTurns }]).map(({ what }) => what);
    expect(heard('Say #1# a', 'Say #2# b', 'Your last answer was cut off. It ended with: “#2# b”')).toEqual([]);
    expect(heard('Say #1# a', 'Say #1# a')).toEqual(['heard twice']);
    expect(heard('Say #2# a', 'Say #1# a')).toEqual(['heard out of order']);
  });
});
