import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock, LinkData, Rung } from '../live/index.ts';
import { writeChecked } from '../storage/index.ts';
import type { KeyValueFile } from '../storage/index.ts';

/** A rung with the place in the session up to which the server knew the conversation: its watermark. */
export interface StoredRung extends Rung {
  /** Index of the last turn that it covers. */
  readonly covers: number;
  /** The journal's last line when it was stored. */
  readonly seq: number;
}

/** What is kept of a session's link beyond its process. */
export interface LiveSession {
  readonly createdAt: number;
  readonly lastActivityAt: number;
  /** Newest first. */
  readonly ladder: readonly StoredRung[];
  readonly tokens: LinkData['tokens'];
  /** Number of the last connection. */
  readonly epoch: number;
}

export type LiveSessionEvent = 'created' | 'restored' | 'refreshed' | 'updated' | 'expired' | 'ended';

/**
 * The live sessions: created when a conversation is first used, active while something is said, expired after half an
 * hour of silence, ended with the conversation. An expired one is never restored: its conversation goes on from the
 * history.
 */
export interface LiveSessions {
  createSession(sessionId: string): LiveSession;
  getSession(sessionId: string): LiveSession | undefined;
  updateState(sessionId: string, change: Partial<Pick<LiveSession, 'ladder' | 'tokens' | 'epoch'>>): void;
  isActive(sessionId: string): boolean;
  /** Something was said: the time starts anew. */
  refresh(sessionId: string): void;
  end(sessionId: string): void;
  /** What an earlier run left, unless it has expired; begins a new one otherwise. */
  restore(sessionId: string): { readonly session: LiveSession; readonly how: 'restored' | 'expired' | 'created' };
  /**
   * Sessions that are in use: one that is busy has not expired, however long ago its last words are, and one that
   * expires is told.
   */
  watch(use: { readonly busy: (sessionId: string) => boolean; readonly expired: (sessionId: string) => void }): void;
  /** Ids of the sessions that are active. */
  active(): readonly string[];
  /** Writes what has changed, now. */
  persist(): void;
  /** Stops the sweeping and writes what has changed. */
  close(): void;
}

export interface LiveSessionsPorts {
  readonly file: KeyValueFile;
  readonly clock: Clock;
  /** Milliseconds without activity after which a live session expires. */
  readonly timeoutMs: () => number;
  /** Seals handles where the host has a keystore; they are bearer secrets for a conversation. */
  readonly seal: Seal | undefined;
  readonly on: (event: LiveSessionEvent, sessionId: string) => void;
  readonly persistFailed: (error: unknown) => void;
  /** So many entries of the file are not ours, or damaged: it is going to be written anew without them. */
  readonly foreign: (count: number) => void;
}

const SWEEP_EVERY_MS = 60 * 1000;
/** Changes of this long go to the file together: losing them costs a step down the ladder and nothing else. */
const PERSIST_AFTER_MS = 100;

const rungSchema = z.object({
  handle: z.string(),
  model: z.string(),
  at: z.number(),
  after: z
    .string()
    .optional()
    .transform((after) => after),
  pending: z
    .string()
    .optional()
    .transform((pending) => pending),
  summarised: z.boolean().default(false),
  covers: z.number().int(),
  seq: z.number().int(),
});
const storedSchema = z.object({
  createdAt: z.number(),
  lastActivityAt: z.number(),
  ladder: z.array(rungSchema),
  tokens: z.object({ base: z.number(), last: z.number() }).optional(),
  epoch: z.number().int(),
});

