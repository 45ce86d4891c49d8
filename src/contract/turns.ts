import { oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema, timeSchema, turnIdSchema } from './ids.ts';
import { problemErrors, problemSchema } from './problems.ts';

/** The longest text of one turn that is accepted, in UTF-16 code units (about a long novel's chapter times ten). */
export const TURN_TEXT_MAX = 1_000_000;

export const noteSchema = z.enum(['resumed', 'resumed-older', 'rebuilt', 'summarised', 'context-lost']);
export type Note = z.infer<typeof noteSchema>;

export const partSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  /** The model's own notes while it thinks. Kept, never mixed into the answer. */
  z.object({ type: z.literal('thought'), text: z.string() }),
  z.object({
    type: z.literal('tool'),
    callId: z.string(),
    name: z.string(),
    args: z.record(z.string(), z.unknown()),
    /** Absent while the tool runs. */
    result: z.record(z.string(), z.unknown()).optional(),
    cancelled: z.boolean().optional(),
  }),
  /** Not said by anyone: what happened to the connection at this point of the conversation. */
  z.object({ type: z.literal('note'), note: noteSchema, turns: z.number().int().nonnegative() }),
]);
export type Part = z.infer<typeof partSchema>;

/**
 * - user turns: `queued` (on disk, not yet sent) → `sent` → `answered`, or `failed`
 * - model turns: `streaming` → `complete`, or `stopped` (by the user), `interrupted` (cut by the connection
 *   or a restart; what had arrived is kept), `failed`
 */
export const turnStatusSchema = z.enum([
  'queued',
  'sent',
  'answered',
  'streaming',
  'complete',
  'stopped',
  'interrupted',
  'failed',
]);
export type TurnStatus = z.infer<typeof turnStatusSchema>;

export const usageSchema = z.object({
  promptTokens: z.number().int().nonnegative(),
  responseTokens: z.number().int().nonnegative(),
  thoughtTokens: z.number().int().nonnegative(),
  totalTokens: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

export const turnSchema = z.object({
  id: turnIdSchema,
  sessionId: sessionIdSchema,
  /** Place in the session, from 1, without gaps. */
  index: z.number().int().positive(),
  role: z.enum(['user', 'model', 'note']),
  parts: z.array(partSchema).readonly(),
  status: turnStatusSchema,
  createdAt: timeSchema,
  endedAt: timeSchema.optional(),
  /** Model turns: the user turn that this answers. */
  replyTo: turnIdSchema.optional(),
  /** Model turns: the cut answer that this goes on with. User turns that wait: the cut answer of which the rest is wanted. */
  continues: turnIdSchema.optional(),
  /** Model turns: who answered. `demo` marks the built-in simulator. */
  provider: z.enum(['gemini', 'demo']).optional(),
  model: z.string().optional(),
  usage: usageSchema.optional(),
  /** Why the turn failed or was cut. */
  problem: problemSchema.optional(),
  /** Position in the journal that this state reflects. A higher one is newer; an update with a lower one is stale. */
  rev: z.number().int().nonnegative(),
});
export type Turn = Readonly<z.infer<typeof turnSchema>>;

/** More text for one part of a streaming turn. */
export const turnDeltaSchema = z.object({
  sessionId: sessionIdSchema,
  turnId: turnIdSchema,
  /** Index into `parts`; equal to `parts.length` when the delta opens a new part. */
  part: z.number().int().nonnegative(),
  kind: z.enum(['text', 'thought']),
  /** Length of the part's text before this delta, in UTF-16 code units: makes applying idempotent and gaps visible. */
  offset: z.number().int().nonnegative(),
  text: z.string(),
});
export type TurnDelta = Readonly<z.infer<typeof turnDeltaSchema>>;

export const turnsContract = {
  /**
   * Accepts a turn of the user. Resolves once the turn is on disk; the answer arrives as events.
   * `turnId` is chosen by the client: sending the same id again returns the turn that was kept and does nothing else,
   * so a client that did not hear the answer may simply ask again.
   * Turns are sent in the order in which they were accepted: one that comes while an answer runs, or while there is no
   * connection, waits its turn.
   */
  send: oc
    .errors(problemErrors)
    .input(
      z.object({
        sessionId: sessionIdSchema,
        turnId: turnIdSchema,
        text: z.string().min(1).max(TURN_TEXT_MAX),
      }),
    )
    .output(turnSchema),
  /** Stops the running answer; what had arrived is kept. */
  stop: oc
    .errors(problemErrors)
    .input(z.object({ sessionId: sessionIdSchema }))
    .output(turnSchema),
  /** Asks a user turn again, by its id or by the id of its answer. The earlier answer stays in the history. */
  regenerate: oc
    .errors(problemErrors)
    .input(z.object({ sessionId: sessionIdSchema, turnId: turnIdSchema }))
    .output(turnSchema),
};
