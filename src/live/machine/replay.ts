import type { ServerSignal } from '../signals.ts';
import type { Draft } from './draft.ts';

/** As much of an answer as is remembered for telling a replay of it. */
export const REPLAY_MAX_CHARS = 1_200;
/** An answer of this length is not given twice by chance. */
const UNMISTAKABLE_CHARS = 12;
/** A handle may be a few exchanges old. */
export const SAID_KEPT = 24;

/** Whether this is more of what the server said last, from before the connection. */
export function isReplay({ data }: Draft, signal: ServerSignal): boolean {
  if (data.replay === undefined || signal.kind === 'audio') return data.replay !== undefined;
  if (signal.kind === 'text') {
    const so = data.replay + signal.text;
    if (data.connection?.listened !== true) {
      // No sound was sent, so there was nothing to hear: whatever comes until an answer begins is from before.
      data.replay = so;
      return true;
    }
    // Where sound was sent, the server may have heard something new, and short answers are often the same.
    const said = data.said.map((text) => text.trim()).filter((text) => text !== '');
    if (so.trim().length >= UNMISTAKABLE_CHARS && isMadeOf(so.trim(), said)) {
      data.replay = so;
      return true;
    }
  }
  data.replay = undefined;
  return false;
}

/** Whether what was taken for a replay begins with a whole answer from before, so that it cannot be a new one. */
export function isOld({ replay = '', said, connection }: Draft['data']): boolean {
  if (connection?.listened === true) return false;
  return said.some((text) => text.trim().length >= UNMISTAKABLE_CHARS && replay.trim().startsWith(text.trim()));
}

/** Whether words are the beginning of one of these texts, or of several in a row: a cut answer and its rest are told as one. */
function isMadeOf(words: string, texts: readonly string[]): boolean {
  return texts.some(
    (text) =>
      text.startsWith(words) || (words.startsWith(text) && isMadeOf(words.slice(text.length).trimStart(), texts)),
  );
}