export function openLiveSessions(ports: LiveSessionsPorts): LiveSessions {
  const { file, clock, timeoutMs, seal, on } = ports;
  const sessions = new Map<string, LiveSession>();
  const foreign: string[] = [];
  for (const [id, value] of Object.entries(file.store)) {
    const parsed = storedSchema.safeParse(value);
    if (!parsed.success) {
      foreign.push(id);
      continue;
    }
    const { ladder, tokens, ...rest } = parsed.data;
    sessions.set(id, { ...rest, tokens, ladder: ladder.flatMap((rung) => unsealed(rung, seal)) });
  }
  if (foreign.length > 0) ports.foreign(foreign.length);
  let use: Parameters<LiveSessions['watch']>[0] = { busy: () => false, expired: () => undefined };
  let written = file.store;
  let cancelPersist: (() => void) | undefined;
  let cancelSweep = clock.after(SWEEP_EVERY_MS, sweepAgain);

  function expired(session: LiveSession): boolean {
    const idle = clock.now() - session.lastActivityAt;
    // A clock that was set back makes a session look as if it were of the future: that is no sign of life.
    return Math.abs(idle) > timeoutMs();
  }

  function sweep(): void {
    for (const [id, session] of sessions) {
      if (!expired(session)) continue;
      changed();
      if (use.busy(id)) {
        sessions.set(id, { ...session, lastActivityAt: clock.now() });
        continue;
      }
      sessions.delete(id);
      on('expired', id);
      use.expired(id);
    }
  }

  function sweepAgain(): void {
    sweep();
    cancelSweep = clock.after(SWEEP_EVERY_MS, sweepAgain);
  }

  function changed(): void {
    cancelPersist ??= clock.after(PERSIST_AFTER_MS, persist);
  }

  function persist(): void {
    cancelPersist?.();
    cancelPersist = undefined;
    const next = Object.fromEntries(
      [...sessions].map(([id, session]) => [
        id,
        { ...session, ladder: session.ladder.map((rung) => ({ ...rung, handle: sealed(rung.handle, seal) })) },
      ]),
    );
    const plain = JSON.parse(JSON.stringify(next)) as Record<string, unknown>;
    try {
      writeChecked(file, plain, written);
      written = plain;
    } catch (error) {
      ports.persistFailed(error);
    }
  }

  function put(sessionId: string, session: LiveSession): LiveSession {
    sessions.set(sessionId, session);
    changed();
    return session;
  }

  const live: LiveSessions = {
    createSession(sessionId) {
      const now = clock.now();
      on('created', sessionId);
      return put(sessionId, { createdAt: now, lastActivityAt: now, ladder: [], tokens: undefined, epoch: 0 });
    },
    getSession: (sessionId) => sessions.get(sessionId),
    updateState(sessionId, change) {
      const session = sessions.get(sessionId);
      if (session === undefined) return;
      put(sessionId, { ...session, ...change });
      on('updated', sessionId);
    },
    isActive(sessionId) {
      const session = sessions.get(sessionId);
      return session !== undefined && !expired(session);
    },
    refresh(sessionId) {
      const session = sessions.get(sessionId) ?? live.createSession(sessionId);
      put(sessionId, { ...session, lastActivityAt: clock.now() });
      on('refreshed', sessionId);
    },
    end(sessionId) {
      if (!sessions.delete(sessionId)) return;
      changed();
      on('ended', sessionId);
    },
    restore(sessionId) {
      const session = sessions.get(sessionId);
      if (session === undefined) return { session: live.createSession(sessionId), how: 'created' };
      if (!expired(session)) {
        on('restored', sessionId);
        return { session, how: 'restored' };
      }
      sessions.delete(sessionId);
      on('expired', sessionId);
      // Numbers of connections go on, so that no two are ever the same.
      const fresh = { ...live.createSession(sessionId), epoch: session.epoch };
      return { session: put(sessionId, fresh), how: 'expired' };
    },
    watch: (by) => void (use = by),
    active: () => [...sessions].filter(([, session]) => !expired(session)).map(([id]) => id),
    persist,
    close() {
      cancelSweep();
      if (cancelPersist !== undefined) persist();
    },
  };
  sweep();
  return live;
}

/** Authenticated encryption with a key that the host's keystore guards. */
export interface Seal {
  readonly key: Buffer;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = 'sealed:';
export const SEAL_KEY_BYTES = 32;

function sealed(handle: string, seal: Seal | undefined): string {
  if (seal === undefined) return handle;
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, seal.key, iv);
  const body = Buffer.concat([cipher.update(handle, 'utf8'), cipher.final()]);
  return SEALED + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
}

/** A handle that cannot be opened (another keystore, a flipped bit) is left out: there are other rungs. */
function unsealed(rung: z.infer<typeof rungSchema>, seal: Seal | undefined): StoredRung[] {
  const whole = { ...rung, after: rung.after, pending: rung.pending };
  if (!rung.handle.startsWith(SEALED)) return [whole];
  if (seal === undefined) return [];
  try {
    const bytes = Buffer.from(rung.handle.slice(SEALED.length), 'base64');
    const decipher = createDecipheriv(ALGORITHM, seal.key, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const handle = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return [{ ...whole, handle: handle.toString('utf8') }];
  } catch {
    return [];
  }
}
