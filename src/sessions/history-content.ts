import type { Content } from '@google/genai';
import { textOf } from '../contract/index.ts';
import type { Turn } from '../contract/index.ts';

/** About 30,000 tokens at four characters a token: a quarter of the smallest context window in use. */
export const HISTORY_BUDGET_CHARS = 120_000;
/** As many turns as are looked at for a rebuild. */
export const HISTORY_TURNS = 200;

/**
 * What a server that knows nothing of a conversation is told of it: the newest turns that fit the budget, oldest first,
 * one content a speaker (the protocol alternates). Turns that wait to be sent are left out: they follow as turns.
 */
export function historyContent(turns: readonly Turn[], budgetChars = HISTORY_BUDGET_CHARS): Content[] {
  const contents: { role: string; text: string }[] = [];
  let left = budgetChars;
  for (const turn of [...turns].reverse()) {
    if (turn.status === 'queued' || turn.status === 'sent' || turn.status === 'failed') continue;
    const text = textOf(turn).trim();
    if (text === '') continue;
    if (text.length > left) break;
    left -= text.length;
    const newest = contents.at(-1);
    if (newest?.role === turn.role) newest.text = `${text}\n\n${newest.text}`;
    else contents.push({ role: turn.role, text });
  }
  return contents.reverse().map(({ role, text }) => ({ role, parts: [{ text }] }));
}
