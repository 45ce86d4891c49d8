import type {
  ConnectionStatus,
  CoreClient,
  Notice,
  Problem,
  Session,
  SettingsView,
  Turn,
} from '../../src/contract/index.ts';

export type SystemInfo = Awaited<ReturnType<CoreClient['system']['info']>>;

/** The part of a session's history that this window holds: a run of turns without gaps, oldest first. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** Whether the core holds turns older than the first one here. */
  readonly hasMore: boolean;
  readonly newest:
    { readonly kind: 'loading' } | { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly problem: Problem };
  readonly older: 'idle' | 'loading' | 'failed';
}

/** A turn that was handed over for sending and that the core has not confirmed yet. */
export interface PendingSend {
  /** Chosen once, so that asking again cannot keep the turn twice. */
  readonly turnId: string;
  readonly text: string;
  /** The whole draft that `text` was taken from. */
  readonly draft: string;
  readonly at: number;
  readonly state: 'sending' | 'unreached';
}

export interface Renaming {
  readonly sessionId: string;
  readonly place: 'tab' | 'sidebar';
}

/** What is on its way out or in, in a dialog of its own. */
export type TransferDialog =
  | { readonly kind: 'export'; readonly session: { readonly id: string; readonly title: string } | 'all' }
  | { readonly kind: 'import' };

export interface State {
  // what the core says
  readonly connection: ConnectionStatus;
  /** Whether the first list of sessions has arrived. */
  readonly loaded: boolean;
  readonly sessions: Readonly<Record<string, Session>>;
  /** Where the next page of the sessions' list begins; `null` when all of it is here. */
  readonly sessionsCursor: string | null;
  /** Sessions that events spoke of since the last reset: a list fetched meanwhile may not know of them yet. */
  readonly fresh: ReadonlySet<string>;
  /** Deleted sessions, so that a late answer cannot bring one back. */
  readonly gone: ReadonlySet<string>;
  readonly conversations: Readonly<Record<string, Conversation>>;
  readonly settings: SettingsView | null;
  readonly info: SystemInfo | null;
  readonly notices: readonly Notice[];
  // what belongs to this window
  /** The session in front. It may be one that is still being made. */
  readonly activeId: string | null;
  /** A session that the core was asked to make and has not confirmed yet: what is typed meanwhile is its draft. */
  readonly making: string | null;
  readonly drafts: Readonly<Record<string, string>>;
  readonly pending: Readonly<Record<string, PendingSend>>;
  readonly sendProblems: Readonly<Record<string, Problem>>;
  readonly dismissed: ReadonlySet<string>;
  readonly settingsOpen: boolean;
  readonly transfer: TransferDialog | null;
  readonly drawerOpen: boolean;
  readonly renaming: Renaming | null;
  /** Grows by one whenever the composer should take the focus. */
  readonly focusRequests: number;
}

/** The key of the draft that is written before its session exists. */
export const NEW_DRAFT = '';

export const initialState: State = {
  connection: 'connecting',
  loaded: false,
  sessions: {},
  sessionsCursor: null,
  fresh: new Set(),
  gone: new Set(),
  conversations: {},
  settings: null,
  info: null,
  notices: [],
  activeId: null,
  making: null,
  drafts: {},
  pending: {},
  sendProblems: {},
  dismissed: new Set(),
  settingsOpen: false,
  transfer: null,
  drawerOpen: false,
  renaming: null,
  focusRequests: 0,
};

/** A copy of `record` without `key`; the same record if the key is not there. */
export function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!Object.hasOwn(record, key)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
