import type { CoreEvent, TurnDelta } from '../../src/contract/index.ts';
import { withDeltas, withTurn } from './conversations.ts';
import type { ConversationChange } from './conversations.ts';
import { withImported, withoutSession, withSession } from './sessions.ts';
import type { State } from './state.ts';

/** What has to be fetched because events alone cannot bring the window up to date. */
export type Need = { readonly kind: 'everything' } | { readonly kind: 'history'; readonly sessionId: string };

export interface Reduction {
  readonly state: State;
  readonly needs: readonly Need[];
}

/** More notices than anyone reads; the oldest go first. */
const NOTICES_MAX = 50;

/** What one event of the core makes of the state. */
export function reduceEvent(state: State, event: CoreEvent): Reduction {
  switch (event.type) {
    case 'reset':
      // What is on the screen stays until its successor is here, so that nothing flashes.
      return { state: { ...state, fresh: new Set() }, needs: [{ kind: 'everything' }] };
    case 'session.changed':
      return settled(withSession(state, event.session, 'event'));
    case 'session.deleted':
      return settled(withoutSession(state, event.sessionId));
    case 'sessions.imported':
      return { state: withImported(state, event.sessionIds), needs: [{ kind: 'everything' }] };
    case 'link.changed': {
      const session = state.sessions[event.sessionId];
      if (session === undefined) return settled(state);
      const sessions = { ...state.sessions, [event.sessionId]: { ...session, link: event.link } };
      return settled({ ...state, sessions });
    }
    case 'turn.changed':
      return inConversation(state, event.turn.sessionId, (held) => withTurn(held, event.turn, 'event'));
    case 'turn.delta':
      return reduceDeltas(state, event.delta.sessionId, [event.delta]);
    case 'settings.changed':
      return settled({ ...state, settings: event.view });
    case 'notice': {
      if (state.notices.some((notice) => notice.id === event.notice.id)) return settled(state);
      return settled({ ...state, notices: [...state.notices, event.notice].slice(-NOTICES_MAX) });
    }
  }
}

/** A batch in order. Runs of deltas of one session are applied together, which keeps long histories cheap. */
export function reduceEvents(state: State, events: readonly CoreEvent[]): Reduction {
  let next = state;
  const needs = new Map<string, Need>();
  const take = (reduction: Reduction) => {
    next = reduction.state;
    for (const need of reduction.needs)
      needs.set(need.kind === 'history' ? `history ${need.sessionId}` : need.kind, need);
  };
  let run: TurnDelta[] = [];
  const endRun = () => {
    const first = run[0];
    if (first === undefined) return;
    take(reduceDeltas(next, first.sessionId, run));
    run = [];
  };
  for (const event of events) {
    if (event.type === 'turn.delta') {
      if (run[0] !== undefined && run[0].sessionId !== event.delta.sessionId) endRun();
      run.push(event.delta);
    } else {
      endRun();
      take(reduceEvent(next, event));
    }
  }
  endRun();
  return { state: next, needs: [...needs.values()] };
}

function reduceDeltas(state: State, sessionId: string, deltas: readonly TurnDelta[]): Reduction {
  return inConversation(state, sessionId, (held) => withDeltas(held, deltas));
}

/** Histories that are not held are fetched when they are shown, so changes to them are not needed here. */
function inConversation(
  state: State,
  sessionId: string,
  change: (held: NonNullable<State['conversations'][string]>) => ConversationChange,
): Reduction {
  const held = state.conversations[sessionId];
  if (held === undefined) return settled(state);
  const { conversation, gap } = change(held);
  const needs: Need[] = gap ? [{ kind: 'history', sessionId }] : [];
  if (conversation === held) return { state, needs };
  return { state: { ...state, conversations: { ...state.conversations, [sessionId]: conversation } }, needs };
}

function settled(state: State): Reduction {
  return { state, needs: [] };
}
