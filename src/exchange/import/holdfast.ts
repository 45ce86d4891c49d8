import { z } from 'zod';
import type { Turn } from '../../contract/index.ts';
import { contentHashOf, idFrom } from '../content-hash.ts';
import type { IncomingConversation } from '../conversation.ts';
import { portableSessionSchema, portableTurnSchema, TIME_MAX } from '../json-format.ts';
import type { PortableTurn } from '../json-format.ts';
import type { DraftContext } from './draft.ts';
import { countLeftOut } from './left-out.ts';
import type { LeftOut, LeftOutCount } from './left-out.ts';
import { isRecord } from './loose.ts';

/*
 * A conversation of our own file. It comes back as it was; but a file can be edited, or cut out of another, so what a
 * session relies on is checked here and mended where it can be.
 */

const conversationSchema = z.object({ session: z.unknown(), turns: z.array(z.unknown()) });

export type HoldfastRead =
  | { readonly kind: 'read'; readonly conversation: IncomingConversation; readonly leftOut: LeftOut }
  /** The session itself is damaged. */
  | { readonly kind: 'damaged' };

/** `undefined`: the value has not the form of such a conversation. */
export function readHoldfast(value: unknown, context: DraftContext): HoldfastRead | undefined {
  const parsed = conversationSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const session = portableSessionSchema.safeParse(parsed.data.session);
  if (!session.success) return { kind: 'damaged' };
  const { id: sessionId } = session.data;
  const leftOut = countLeftOut();
  const createdAt = possible(session.data.createdAt, context.fallbackTime, leftOut);

  const read = parsed.data.turns.flatMap((raw): PortableTurn[] => {
    const turn = readTurn(raw, leftOut);
    if (turn === undefined) leftOut.add('turns');
    return turn === undefined ? [] : [turn];
  });
  leftOut.add('turns', session.data.turnCount - parsed.data.turns.length);
  if (read.some((turn, at) => at > 0 && turn.index <= (read[at - 1]?.index ?? 0))) leftOut.add('order');

  const ids = new Set<string>();
  let time = createdAt;
  const turns = read.map((raw, at): Turn => {
    const id = ids.has(raw.id) ? idFrom('t', sessionId, raw.id, String(at)) : raw.id;
    if (id !== raw.id) leftOut.add('ids');
    ids.add(id);
    time = possible(raw.createdAt, time, leftOut);
    return settled({ ...raw, id, sessionId, index: at + 1, createdAt: time, rev: 0 }, leftOut);
  });

  const conversation: IncomingConversation = {
    session: {
      ...session.data,
      createdAt,
      lastActivityAt: possible(session.data.lastActivityAt, time, leftOut),
      turnCount: turns.length,
      rev: 0,
    },
    turns: turns.map((turn) => withoutDangling(turn, ids, leftOut)),
    source: 'holdfast',
    sourceId: sessionId,
    contentHash: contentHashOf(turns),
  };
  return { kind: 'read', conversation, leftOut: leftOut.counts };
}

/** A turn; without those of its details that are not understood, as from a later version that knows more of them. */
function readTurn(raw: unknown, leftOut: LeftOutCount): PortableTurn | undefined {
  const whole = portableTurnSchema.safeParse(raw);
  if (whole.success) return whole.data;
  if (!isRecord(raw)) return undefined;
  const unclear = new Set(whole.error.issues.map(({ path }) => String(path[0])));
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !unclear.has(key)));
  const withoutThem = portableTurnSchema.safeParse(rest);
  if (withoutThem.success) leftOut.add('fields');
  return withoutThem.data;
}

/** A file is no queue: what was waiting or being said when it was written is over, and is not sent by an import. */
function settled(turn: Turn, leftOut: LeftOutCount): Turn {
  if (turn.status === 'queued' || turn.status === 'sent') {
    leftOut.add('unfinished');
    return { ...turn, status: 'failed', problem: turn.problem ?? NOT_SENT };
  }
  if (turn.status === 'streaming') {
    leftOut.add('unfinished');
    return { ...turn, status: 'interrupted' };
  }
  return turn;
}

const NOT_SENT = {
  code: 'answer_cut',
  message: 'This had no answer yet when the conversation was exported. Ask it again if you still want one.',
  retry: 'user',
} as const;

function withoutDangling(turn: Turn, ids: ReadonlySet<string>, leftOut: LeftOutCount): Turn {
  const { replyTo, continues, ...rest } = turn;
  const known = (id: string | undefined) => id !== undefined && ids.has(id);
  const dangling = [replyTo, continues].filter((id) => id !== undefined && !known(id));
  if (dangling.length === 0) return turn;
  leftOut.add('references', dangling.length);
  return { ...rest, ...(known(replyTo) && { replyTo }), ...(known(continues) && { continues }) } as Turn;
}

/** Times beyond what a `Date` holds are numbers that nothing can show. */
function possible(time: number, otherwise: number, leftOut: LeftOutCount): number {
  if (time <= TIME_MAX) return time;
  leftOut.add('dates');
  return otherwise;
}
