import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/contract/index.ts';
import type { LinkState } from '../../src/contract/index.ts';
import {
  afterCut,
  isAnswering,
  isCutQuestion,
  lastSaid,
  loadingConversation,
  newerTurn,
  withNewestPage,
  withOlderPage,
  withTurn,
} from '../../renderer/store/conversations.ts';
import { conversation, note, streaming, turn } from './samples.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => turn(from + at));
const idle: LinkState = { kind: 'idle', since: 1 };
const live: LinkState = { kind: 'live', since: 1, restored: 'new' };
const rotating: LinkState = { kind: 'rotating', since: 1, until: 2 };
const indexes = (held: { turns: readonly { index: number }[] }) => held.turns.map((one) => one.index);

describe('which state of a turn is newer', () => {
  it('is the one with the higher revision', () => {
    expect(newerTurn(turn(2, { rev: 5 }), turn(2, { rev: 4, status: 'failed' }), 'event').status).toBe('complete');
    expect(newerTurn(turn(2, { rev: 5 }), turn(2, { rev: 6, status: 'failed' }), 'event').status).toBe('failed');
  });

  it('is the one with more text while an answer streams, whichever way it came', () => {
    const [short, long] = [streaming(2, 'Hel'), streaming(2, 'Hello')];
    expect(textOf(newerTurn(short, long, 'answer'))).toBe('Hello');
    expect(textOf(newerTurn(long, short, 'answer'))).toBe('Hello');
    expect(textOf(newerTurn(long, { ...short, rev: 99 }, 'answer'))).toBe('Hello');
  });

  it('is the ended one, even where its text is shorter', () => {
    const ended = turn(2, { rev: 20, parts: [{ type: 'text', text: 'Hi' }] });
    expect(textOf(newerTurn(streaming(2, 'Hi the', { rev: 20 }), ended, 'event'))).toBe('Hi');
  });

  it('at the same revision is an event rather than what a request returned', () => {
    const [sent, queued] = [turn(1, { status: 'sent' }), turn(1, { status: 'queued' })];
    expect(newerTurn(sent, queued, 'answer').status).toBe('sent');
    expect(newerTurn(queued, sent, 'event').status).toBe('sent');
  });
});

describe('the newest page', () => {
  it('fills an empty conversation', () => {
    const held = withNewestPage(loadingConversation, { turns: range(5, 8), hasMore: true });
    expect(indexes(held)).toEqual([5, 6, 7, 8]);
    expect(held).toMatchObject({ hasMore: true, newest: { kind: 'ready' } });
  });

  it('keeps turns that came by events while it was under way', () => {
    const early = withTurn(loadingConversation, turn(3), 'event').conversation;
    expect(indexes(withNewestPage(early, { turns: range(1, 2), hasMore: false }))).toEqual([1, 2, 3]);
  });

  it('keeps older turns that join on, and what is known of those before them', () => {
    const held = conversation(range(1, 150), { hasMore: false });
    const merged = withNewestPage(held, { turns: range(101, 200), hasMore: true });
    expect(indexes(merged)).toEqual(indexes({ turns: range(1, 200) }));
    expect(merged.hasMore).toBe(false);
  });

  it('lets go of older turns that no longer join on', () => {
    const merged = withNewestPage(conversation(range(1, 20)), { turns: range(101, 200), hasMore: true });
    expect(indexes(merged)[0]).toBe(101);
    expect(merged.hasMore).toBe(true);
  });

  it('lets go of older turns among which an answer may have ended unseen', () => {
    const held = conversation([...range(1, 3), streaming(4, 'x')]);
    expect(indexes(withNewestPage(held, { turns: range(5, 8), hasMore: true }))).toEqual([5, 6, 7, 8]);
  });

  it('does not take text away that deltas have brought since', () => {
    const held = conversation([turn(1), streaming(2, 'Hello wor')]);
    const merged = withNewestPage(held, { turns: [turn(1), streaming(2, 'Hel')], hasMore: false });
    expect(merged.turns.map(textOf)).toEqual(['text 1', 'Hello wor']);
  });

  it('leaves unchanged turns the same objects', () => {
    const held = conversation(range(1, 4));
    const merged = withNewestPage(held, { turns: range(1, 4), hasMore: false });
    expect(merged.turns.every((one, at) => one === held.turns[at])).toBe(true);
  });
});

describe('an older page', () => {
  it('goes in front when it joins on', () => {
    const held = withOlderPage(conversation(range(11, 20), { hasMore: true, older: 'loading' }), {
      turns: range(1, 10),
      hasMore: false,
    });
    expect(indexes(held)).toEqual(indexes({ turns: range(1, 20) }));
    expect(held).toMatchObject({ hasMore: false, older: 'idle' });
  });

  it('is left out when it does not', () => {
    const held = withOlderPage(conversation(range(31, 40), { hasMore: true }), { turns: range(1, 10), hasMore: false });
    expect(indexes(held)).toEqual(indexes({ turns: range(31, 40) }));
    expect(held.hasMore).toBe(true);
  });
});

describe('whether there is an answer to stop', () => {
  it('is so while it streams, and while a sent turn waits on a live link', () => {
    expect(isAnswering(conversation([turn(1), streaming(2, '')]), idle)).toBe(true);
    expect(isAnswering(conversation([turn(1, { status: 'sent' })]), live)).toBe(true);
    expect(isAnswering(conversation([turn(1, { status: 'sent' })]), rotating)).toBe(true);
    expect(isAnswering(conversation([turn(1, { status: 'sent' })]), idle)).toBe(false);
    expect(isAnswering(conversation([turn(1), turn(2)]), live)).toBe(false);
    expect(isAnswering(undefined, live)).toBe(false);
  });

  it('does not depend on notes, which nobody said', () => {
    expect(isAnswering(conversation([turn(1, { status: 'sent' }), note(2)]), live)).toBe(true);
    expect(isAnswering(conversation([turn(1), turn(2), note(3)]), live)).toBe(false);
    expect(lastSaid([turn(1), note(2), note(3)])?.id).toBe('t1');
    expect(lastSaid([note(1)])).toBeUndefined();
  });
});

describe('a cut answer', () => {
  const cut = turn(2, { status: 'interrupted', replyTo: 't1' });
  const goesOn = streaming(4, 'more', { replyTo: 't1', continues: 't2' });

  it('is continued by the answer that names it, whatever lies between', () => {
    expect(afterCut(conversation([turn(1), cut, note(3), goesOn]), cut)).toBe('continued');
    expect(afterCut(conversation([turn(1), cut, note(3), streaming(4, 'anew', { replyTo: 't1' })]), cut)).toBe(
      'nothing',
    );
  });

  it('is found in a conversation whose beginning is not here', () => {
    const [late, next] = [turn(52, { status: 'interrupted' }), turn(53, { role: 'model', continues: 't52' })];
    expect(afterCut(conversation([turn(51), late, next], { hasMore: true }), late)).toBe('continued');
    expect(afterCut(conversation([late, next], { hasMore: true }), late)).toBe('continued');
  });

  it('waits while its question does', () => {
    const queued = turn(1, { status: 'queued' });
    expect(afterCut(conversation([queued, cut]), cut)).toBe('waiting');
    expect(afterCut(conversation([turn(1), cut]), cut)).toBe('nothing');
    expect(isCutQuestion(conversation([queued, cut]), queued)).toBe(true);
    expect(isCutQuestion(conversation([queued]), queued)).toBe(false);
    expect(isCutQuestion(conversation([queued, turn(2, { replyTo: 't1' })]), queued)).toBe(false);
  });
});
