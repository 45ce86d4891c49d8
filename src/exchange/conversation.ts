import type { SessionRecord } from '../archive/index.ts';
import type { Turn } from '../contract/index.ts';

/** Where a conversation was held. */
export type ConversationSource = 'holdfast' | 'chatgpt' | 'claude' | 'ai-studio' | 'gemini';

/** A conversation on its way out: its turns in pages, oldest first. */
export interface OutgoingConversation {
  readonly session: SessionRecord;
  readonly turns: AsyncIterable<readonly Turn[]>;
}

/**
 * A conversation on its way in, checked: indexes from 1 without gaps, references that lead somewhere, nothing that
 * waits to be sent or is still being said. `rev` is 0 everywhere: the journal that it comes into decides it.
 */
export interface IncomingConversation {
  readonly session: SessionRecord;
  readonly turns: readonly Turn[];
  readonly source: ConversationSource;
  /** What the source calls it. `session.id` follows from it, so the same conversation gets the same id each time. */
  readonly sourceId: string;
  /** Of what was said and when, as `contentHashOf` has it. */
  readonly contentHash: string | undefined;
}
