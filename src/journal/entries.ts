import { z } from 'zod';
import {
  idSchema,
  noteSchema,
  partSchema,
  problemSchema,
  sessionSchema,
  turnSchema,
  turnStatusSchema,
  usageSchema,
} from '../contract/index.ts';

/**
 * What a session's journal records. An entry states a fact that has happened; it is never changed afterwards, and
 * everything else (archive, memory, screen) is folded from these.
 */
export const journalEntrySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session.created'), sessionId: idSchema, title: z.string(), titled: z.boolean() }),
  /** Everything before it, in one piece: where a journal had to be begun anew. */
  z.object({
    type: z.literal('session.snapshot'),
    session: sessionSchema.omit({ link: true }),
    turns: z.array(turnSchema),
  }),
  z.object({ type: z.literal('session.titled'), title: z.string(), titled: z.boolean() }),
  z.object({ type: z.literal('session.opened') }),
  z.object({ type: z.literal('session.closed') }),
  /** The user wants it gone: from here on only erasing is left to do. */
  z.object({ type: z.literal('session.deleted') }),
  /** The user's turn, accepted. */
  z.object({ type: z.literal('turn.accepted'), turnId: idSchema, parts: z.array(partSchema) }),
  /** Handed to the connection with this number. */
  z.object({ type: z.literal('turn.sent'), turnId: idSchema, epoch: z.number().int() }),
  /** A turn that was sent or answered before is to be sent once more. */
  z.object({ type: z.literal('turn.asked-again'), turnId: idSchema }),
  /** The first sign of an answer. */
  z.object({
    type: z.literal('turn.started'),
    turnId: idSchema,
    /** Absent where the model spoke unasked. */
    replyTo: idSchema.optional(),
    /** The cut answer that this goes on with. */
    continues: idSchema.optional(),
    provider: z.enum(['gemini', 'demo']),
    model: z.string(),
  }),
  /** What happened to the connection, where the user should know. */
  z.object({
    type: z.literal('link.noted'),
    turnId: idSchema,
    note: noteSchema,
    turns: z.number().int().nonnegative(),
  }),
  z.object({
    type: z.literal('turn.delta'),
    turnId: idSchema,
    part: z.number().int(),
    kind: z.enum(['text', 'thought']),
    offset: z.number().int(),
    text: z.string(),
  }),
  /** A tool call by the model, or what came of it; the whole part, at its place. */
  z.object({ type: z.literal('turn.tool'), turnId: idSchema, part: z.number().int(), tool: partSchema }),
  /** The end of a turn: an answer that is complete or cut, or a user turn that failed or is to be asked again. */
  z.object({
    type: z.literal('turn.ended'),
    turnId: idSchema,
    status: turnStatusSchema,
    usage: usageSchema.optional(),
    problem: problemSchema.optional(),
    /** The question is to be sent once more: for the rest of this answer, if there are words of it, or for the whole. */
    asksAgain: idSchema.optional(),
  }),
]);
export type JournalEntry = z.infer<typeof journalEntrySchema>;
