import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema } from './ids.ts';
import { linkStateSchema } from './links.ts';
import { problemErrors } from './problems.ts';
import { sessionSchema } from './sessions.ts';
import { settingsViewSchema } from './settings.ts';
import { noticeSchema } from './system.ts';
import { turnDeltaSchema, turnSchema } from './turns.ts';

/** How many events may be under way to one client before the core waits for its acknowledgement. */
export const STREAM_WINDOW = 512;

export const coreEventSchema = z.discriminatedUnion('type', [
  /** The client cannot be brought up to date event by event: fetch what is shown again, then go on from here. */
  z.object({ type: z.literal('reset') }),
  z.object({ type: z.literal('session.changed'), session: sessionSchema }),
  z.object({ type: z.literal('session.deleted'), sessionId: sessionIdSchema }),
  /** Sessions that came in from files, also ones that had been deleted before: fetch the list again. */
  z.object({ type: z.literal('sessions.imported'), sessionIds: z.array(sessionIdSchema) }),
  z.object({
    type: z.literal('link.changed'),
    sessionId: sessionIdSchema,
    link: linkStateSchema,
  }),
  z.object({ type: z.literal('turn.changed'), turn: turnSchema }),
  z.object({ type: z.literal('turn.delta'), delta: turnDeltaSchema }),
  z.object({ type: z.literal('settings.changed'), view: settingsViewSchema }),
  z.object({ type: z.literal('notice'), notice: noticeSchema }),
]);
export type CoreEvent = Readonly<z.infer<typeof coreEventSchema>>;

export const eventsContract = {
  /**
   * All that changes, in order. Each event carries an id; a client that calls again with `lastEventId` gets all that it
   * missed, or a single `reset` when that is no longer held. A first call begins with `reset`.
   * The core sends at most `STREAM_WINDOW` events beyond the last one acknowledged with `ack`; a client that falls
   * further behind than the core keeps gets a `reset` instead of what it missed, so nothing grows without bound.
   */
  stream: oc
    .errors(problemErrors)
    .input(z.object({ streamId: z.string().min(1).max(64) }))
    .output(eventIterator(coreEventSchema)),
  ack: oc
    .errors(problemErrors)
    .input(z.object({ streamId: z.string().min(1).max(64), eventId: z.string().max(64) }))
    .output(z.object({})),
};
