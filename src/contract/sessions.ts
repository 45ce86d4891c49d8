import { oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema, timeSchema } from './ids.ts';
import { linkStateSchema } from './links.ts';
import { problemErrors } from './problems.ts';

export const TITLE_MAX = 200;
const titleSchema = z.string().trim().min(1).max(TITLE_MAX);

export const sessionSchema = z.object({
  id: sessionIdSchema,
  title: z.string(),
  /** Whether a person chose the title; an automatic one follows the first turn. */
  titled: z.boolean(),
  /** `open`: shown as a tab and kept live. `closed`: kept, and opened again at will. */
  status: z.enum(['open', 'closed']),
  createdAt: timeSchema,
  lastActivityAt: timeSchema,
  turnCount: z.number().int().nonnegative(),
  /** Position in the journal that this state reflects; see `Turn.rev`. */
  rev: z.number().int().nonnegative(),
  link: linkStateSchema,
});
export type Session = Readonly<z.infer<typeof sessionSchema>>;

const one = z.object({ sessionId: sessionIdSchema });

export const sessionsContract = {
  /** Newest activity first. `cursor` is what the page before returned. */
  list: oc
    .errors(problemErrors)
    .input(
      z.object({
        status: z.enum(['open', 'closed', 'all']).default('all'),
        limit: z.number().int().min(1).max(500).default(100),
        cursor: z.string().max(200).optional(),
      }),
    )
    .output(z.object({ sessions: z.array(sessionSchema), nextCursor: z.string().optional() })),
  /** `sessionId` may be chosen by the client, which makes asking again harmless. */
  create: oc
    .errors(problemErrors)
    .input(z.object({ sessionId: sessionIdSchema.optional(), title: titleSchema.optional() }))
    .output(sessionSchema),
  get: oc.errors(problemErrors).input(one).output(sessionSchema),
  open: oc.errors(problemErrors).input(one).output(sessionSchema),
  rename: oc
    .errors(problemErrors)
    .input(one.extend({ title: titleSchema }))
    .output(sessionSchema),
  /** Ends the link and takes the tab away. The conversation is kept. */
  close: oc.errors(problemErrors).input(one).output(sessionSchema),
  /** Removes the conversation for good: journal, archive and live state. */
  delete: oc
    .errors(problemErrors)
    .input(one)
    .output(z.object({ deleted: z.literal(true) })),
};
