import type { Session, Turn } from '../../src/contract/index.ts';
import type { Conversation, State } from '../../renderer/store/state.ts';
import { initialState } from '../../renderer/store/state.ts';

export function session(id: string, change: Partial<Session> = {}): Session {
  return {
    id,
    title: `Session ${id}`,
    titled: false,
    status: 'open',
    createdAt: 1_000,
    lastActivityAt: 1_000,
    turnCount: 0,
    rev: 1,
    link: { kind: 'idle', since: 1_000 },
    ...change,
  };
}

export function turn(index: number, change: Partial<Turn> = {}): Turn {
  return {
    id: `t${index}`,
    sessionId: 'a',
    index,
    role: index % 2 === 1 ? 'user' : 'model',
    parts: [{ type: 'text', text: `text ${index}` }],
    status: index % 2 === 1 ? 'answered' : 'complete',
    createdAt: 1_000 + index,
    rev: index * 10,
    ...change,
  };
}

export const streaming = (index: number, text: string, change: Partial<Turn> = {}): Turn =>
  turn(index, { role: 'model', status: 'streaming', parts: text === '' ? [] : [{ type: 'text', text }], ...change });

export const note = (index: number): Turn =>
  turn(index, { role: 'note', status: 'complete', parts: [{ type: 'note', note: 'resumed', turns: 0 }] });

export function conversation(turns: readonly Turn[], change: Partial<Conversation> = {}): Conversation {
  return { turns, hasMore: false, newest: { kind: 'ready' }, older: 'idle', ...change };
}

export function stateWith(change: Partial<State>): State {
  return { ...initialState, loaded: true, connection: 'open', ...change };
}

export const delta = (turnId: string, offset: number, text: string, part = 0, sessionId = 'a') => ({
  type: 'turn.delta' as const,
  delta: { sessionId, turnId, part, kind: 'text' as const, offset, text },
});
