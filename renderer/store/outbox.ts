import type { StoreApi } from 'zustand/vanilla';
import { randomId, toProblem } from '../../src/contract/index.ts';
import type { CoreConnection, Turn } from '../../src/contract/index.ts';
import type { PendingSend, State } from './state.ts';
import { without } from './state.ts';

const RETRY_FIRST_MS = 300;
const RETRY_CAP_MS = 2_000;

/** Hands turns to the core and gives up none: what was typed stays in the composer until the core has it. */
export interface Outbox {
  send(sessionId: string): void;
  /** Takes up again what an earlier page of this window could not deliver. */
  resume(): void;
  stop(): void;
}

export function createOutbox(connection: CoreConnection, store: StoreApi<State>, onKept: (turn: Turn) => void): Outbox {
  let stopped = false;
  const wakers = new Set<() => void>();

  /** Until the connection opens again, or for `ms` at most. */
  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    wakers.add(resolve);
    let wasOpen = true;
    const unlisten = connection.onStatus((status) => {
      if (status === 'open' && !wasOpen) resolve();
      wasOpen = status === 'open';
    });
    await promise;
    clearTimeout(timer);
    wakers.delete(resolve);
    unlisten();
  }

  const pendingOf = (sessionId: string, turnId: string): PendingSend | undefined => {
    const pending = store.getState().pending[sessionId];
    return pending?.turnId === turnId ? pending : undefined;
  };

  async function deliver(sessionId: string, turnId: string): Promise<void> {
    for (let failures = 0; !stopped; failures += 1) {
      const pending = pendingOf(sessionId, turnId);
      if (pending === undefined) return;
      try {
        const turn = await connection.client.turns.send({ sessionId, turnId, text: pending.text });
        store.setState((state) => accepted(state, sessionId, pending));
        onKept(turn);
        return;
      } catch (error) {
        const problem = toProblem(error);
        if (problem.code !== 'host_unreachable') {
          store.setState((state) => ({
            pending: without(state.pending, sessionId),
            sendProblems: { ...state.sendProblems, [sessionId]: problem },
          }));
          return;
        }
        store.setState((state) =>
          state.pending[sessionId]?.turnId === turnId
            ? { pending: { ...state.pending, [sessionId]: { ...pending, state: 'unreached' } } }
            : state,
        );
        await pause(Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** failures));
      }
    }
  }

  return {
    send(sessionId) {
      const state = store.getState();
      const draft = state.drafts[sessionId] ?? '';
      const text = draft.trim();
      if (text === '' || state.pending[sessionId] !== undefined) return;
      const pending: PendingSend = { turnId: randomId(), text, draft, at: Date.now(), state: 'sending' };
      store.setState({
        pending: { ...state.pending, [sessionId]: pending },
        sendProblems: without(state.sendProblems, sessionId),
      });
      void deliver(sessionId, pending.turnId);
    },
    resume() {
      for (const [sessionId, pending] of Object.entries(store.getState().pending))
        void deliver(sessionId, pending.turnId);
    },
    stop() {
      stopped = true;
      for (const wake of wakers) wake();
    },
  };
}

/** Takes what was kept off the front of the draft; what was typed behind it meanwhile stays. */
export function accepted(
  state: State,
  sessionId: string,
  kept: PendingSend,
): Pick<State, 'pending' | 'drafts' | 'sendProblems'> {
  const draft = state.drafts[sessionId] ?? '';
  const rest = draft.startsWith(kept.draft) ? draft.slice(kept.draft.length).trimStart() : draft;
  return {
    pending: without(state.pending, sessionId),
    sendProblems: without(state.sendProblems, sessionId),
    drafts: rest === '' ? without(state.drafts, sessionId) : { ...state.drafts, [sessionId]: rest },
  };
}
