import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import { followEvents } from '../../src/contract/index.ts';
import type { CoreConnection, CoreEvent } from '../../src/contract/index.ts';
import { createActions } from './actions.ts';
import type { Actions } from './actions.ts';
import { withTurn } from './conversations.ts';
import { createEventQueue } from './event-queue.ts';
import type { FlushClock } from './event-queue.ts';
import { tellOfNetwork } from './network.ts';
import type { NetworkPort } from './network.ts';
import { createOutbox } from './outbox.ts';
import { reduceEvents } from './reduce.ts';
import { initialState } from './state.ts';
import type { State } from './state.ts';
import { createSync } from './sync.ts';
import type { WindowMemory } from './window-memory.ts';

/** The window's model of the core, and all that can be done with it. */
export interface Holdfast {
  readonly store: StoreApi<State>;
  readonly actions: Actions;
  stop(): void;
}

/** Follows the core over `connection` until stopped. */
export function createHoldfast(
  connection: CoreConnection,
  memory: WindowMemory,
  clock: FlushClock,
  network: NetworkPort,
): Holdfast {
  const store = createStore<State>(() => ({ ...initialState, ...memory.read() }));
  const sync = createSync(connection.client, store);

  const take = (events: readonly CoreEvent[]) => {
    const { state, needs } = reduceEvents(store.getState(), events);
    store.setState(state, true);
    for (const need of needs) {
      if (need.kind === 'everything') sync.everything();
      else sync.history(need.sessionId);
    }
  };
  const queue = createEventQueue(take, clock);

  /** An answer to a request may be ahead of events that wait for their frame: those go first. */
  const takeTurn: Parameters<typeof createActions>[0]['takeTurn'] = (turn) => {
    queue.flush();
    const state = store.getState();
    const held = state.conversations[turn.sessionId];
    if (held === undefined) return;
    const { conversation, gap } = withTurn(held, turn, 'answer');
    store.setState({ conversations: { ...state.conversations, [turn.sessionId]: conversation } });
    if (gap) sync.history(turn.sessionId);
  };

  const outbox = createOutbox(connection, store, takeTurn);
  const actions = createActions({ client: connection.client, store, outbox, sync, takeTurn });

  const undo = [
    store.subscribe((state, before) => {
      memory.writeChanges(before, state);
      if (state.settings !== null && state.settings !== before.settings)
        memory.writeTheme(state.settings.settings.theme);
      const { activeId } = state;
      // The history of a tab is fetched when the tab first comes forward.
      if (
        activeId !== null &&
        state.sessions[activeId]?.status === 'open' &&
        state.conversations[activeId] === undefined
      ) {
        sync.history(activeId);
      }
    }),
    connection.onStatus((status) => store.setState({ connection: status })),
    followEvents(connection, queue.push),
    tellOfNetwork(connection, network),
  ];
  outbox.resume();

  return {
    store,
    actions,
    stop() {
      for (const one of undo) one();
      queue.stop();
      outbox.stop();
      sync.stop();
    },
  };
}
