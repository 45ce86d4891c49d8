import type { Random } from './random.ts';
import { randomText } from './random.ts';
import { addTokens, noTokens, total, type Tokens } from './usage.ts';
import { textOf, type Content } from './wire.ts';

export interface MemoryEntry {
  readonly content: Content;
  readonly tokens: Tokens;
}

export type Poison = 'dies' | 'deaf';

/** A logical session: it outlives its connections for as long as a handle leads back to it. */
export interface Session {
  readonly id: string;
  readonly model: string;
  /** Append-only, so that a handle can be a length. Replaced, never cut, when an older handle restores an older memory. */
  entries: MemoryEntry[];
  /** The connection that serves it now, by epoch. */
  connection: number | undefined;
  audioMs: number;
  lastUsedAt: number;
}

interface Snapshot {
  readonly session: Session;
  readonly entries: MemoryEntry[];
  readonly length: number;
  readonly audioMs: number;
  readonly issuedAt: number;
  poison: Poison | undefined;
}

export interface SessionView {
  readonly id: string;
  readonly model: string;
  /** The words of each user turn that the server's context holds now. */
  readonly userTurns: readonly string[];
  readonly contents: readonly Content[];
}

export type Resumption =
  | { readonly ok: true; readonly session: Session; readonly poison: Poison | undefined }
  | { readonly ok: false; readonly why: 'unknown' | 'expired' | 'otherModel' | 'busy' };

/** What the server knows of its sessions, shared by all connections. Times are milliseconds of one monotonic clock. */
export interface SessionMemory {
  begin(model: string, connection: number, now: number): Session;
  /** Goes back to the memory as of the handle. `isOpen` tells whether an earlier connection still stands. */
  resume(
    handle: string,
    to: { model: string; connection: number; now: number; lifetimeMs: number; isOpen: (connection: number) => boolean },
  ): Resumption;
  append(session: Session, content: Content, tokens: Tokens): void;
  issueHandle(session: Session, now: number): string;
  poison(handle: string, mode: Poison): void;
  forgetHandles(): void;
  /** Drops the oldest turns until the context fits. */
  slide(session: Session, targetTokens: number): void;
  release(session: Session, connection: number): void;
  view(id: string): SessionView | undefined;
  views(): readonly SessionView[];
}

const HANDLE_LENGTH = 44;
const HANDLE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** Snapshots are cheap, not free; no client keeps this many. */
const HANDLES_KEPT = 10_000;
const SESSION_ID_LENGTH = 22;
/** Abandoned sessions are cleared after a day: no source gives a handle more. */
const SESSION_IDLE_MS = 24 * 3_600_000;

export function contextTokens(session: Session): Tokens {
  return session.entries.reduce((sum, entry) => addTokens(sum, entry.tokens), noTokens);
}

/** Without instructions of its own a compressed window slides at this share of the model's limit, to half of that. */
const DEFAULT_TRIGGER_SHARE = 0.8;

/** Keeps a session within its model's window. `false`: it is full and nothing allows to make room. */
export function makeRoom(
  memory: SessionMemory,
  session: Session,
  inputTokenLimit: number,
  compression:
    | {
        readonly triggerTokens?: number | undefined;
        readonly slidingWindow?: { readonly targetTokens?: number | undefined } | undefined;
      }
    | undefined,
): boolean {
  const weight = total(contextTokens(session));
  if (compression === undefined) return weight <= inputTokenLimit;
  const trigger = compression.triggerTokens ?? inputTokenLimit * DEFAULT_TRIGGER_SHARE;
  if (weight > trigger) memory.slide(session, compression.slidingWindow?.targetTokens ?? trigger / 2);
  return true;
}

export function createSessionMemory(random: Random): SessionMemory {
  const sessions = new Map<string, Session>();
  const snapshots = new Map<string, Snapshot>();

  function clearAbandoned(now: number): void {
    for (const session of sessions.values()) {
      if (session.connection !== undefined || now - session.lastUsedAt < SESSION_IDLE_MS) continue;
      sessions.delete(session.id);
      for (const [handle, snapshot] of snapshots) if (snapshot.session === session) snapshots.delete(handle);
    }
  }

  return {
    begin(model, connection, now) {
      clearAbandoned(now);
      const session: Session = {
        id: randomText(random, SESSION_ID_LENGTH, HANDLE_ALPHABET),
        model,
        entries: [],
        connection,
        audioMs: 0,
        lastUsedAt: now,
      };
      sessions.set(session.id, session);
      return session;
    },
    resume(handle, { model, connection, now, lifetimeMs, isOpen }) {
      const snapshot = snapshots.get(handle);
      if (snapshot === undefined) return { ok: false, why: 'unknown' };
      if (now - snapshot.issuedAt > lifetimeMs) return { ok: false, why: 'expired' };
      const { session } = snapshot;
      if (session.model !== model) return { ok: false, why: 'otherModel' };
      if (session.connection !== undefined && session.connection !== connection && isOpen(session.connection)) {
        return { ok: false, why: 'busy' };
      }
      session.entries = snapshot.entries.slice(0, snapshot.length);
      session.audioMs = snapshot.audioMs;
      session.connection = connection;
      session.lastUsedAt = now;
      return { ok: true, session, poison: snapshot.poison };
    },
    append(session, content, tokens) {
      session.entries.push({ content, tokens });
    },
    issueHandle(session, now) {
      const handle = randomText(random, HANDLE_LENGTH, HANDLE_ALPHABET);
      const { entries, audioMs } = session;
      snapshots.set(handle, { session, entries, length: entries.length, audioMs, issuedAt: now, poison: undefined });
      session.lastUsedAt = now;
      if (snapshots.size > HANDLES_KEPT) snapshots.delete(snapshots.keys().next().value!);
      return handle;
    },
    poison(handle, mode) {
      const snapshot = snapshots.get(handle);
      if (snapshot !== undefined) snapshot.poison = mode;
    },
    forgetHandles: () => snapshots.clear(),
    slide(session, targetTokens) {
      let left = total(contextTokens(session));
      let from = 0;
      while (from < session.entries.length - 1 && left > targetTokens) {
        left -= total(session.entries[from]!.tokens);
        from += 1;
      }
      if (from > 0) session.entries = session.entries.slice(from);
    },
    release(session, connection) {
      if (session.connection === connection) session.connection = undefined;
    },
    view(id) {
      const session = sessions.get(id);
      return session && viewOf(session);
    },
    views: () => [...sessions.values()].map(viewOf),
  };
}

function viewOf({ id, model, entries }: Session): SessionView {
  const contents = entries.map(({ content }) => content);
  const userTurns = contents
    .filter(({ role, parts }) => role !== 'model' && parts?.every((part) => part.functionResponse === undefined))
    .map(textOf);
  return { id, model, userTurns, contents };
}
