import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/contract/index.ts';
import type { CoreEvent } from '../../src/contract/index.ts';
import { reduceEvent, reduceEvents } from '../../renderer/store/reduce.ts';
import { conversation, delta, session, stateWith, streaming, turn } from './samples.ts';

const textAt = (state: ReturnType<typeof stateWith>, id: string, at: number) => {
  const found = state.conversations[id]?.turns[at];
  return found === undefined ? undefined : textOf(found);
};

describe('a reset', () => {
  it('asks for everything and leaves on the screen what is there', () => {
    const before = stateWith({
      sessions: { a: session('a') },
      activeId: 'a',
      conversations: { a: conversation([turn(1)]) },
    });
    const { state, needs } = reduceEvent(before, { type: 'reset' });
    expect(needs).toEqual([{ kind: 'everything' }]);
    expect(state.sessions).toBe(before.sessions);
    expect(state.conversations).toBe(before.conversations);
    expect(state.activeId).toBe('a');
  });

  it('is asked for once however many resets a batch holds', () => {
    const { needs } = reduceEvents(stateWith({}), [{ type: 'reset' }, { type: 'reset' }]);
    expect(needs).toEqual([{ kind: 'everything' }]);
  });
});

describe('sessions', () => {
  it('ignores a state that is older than the one held', () => {
    const before = stateWith({ sessions: { a: session('a', { rev: 5, title: 'new' }) } });
    const { state } = reduceEvent(before, {
      type: 'session.changed',
      session: session('a', { rev: 4, title: 'old' }),
    });
    expect(state.sessions['a']?.title).toBe('new');
  });

  it('takes a link alone without touching the rest', () => {
    const before = stateWith({ sessions: { a: session('a', { title: 'kept' }) } });
    const link = { kind: 'connecting', since: 2_000 } as const;
    const { state } = reduceEvent(before, { type: 'link.changed', sessionId: 'a', link });
    expect(state.sessions['a']).toEqual(session('a', { title: 'kept', link }));
  });

  it('forgets a deleted session with its history and its draft, and a late state does not bring it back', () => {
    const before = stateWith({
      sessions: { a: session('a'), b: session('b') },
      activeId: 'a',
      drafts: { a: 'half a thought' },
      conversations: { a: conversation([turn(1)]) },
    });
    const { state } = reduceEvents(before, [
      { type: 'session.deleted', sessionId: 'a' },
      { type: 'session.changed', session: session('a', { rev: 99 }) },
    ]);
    expect(Object.keys(state.sessions)).toEqual(['b']);
    expect(state.conversations).toEqual({});
    expect(state.drafts).toEqual({});
    expect(state.activeId).toBe('b');
  });

  it('takes a deleted session back that was imported again, and fetches the list', () => {
    const before = stateWith({ gone: new Set(['a', 'c']) });
    const { state, needs } = reduceEvents(before, [
      { type: 'sessions.imported', sessionIds: ['a', 'b'] },
      { type: 'session.changed', session: session('a') },
      { type: 'session.changed', session: session('c') },
    ]);
    expect(Object.keys(state.sessions)).toEqual(['a']);
    expect(needs).toEqual([{ kind: 'everything' }]);
  });

  it('goes to the neighbour when the shown tab is closed', () => {
    const sessions = Object.fromEntries(['a', 'b', 'c'].map((id, at) => [id, session(id, { createdAt: at })]));
    const close = (id: string, active: string) =>
      reduceEvent(stateWith({ sessions, activeId: active }), {
        type: 'session.changed',
        session: session(id, { status: 'closed', rev: 2 }),
      }).state.activeId;
    expect(close('b', 'b')).toBe('c');
    expect(close('c', 'c')).toBe('b');
    expect(close('b', 'a')).toBe('a');
  });
});

