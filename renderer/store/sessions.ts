import type { Session } from '../../src/contract/index.ts';
import type { Origin } from './conversations.ts';
import type { State } from './state.ts';
import { without } from './state.ts';

type Sessions = Readonly<Record<string, Session>>;

/** Open sessions in the order in which they were made: what the tabs show. */
export function tabsOf(sessions: Sessions): readonly Session[] {
  return Object.values(sessions)
    .filter((session) => session.status === 'open')
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

export type AgeGroup = 'today' | 'yesterday' | 'earlier';
export interface SessionGroup {
  readonly age: AgeGroup;
  readonly sessions: readonly Session[];
}

/** Newest activity first, under the day of the user's calendar. Groups without sessions are left out. */
export function groupByAge(sessions: Sessions, now: Date): readonly SessionGroup[] {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).getTime();
  const sorted = Object.values(sessions).sort((a, b) => b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? -1 : 1));
  const ageOf = (session: Session): AgeGroup =>
    session.lastActivityAt >= today ? 'today' : session.lastActivityAt >= yesterday ? 'yesterday' : 'earlier';
  return (['today', 'yesterday', 'earlier'] as const)
    .map((age) => ({ age, sessions: sorted.filter((session) => ageOf(session) === age) }))
    .filter((group) => group.sessions.length > 0);
}

/**
 * Takes in a session. Events come in order; an answer to a request may have been overtaken by events, so there the
 * link that changed last wins.
 */
export function withSession(state: State, incoming: Session, origin: Origin): State {
  if (state.gone.has(incoming.id)) return state;
  const have = state.sessions[incoming.id];
  if (have !== undefined && incoming.rev < have.rev) return state;
  const link =
    origin === 'answer' && have !== undefined && have.link.since > incoming.link.since ? have.link : incoming.link;
  const fresh =
    origin === 'event' && !state.fresh.has(incoming.id) ? new Set(state.fresh).add(incoming.id) : state.fresh;
  return settle(state, { ...state, fresh, sessions: { ...state.sessions, [incoming.id]: { ...incoming, link } } });
}

/** Puts a newly fetched list in the place of the one before. */
export function withSessionList(state: State, list: readonly Session[], cursor: string | null): State {
  const sessions: Record<string, Session> = {};
  for (const incoming of list) {
    if (state.gone.has(incoming.id)) continue;
    const have = state.sessions[incoming.id];
    const known = have !== undefined && incoming.rev < have.rev ? have : incoming;
    const link = have !== undefined && have.link.since > incoming.link.since ? have.link : incoming.link;
    sessions[incoming.id] = { ...known, link };
  }
  for (const id of state.fresh) {
    const have = state.sessions[id];
    if (have !== undefined) sessions[id] ??= have;
  }
  return settle(state, { ...state, sessions, sessionsCursor: cursor, loaded: true });
}

export function withoutSession(state: State, sessionId: string): State {
  return settle(state, {
    ...state,
    gone: new Set(state.gone).add(sessionId),
    sessions: without(state.sessions, sessionId),
    drafts: without(state.drafts, sessionId),
    pending: without(state.pending, sessionId),
    sendProblems: without(state.sendProblems, sessionId),
  });
}

/** Sessions that are there again under the ids that they had before. */
export function withImported(state: State, sessionIds: readonly string[]): State {
  const gone = new Set(state.gone);
  for (const id of sessionIds) gone.delete(id);
  return gone.size === state.gone.size ? state : { ...state, gone };
}

/** Keeps the active tab one that exists, and holds no history of what has no tab. */
function settle(before: State, after: State): State {
  const isOpen = (id: string) => after.sessions[id]?.status === 'open';
  const held = Object.keys(after.conversations).filter(isOpen);
  const conversations =
    held.length === Object.keys(after.conversations).length
      ? after.conversations
      : Object.fromEntries(Object.entries(after.conversations).filter(([id]) => isOpen(id)));
  const renaming =
    after.renaming !== null && after.sessions[after.renaming.sessionId] === undefined ? null : after.renaming;
  // Before the first list nothing is known of the remembered tab: it stays until the list says otherwise.
  const activeId = after.loaded ? activeTab(before, after) : after.activeId;
  return { ...after, conversations, renaming, activeId };
}

function activeTab(before: State, after: State): string | null {
  const active = after.activeId;
  if (active !== null && (active === after.making || after.sessions[active]?.status === 'open')) return active;
  const tabs = tabsOf(after.sessions);
  // On the very first list the tab that was used last comes forward; a user who went to no tab on purpose stays there.
  if (!before.loaded) return tabs.toSorted((a, b) => b.lastActivityAt - a.lastActivityAt)[0]?.id ?? null;
  if (active === null) return null;
  const place = tabsOf(before.sessions).findIndex((session) => session.id === active);
  return tabs[Math.min(Math.max(place, 0), tabs.length - 1)]?.id ?? null;
}
