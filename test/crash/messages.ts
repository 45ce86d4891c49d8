import type { Problem, Turn, TurnDelta } from '../../src/contract/index.ts';

/** What the parent wants of the host that it is about to kill. */
export type ToHost =
  | { readonly type: 'create'; readonly sessionId: string }
  | { readonly type: 'send'; readonly sessionId: string; readonly turnId: string; readonly text: string }
  | { readonly type: 'history' }
  | { readonly type: 'close' };

/** What the host has told; what did not get here before the kill counts as never told. */
export type FromHost =
  | { readonly type: 'open' }
  | { readonly type: 'not-opened'; readonly problem: Problem }
  | { readonly type: 'created'; readonly sessionId: string }
  /** `turns.send` has resolved: the turn is accepted. */
  | { readonly type: 'accepted'; readonly turnId: string }
  | { readonly type: 'refused'; readonly what: string; readonly problem: Problem }
  | { readonly type: 'delta'; readonly delta: TurnDelta }
  | { readonly type: 'history'; readonly sessions: Histories; readonly notices: readonly Problem[] };

/** By session id, oldest turn first. */
export type Histories = Readonly<Record<string, readonly Turn[]>>;

export const HOST_ENV = {
  dataDir: 'HOLDFAST_CRASH_DATA_DIR',
  killAt: 'HOLDFAST_CRASH_KILL_AT',
  tooEarly: 'HOLDFAST_CRASH_ACCEPT_TOO_EARLY',
} as const;
