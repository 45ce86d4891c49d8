import type { Turn } from '../../src/contract/index.ts';

const STRETCH_TURNS = 20;

/**
 * Groups turns by their place in the session, so that a turn stays in its stretch however many come before or after.
 */
export function stretchesOf(turns: readonly Turn[]): readonly (readonly Turn[])[] {
  const stretches: Turn[][] = [];
  let number = -1;
  for (const turn of turns) {
    const own = Math.floor(turn.index / STRETCH_TURNS);
    if (own !== number) stretches.push([]);
    number = own;
    stretches.at(-1)?.push(turn);
  }
  return stretches;
}

export function stretchKey(stretch: readonly Turn[]): number {
  return Math.floor((stretch[0]?.index ?? 0) / STRETCH_TURNS);
}

export function sameTurns(a: readonly Turn[], b: readonly Turn[]): boolean {
  return a.length === b.length && a.every((turn, at) => turn === b[at]);
}
