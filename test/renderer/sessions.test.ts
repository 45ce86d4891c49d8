import { describe, expect, it } from 'vitest';
import { groupByAge, tabsOf, withSession, withSessionList } from '../../renderer/store/sessions.ts';
import { initialState } from '../../renderer/store/state.ts';
import { session, stateWith } from './samples.ts';

const byId = (...sessions: ReturnType<typeof session>[]) => Object.fromEntries(sessions.map((one) => [one.id, one]));

describe('tabs', () => {
  it('are the open sessions in the order in which they were made', () => {
    const sessions = byId(
      session('late', { createdAt: 3 }),
      session('shut', { createdAt: 2, status: 'closed' }),
      session('early', { createdAt: 1, lastActivityAt: 9 }),
    );
    expect(tabsOf(sessions).map((one) => one.id)).toEqual(['early', 'late']);
  });
});

describe('the groups of the list', () => {
  it('follow the calendar of the user, newest activity first', () => {
    const now = new Date(2026, 2, 29, 9, 30);
    const at = (day: number, hour: number) => new Date(2026, 2, day, hour).getTime();
    const groups = groupByAge(
      byId(
        session('morning', { lastActivityAt: at(29, 0) }),
        session('now', { lastActivityAt: at(29, 9) }),
        session('evening', { lastActivityAt: at(28, 23) }),
        session('old', { lastActivityAt: at(27, 23) }),
      ),
      now,
    );
    expect(groups.map((group) => [group.age, group.sessions.map((one) => one.id)])).toEqual([
      ['today', ['now', 'morning']],
      ['yesterday', ['evening']],
      ['earlier', ['old']],
    ]);
  });

  it('are left out where they are empty', () => {
    expect(groupByAge({}, new Date())).toEqual([]);
  });
});

describe('a fetched list', () => {
  it('takes the place of the one before, but keeps what events brought while it was under way', () => {
    const before = stateWith({ sessions: byId(session('vanished'), session('kept')), fresh: new Set() });
    const during = withSession(before, session('made', { rev: 3 }), 'event');
    const after = withSessionList(during, [session('kept')], null);
    expect(Object.keys(after.sessions).toSorted()).toEqual(['kept', 'made']);
  });

  it('does not bring back a deleted session', () => {
    const before = stateWith({ gone: new Set(['a']) });
    expect(withSessionList(before, [session('a')], null).sessions).toEqual({});
  });

  it('does not undo a link that has changed since it was read', () => {
    const live = { kind: 'live', since: 9_000, restored: 'new' } as const;
    const before = stateWith({ sessions: byId(session('a', { link: live })) });
    const after = withSessionList(before, [session('a', { link: { kind: 'connecting', since: 8_000 } })], null);
    expect(after.sessions['a']?.link).toEqual(live);
  });

  it('brings the remembered tab forward, else the one used last', () => {
    const list = [session('a', { lastActivityAt: 1 }), session('b', { lastActivityAt: 2 })];
    const first = (activeId: string | null) => withSessionList({ ...initialState, activeId }, list, null).activeId;
    expect(first('a')).toBe('a');
    expect(first('unknown')).toBe('b');
    expect(first(null)).toBe('b');
  });

  it('leaves a user alone who has no tab open', () => {
    const before = stateWith({ activeId: null });
    expect(withSessionList(before, [session('a')], null).activeId).toBeNull();
  });
});
