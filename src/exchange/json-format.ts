import { z } from 'zod';
import type { SessionRecord } from '../archive/index.ts';
import { sessionSchema, turnSchema } from '../contract/index.ts';
import type { Turn } from '../contract/index.ts';

/*
 * Our own file of conversations: docs/export-format.md. What a reader has to know to tell it from other JSON, `format`
 * and `version`, comes first. It follows the contract's own schemas, so a field that is new there is new here.
 */

export const FILE_FORMAT = 'holdfast-conversations';
/** Counts up only when a reader of the version before would misread the file. Fields may be added without. */
export const FILE_VERSION = 1;

/** The latest time that a `Date` can hold, in milliseconds since the epoch. */
export const TIME_MAX = 8.64e15;

/** A session without what is of the moment and of the machine: its link, and its place in a journal. */
export const portableSessionSchema = sessionSchema.omit({ link: true, rev: true });
/** A turn without its place in a journal; which session it is of follows from where it stands. */
export const portableTurnSchema = turnSchema.omit({ sessionId: true, rev: true });
export const portableConversationSchema = z.object({
  session: portableSessionSchema,
  turns: z.array(portableTurnSchema),
});
export const conversationsFileSchema = z.object({
  format: z.literal(FILE_FORMAT),
  version: z.literal(FILE_VERSION),
  /** Milliseconds since the epoch. */
  exportedAt: z.number().int().nonnegative(),
  /** The version of Holdfast that wrote it. For people; readers do not branch on it. */
  app: z.string(),
  conversations: z.array(portableConversationSchema),
});

export type PortableSession = z.infer<typeof portableSessionSchema>;
export type PortableTurn = z.infer<typeof portableTurnSchema>;

export function portableSession(session: SessionRecord): PortableSession {
  // A session from a client has its link with it, whatever the type says.
  const { rev: _rev, link: _link, ...rest } = session as SessionRecord & { link?: unknown };
  return rest;
}

export function portableTurn(turn: Turn): PortableTurn {
  const { sessionId: _sessionId, rev: _rev, ...rest } = turn;
  return rest;
}
