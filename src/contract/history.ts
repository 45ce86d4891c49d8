import { oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema } from './ids.ts';
import { problemErrors } from './problems.ts';
import { turnSchema } from './turns.ts';

export const historyContract = {
  /**
   * The `limit` turns before index `before` (default: the newest), oldest first, a running answer included
   * with the text that it has so far.
   */
  page: oc
    .errors(problemErrors)
    .input(
      z.object({
        sessionId: sessionIdSchema,
        before: z.number().int().positive().optional(),
        limit: z.number().int().min(1).max(1000).default(100),
      }),
    )
    .output(z.object({ turns: z.array(turnSchema), hasMore: z.boolean() })),
};
