import { oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema, timeSchema } from './ids.ts';
import { problemErrors, problemSchema } from './problems.ts';

/** The state of a session's live tie to its provider, in words that a user can be told. */
export const linkStateSchema = z.discriminatedUnion('kind', [
  /** Nothing is needed of it yet: it connects at the next turn. */
  z.object({ kind: z.literal('idle'), since: timeSchema }),
  z.object({ kind: z.literal('connecting'), since: timeSchema }),
  /** `restored`: how the conversation got into this connection. */
  z.object({
    kind: z.literal('live'),
    since: timeSchema,
    restored: z.enum(['new', 'resumed', 'rebuilt']),
  }),
  z.object({
    kind: z.literal('waiting'),
    since: timeSchema,
    attempt: z.number().int().positive(),
    until: timeSchema,
    problem: problemSchema,
  }),
  /** Only the user can mend it. */
  z.object({ kind: z.literal('needs-you'), since: timeSchema, problem: problemSchema }),
  z.object({ kind: z.literal('closed'), since: timeSchema }),
]);
export type LinkState = Readonly<z.infer<typeof linkStateSchema>>;

export const linksContract = {
  /** Connects at once, whatever the link was waiting for. Resolves as soon as the attempt has begun. */
  reconnect: oc
    .errors(problemErrors)
    .input(z.object({ sessionId: sessionIdSchema }))
    .output(linkStateSchema),
};
