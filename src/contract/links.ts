import { oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema, timeSchema } from './ids.ts';
import { problemErrors, problemSchema } from './problems.ts';

/** How a conversation got into the connection that is live. */
export const restorationSchema = z.enum([
  /** There was nothing to bring along. */
  'new',
  /** The server resumed it from the newest handle. */
  'resumed',
  /** The newest handle was no longer good; an older one was, and what came after it was told again. */
  'resumed-older',
  /** The server knew nothing; it was told the history, the newest turns word for word. */
  'rebuilt',
  /** The server took no history as turns; a summary of it stands in the instructions. */
  'summarised',
]);
export type Restoration = z.infer<typeof restorationSchema>;

/** The state of a session's live tie to its provider, in words that a user can be told. */
export const linkStateSchema = z.discriminatedUnion('kind', [
  /** Nothing is needed of it yet: it connects at the next turn. */
  z.object({ kind: z.literal('idle'), since: timeSchema }),
  z.object({ kind: z.literal('connecting'), since: timeSchema }),
  /** Connected, and the server is being told what it does not know. */
  z.object({ kind: z.literal('restoring'), since: timeSchema, turns: z.number().int().nonnegative() }),
  z.object({ kind: z.literal('live'), since: timeSchema, restored: restorationSchema }),
  /** The connection is about to be replaced by a fresh one, at the latest at `until`. */
  z.object({ kind: z.literal('rotating'), since: timeSchema, until: timeSchema }),
  z.object({
    kind: z.literal('waiting'),
    since: timeSchema,
    attempt: z.number().int().positive(),
    until: timeSchema,
    problem: problemSchema,
  }),
  /** By the user, until they go on; or for want of a network, until there is one. */
  z.object({ kind: z.literal('paused'), since: timeSchema, by: z.enum(['user', 'offline']) }),
  /** Only the user can mend it. */
  z.object({ kind: z.literal('needs-you'), since: timeSchema, problem: problemSchema }),
  z.object({ kind: z.literal('closed'), since: timeSchema }),
]);
export type LinkState = Readonly<z.infer<typeof linkStateSchema>>;

/** One connection that is over, as the connection history shows it. */
export const connectionRecordSchema = z.object({
  epoch: z.number().int().positive(),
  openedAt: timeSchema,
  endedAt: timeSchema,
  /** Absent when it never got as far as a conversation. */
  restored: restorationSchema.optional(),
  /** Why it ended; absent when we ended it ourselves, for `why`. */
  problem: problemSchema.optional(),
  why: z.enum(['lost', 'rotated', 'paused', 'settings', 'closed', 'idle', 'fresh']),
});
export type ConnectionRecord = Readonly<z.infer<typeof connectionRecordSchema>>;

/** How well a link is, in numbers; absent where nothing has been measured yet. */
export const linkHealthSchema = z.object({
  roundTripMs: z.number().nonnegative().optional(),
  firstDeltaMs: z.number().nonnegative().optional(),
  dropsLastHour: z.number().int().nonnegative(),
  /** When the connection will be replaced, if it stays healthy that long. */
  nextRotationAt: timeSchema.optional(),
  contextTokens: z.number().int().nonnegative().optional(),
  /** The last connections, newest first, at most 50. */
  connections: z.array(connectionRecordSchema),
});
export type LinkHealth = Readonly<z.infer<typeof linkHealthSchema>>;

const one = z.object({ sessionId: sessionIdSchema });

export const linksContract = {
  /** Connects at once, whatever the link was waiting for. Resolves as soon as the attempt has begun. */
  reconnect: oc.errors(problemErrors).input(one).output(linkStateSchema),
  /** Ends the connection and keeps it ended until `resume`. What is written meanwhile is kept and sent then. */
  pause: oc.errors(problemErrors).input(one).output(linkStateSchema),
  resume: oc.errors(problemErrors).input(one).output(linkStateSchema),
  /** Forgets all handles: the next connection is a new one that is told the history. */
  startFresh: oc.errors(problemErrors).input(one).output(linkStateSchema),
  health: oc.errors(problemErrors).input(one).output(linkHealthSchema),
  /** What a client knows of the network: browsers hear of it first. */
  network: oc
    .errors(problemErrors)
    .input(z.object({ online: z.boolean() }))
    .output(z.object({})),
};
