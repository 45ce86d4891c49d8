import type { LinkConfig } from './config.ts';
import type { Connection, LinkData, LinkEffect, LinkFact, OutTurn, Phase, TimerName } from './types.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * One step in the making: a copy of the data that may be changed, and the effects so far. What hangs below the data is
 * never changed in place, so the state before the step stays as it was.
 */
export interface Draft {
  readonly data: Mutable<LinkData>;
  readonly effects: LinkEffect[];
  readonly config: LinkConfig;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** In [0, 1). */
  readonly random: number;
}

export function tell(draft: Draft, fact: LinkFact): void {
  draft.effects.push({ type: 'tell', fact });
}

export function startTimer(draft: Draft, name: TimerName, ms: number): void {
  draft.effects.push({ type: 'start-timer', name, ms });
}

export function stopTimer(draft: Draft, ...names: readonly TimerName[]): void {
  for (const name of names) draft.effects.push({ type: 'stop-timer', name });
}

export function enter(draft: Draft, phase: Phase): void {
  draft.data.phase = phase;
  draft.data.since = draft.at;
}

export function patchConnection(draft: Draft, change: Partial<Connection>): void {
  if (draft.data.connection !== undefined) draft.data.connection = { ...draft.data.connection, ...change };
}

/** The turn that a connection has and that is not over. */
export function outstanding(data: LinkData): OutTurn | undefined {
  return data.outbox.find(({ stage }) => stage !== 'waiting');
}

export function patchTurn(draft: Draft, turnId: string, change: Partial<OutTurn>): void {
  draft.data.outbox = draft.data.outbox.map((turn) => (turn.turnId === turnId ? { ...turn, ...change } : turn));
}

export function removeTurn(draft: Draft, turnId: string): void {
  draft.data.outbox = draft.data.outbox.filter((turn) => turn.turnId !== turnId);
}
