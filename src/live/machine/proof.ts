import { tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { dropLadder } from './ladder.ts';
import { leave } from './leave.ts';

/**
 * Proves that a resumed server still knows the conversation: its context must not have shrunk to what it was before the
 * conversation began. A collapsed one is left, and the next connection is told the history.
 */
export function leaveIfCollapsed(draft: Draft, prompt: number): boolean {
  const { data, config } = draft;
  const { connection, tokens } = data;
  const before = tokens;
  // Prompts are compared with prompts: an answer's own tokens are counted as sound and remembered as something else.
  data.tokens = { base: Math.min(before?.base ?? prompt, prompt), last: prompt };
  if (before === undefined || connection?.plan.kind !== 'handle') return false;
  const gained = before.last - before.base;
  const collapsed =
    gained >= config.collapseMinTokens &&
    before.last < config.compressionTokens &&
    prompt < before.base + gained * config.collapseShare;
  if (!collapsed) return false;
  tell(draft, { type: 'context-lost', expected: before.last, found: prompt });
  dropLadder(draft);
  data.tokens = undefined;
  data.phase = { kind: 'redial' };
  data.since = draft.at;
  leave(draft, 'fresh');
  return true;
}

/** The first answer on a restored connection is judged when no other has come in its place, or the next one is asked. */
export function leaveIfSuspectCollapsed(draft: Draft): boolean {
  const { data } = draft;
  const { suspect, suspectPrompt } = data;
  data.suspect = undefined;
  data.suspectPrompt = undefined;
  if (suspect === undefined || suspectPrompt === undefined || data.connection?.stage !== 'ready') return false;
  return leaveIfCollapsed(draft, suspectPrompt);
}
