import type { StoreApi } from 'zustand/vanilla';
import { toProblem } from '../../src/contract/index.ts';
import type { CoreClient, Problem, Session } from '../../src/contract/index.ts';
import { loadingConversation, withNewestPage, withOlderPage } from './conversations.ts';
import { withSessionList } from './sessions.ts';
import type { Conversation, State } from './state.ts';
import { without } from './state.ts';

export const PAGE_TURNS = 100;
const PAGE_TURNS_MAX = 1_000;
const PAGE_SESSIONS = 100;
const PAGE_SESSIONS_MAX = 500;
const RETRY_FIRST_MS = 250;
const RETRY_CAP_MS = 5_000;

/** Fetches from the core what the window shows. */
export interface Sync {
  /** Everything that is shown, after a reset. A later call makes an earlier one moot. */
  everything(): void;
  /** The newest page of a session's history. */
  history(sessionId: string): void;
  older(sessionId: string): Promise<void>;
  moreSessions(): Promise<Problem | null>;
  stop(): void;
}

export function createSync(client: CoreClient, store: StoreApi<State>): Sync {
  let generation = 0;
  let stopped = false;
  const timers = new Set<ReturnType<typeof setTimeout>>();
  /** Sessions whose newest page is under way; `again` asks for one more after it. */
  const fetching = new Map<string, 'once' | 'again'>();

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  /** Asks until there is an answer; `undefined` when it is no longer wanted. */
  async function insist<T>(ask: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
    for (let failures = 0; wanted() && !stopped; failures += 1) {
      try {
        const answer = await ask();
        return wanted() && !stopped ? answer : undefined;
      } catch {
        // Without a list or settings there is no window to speak of, so this goes on until it is there.
        await pause(Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** failures));
      }
    }
    return undefined;
  }

  async function fetchSessions(): Promise<{ sessions: Session[]; cursor: string | null }> {
    const wanted = Object.keys(store.getState().sessions).length;
    const open = await client.sessions.list({ status: 'open', limit: PAGE_SESSIONS_MAX });
    const all = new Map(open.sessions.map((session) => [session.id, session]));
    let cursor: string | undefined;
    do {
      const limit = Math.min(PAGE_SESSIONS_MAX, Math.max(PAGE_SESSIONS, wanted));
      const page = await client.sessions.list({ status: 'all', limit, ...(cursor !== undefined && { cursor }) });
      for (const session of page.sessions) all.set(session.id, session);
      cursor = page.nextCursor;
    } while (cursor !== undefined && all.size < wanted);
    return { sessions: [...all.values()], cursor: cursor ?? null };
  }

  async function fetchNewest(sessionId: string): Promise<void> {
    const held = () => store.getState().conversations[sessionId];
    const known = held()?.turns.length ?? 0;
    const limit = Math.min(PAGE_TURNS_MAX, Math.max(PAGE_TURNS, known));
    for (let failures = 0; !stopped && held() !== undefined; failures += 1) {
      try {
        const page = await client.history.page({ sessionId, limit });
        setConversation(sessionId, (conversation) => withNewestPage(conversation, page));
        return;
      } catch (error) {
        const problem = toProblem(error);
        const nothingYet = held()?.newest.kind !== 'ready';
        if (problem.code !== 'host_unreachable') {
          if (nothingYet) setConversation(sessionId, (was) => ({ ...was, newest: { kind: 'failed', problem } }));
          return;
        }
        await pause(Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** failures));
      }
    }
  }

  function setConversation(sessionId: string, change: (held: Conversation) => Conversation): void {
    store.setState((state) => {
      const held = state.conversations[sessionId];
      if (held === undefined) return state;
      return { conversations: { ...state.conversations, [sessionId]: change(held) } };
    });
  }

  async function history(sessionId: string): Promise<void> {
    const held = store.getState().conversations[sessionId];
    if (held === undefined || held.newest.kind === 'failed') {
      const begun = { ...without(store.getState().conversations, sessionId), [sessionId]: loadingConversation };
      store.setState({ conversations: begun });
    }
    if (fetching.has(sessionId)) {
      fetching.set(sessionId, 'again');
      return;
    }
    do {
      fetching.set(sessionId, 'once');
      await fetchNewest(sessionId);
    } while (fetching.get(sessionId) === 'again' && !stopped);
    fetching.delete(sessionId);
  }

  return {
    everything() {
      generation += 1;
      const mine = generation;
      const wanted = () => mine === generation;
      void insist(fetchSessions, wanted).then((found) => {
        if (found === undefined) return;
        store.setState((state) => withSessionList(state, found.sessions, found.cursor));
      });
      void insist(() => client.settings.get(), wanted).then((settings) => settings && store.setState({ settings }));
      void insist(() => client.system.info(), wanted).then((info) => {
        if (info === undefined) return;
        store.setState((state) => {
          const listed = new Set(info.notices.map((notice) => notice.id));
          return { info, notices: [...info.notices, ...state.notices.filter((notice) => !listed.has(notice.id))] };
        });
      });
      for (const sessionId of Object.keys(store.getState().conversations)) void history(sessionId);
    },
    history(sessionId) {
      void history(sessionId);
    },
    async older(sessionId) {
      const held = store.getState().conversations[sessionId];
      const first = held?.turns[0];
      if (held === undefined || first === undefined || !held.hasMore || held.older === 'loading') return;
      setConversation(sessionId, (was) => ({ ...was, older: 'loading' }));
      try {
        const page = await client.history.page({ sessionId, before: first.index, limit: PAGE_TURNS });
        setConversation(sessionId, (was) => withOlderPage(was, page));
      } catch {
        setConversation(sessionId, (was) => ({ ...was, older: 'failed' }));
      }
    },
    async moreSessions() {
      const cursor = store.getState().sessionsCursor;
      if (cursor === null) return null;
      try {
        const page = await client.sessions.list({ status: 'all', limit: PAGE_SESSIONS, cursor });
        store.setState((state) => {
          const known = Object.values(state.sessions);
          return withSessionList(state, [...page.sessions, ...known], page.nextCursor ?? null);
        });
        return null;
      } catch (error) {
        return toProblem(error);
      }
    },
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
