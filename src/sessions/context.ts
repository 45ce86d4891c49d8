import type { Turn } from '../contract/index.ts';

/**
 * Index of the last turn that a server knows when its handle comes at a turn boundary: all but those that wait at the
 * end. One that waits between others is no loss: its answer will come later than the handle, and so is told with it.
 */
export function coveredIndex(turnCount: number, waiting: readonly Turn[]): number {
  const indexes = new Set(waiting.map(({ index }) => index));
  let covered = turnCount;
  while (indexes.has(covered)) covered -= 1;
  return covered;
}

/** Questions that came before a handle and were answered after it: ids that `turns` refers to and does not hold. */
export function earlierQuestions(turns: readonly Turn[]): readonly string[] {
  const there = new Set(turns.map(({ id }) => id));
  return turns.flatMap(({ replyTo, continues }) =>
    replyTo === undefined || continues !== undefined || there.has(replyTo) ? [] : [replyTo],
  );
}

/**
 * What a server is to be told, of the turns after a handle: all that was said, without the questions that wait to be
 * asked. Each question stands right before its first answer, wherever it was typed: that is how the server would have
 * heard it.
 */
export function turnsToTell(
  turns: readonly Turn[],
  earlier: ReadonlyMap<string, Turn>,
  waiting: ReadonlySet<string>,
): readonly Turn[] {
  const questions = new Map([...earlier, ...turns.map((turn) => [turn.id, turn] as const)]);
  const told = new Set<string>();
  const whole: Turn[] = [];
  const tell = (turn: Turn | undefined) => {
    if (turn === undefined || waiting.has(turn.id) || told.has(turn.id)) return;
    told.add(turn.id);
    whole.push(turn);
  };
  for (const turn of turns) {
    // A question that was taken back, or put aside, before it drew an answer was never part of the conversation.
    if (turn.role === 'user') continue;
    if (turn.replyTo !== undefined && turn.continues === undefined) tell(questions.get(turn.replyTo));
    tell(turn);
  }
  return whole;
}