describe('turns', () => {
  const open = (turns: Parameters<typeof conversation>[0]) =>
    stateWith({ sessions: { a: session('a') }, conversations: { a: conversation(turns) } });

  it('appends the next turn and replaces a known one', () => {
    const { state, needs } = reduceEvents(open([turn(1, { status: 'queued' })]), [
      { type: 'turn.changed', turn: turn(1, { status: 'sent', rev: 11 }) },
      { type: 'turn.changed', turn: streaming(2, '') },
    ]);
    expect(state.conversations['a']?.turns.map((one) => one.status)).toEqual(['sent', 'streaming']);
    expect(needs).toEqual([]);
  });

  it('ignores a stale state of a turn', () => {
    const before = open([turn(1, { rev: 20, status: 'answered' })]);
    const { state } = reduceEvent(before, { type: 'turn.changed', turn: turn(1, { rev: 19, status: 'sent' }) });
    expect(state).toBe(before);
  });

  it('asks for the newest page when a turn in between is missing', () => {
    const { state, needs } = reduceEvent(open([turn(1)]), { type: 'turn.changed', turn: turn(4) });
    expect(needs).toEqual([{ kind: 'history', sessionId: 'a' }]);
    expect(state.conversations['a']?.turns).toHaveLength(1);
  });

  it('leaves alone what is not shown', () => {
    const before = stateWith({ sessions: { a: session('a') } });
    expect(reduceEvent(before, { type: 'turn.changed', turn: turn(1) })).toEqual({ state: before, needs: [] });
    expect(reduceEvent(before, delta('t1', 0, 'x'))).toEqual({ state: before, needs: [] });
  });

  it('applies deltas in order, each once', () => {
    const events: CoreEvent[] = [
      delta('t2', 0, 'Hel'),
      delta('t2', 3, 'lo'),
      delta('t2', 3, 'lo'),
      delta('t2', 0, 'Hel'),
    ];
    const { state, needs } = reduceEvents(open([turn(1), streaming(2, '')]), events);
    expect(textAt(state, 'a', 1)).toBe('Hello');
    expect(needs).toEqual([]);
  });

  it('asks for the newest page at a gap and does not glue the text in the wrong place', () => {
    const { state, needs } = reduceEvents(open([turn(1), streaming(2, 'Hel')]), [delta('t2', 9, 'world')]);
    expect(textAt(state, 'a', 1)).toBe('Hel');
    expect(needs).toEqual([{ kind: 'history', sessionId: 'a' }]);
  });

  it('asks for the newest page when a delta belongs to an unknown turn', () => {
    expect(reduceEvent(open([turn(1)]), delta('t9', 0, 'x')).needs).toEqual([{ kind: 'history', sessionId: 'a' }]);
  });

  it('does not let a late delta change an answer that has ended', () => {
    const { state } = reduceEvents(open([turn(1), turn(2)]), [delta('t2', 6, ' and more')]);
    expect(textAt(state, 'a', 1)).toBe('text 2');
  });

  it('leaves turns that did not change the same objects, so that they are not rendered again', () => {
    const before = open([turn(1), turn(2), turn(3), streaming(4, 'x')]);
    const { state } = reduceEvents(before, [delta('t4', 1, 'y'), delta('t4', 2, 'z')]);
    const [was, is] = [before.conversations['a']?.turns ?? [], state.conversations['a']?.turns ?? []];
    expect(is.map((one, at) => one === was[at])).toEqual([true, true, true, false]);
  });

  it('keeps deltas of several sessions apart within a batch', () => {
    const before = stateWith({
      sessions: { a: session('a'), b: session('b') },
      conversations: {
        a: conversation([turn(1), streaming(2, '')]),
        b: conversation([turn(1), streaming(2, '', { sessionId: 'b' })]),
      },
    });
    const { state } = reduceEvents(before, [
      delta('t2', 0, 'one'),
      delta('t2', 0, 'two', 0, 'b'),
      delta('t2', 3, ' more'),
      delta('t2', 3, ' too', 0, 'b'),
    ]);
    expect(textAt(state, 'a', 1)).toBe('one more');
    expect(textAt(state, 'b', 1)).toBe('two too');
  });
});

describe('notices', () => {
  const notice = (id: string) => ({
    type: 'notice' as const,
    notice: { id, at: 1, problem: { code: 'disk_full' as const, message: 'Full.', retry: 'user' as const } },
  });

  it('are kept once each, the newest fifty', () => {
    const events = Array.from({ length: 60 }, (_, at) => notice(`n${at}`));
    const { state } = reduceEvents(stateWith({}), [...events, notice('n59')]);
    expect(state.notices).toHaveLength(50);
    expect(state.notices.at(-1)?.id).toBe('n59');
  });
});
