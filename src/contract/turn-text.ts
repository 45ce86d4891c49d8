import type { Part, Turn, TurnDelta } from './turns.ts';

/** What applying a delta came to. `gap`: something before it is missing, fetch the turn again. */
export type DeltaOutcome = { kind: 'applied'; turn: Turn } | { kind: 'known' } | { kind: 'gap' };

/**
 * Applies a delta to a turn. Applying the same delta twice changes nothing, and a delta that does not join on is
 * reported instead of being glued in the wrong place.
 */
export function applyDelta(turn: Turn, delta: TurnDelta): DeltaOutcome {
  const opens = delta.part === turn.parts.length;
  if (delta.part > turn.parts.length) return { kind: 'gap' };
  const part: Part | undefined = opens ? { type: delta.kind, text: '' } : turn.parts[delta.part];
  if (part === undefined || part.type === 'tool' || part.type === 'note' || part.type !== delta.kind)
    return { kind: 'gap' };
  const length = part.text.length;
  if (delta.offset > length) return { kind: 'gap' };
  const fresh = delta.text.slice(length - delta.offset);
  if (fresh === '') return { kind: 'known' };
  const parts = turn.parts.slice();
  parts[delta.part] = { ...part, text: part.text + fresh };
  return { kind: 'applied', turn: { ...turn, parts } };
}

/** The words of a turn, without thoughts and tools. */
export function textOf(turn: Pick<Turn, 'parts'>): string {
  return turn.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
