import { oc } from '@orpc/contract';
import { z } from 'zod';
import { timeSchema } from './ids.ts';
import { problemErrors, problemSchema } from './problems.ts';

/** Something that happened outside any one request and that the user should know. */
export const noticeSchema = z.object({
  id: z.string(),
  at: timeSchema,
  problem: problemSchema,
});
export type Notice = Readonly<z.infer<typeof noticeSchema>>;

export const systemContract = {
  info: oc.errors(problemErrors).output(
    z.object({
      version: z.string(),
      host: z.enum(['desktop', 'browser']),
      platform: z.string(),
      dataDir: z.string(),
      startedAt: timeSchema,
      /** What was found and mended at start, and what is wrong now; newest last. */
      notices: z.array(noticeSchema),
    }),
  ),
  /** Answers at once; for the round trip between a client and its core. */
  ping: oc.errors(problemErrors).output(z.object({ at: timeSchema })),
};
