import type { ConversationSource } from '../conversation.ts';
import { wordsForLeftOut } from './left-out.ts';
import type { LeftOut } from './left-out.ts';
import type { SkipReason } from './read-json.ts';
import { wordsFor } from './unreadable.ts';
import type { UnreadableReason } from './unreadable.ts';

/** What became of one conversation, or of one file where it goes no further. `message` says it in plain words. */
export type ReportItem = {
  /** The file that it stands in; for one in an archive `archive › file`. */
  readonly file: string;
  readonly title: string;
  readonly message: string;
} & (
  | {
      readonly outcome: 'imported' | 'partly';
      readonly source: ConversationSource;
      readonly sessionId: string;
      readonly turns: number;
      /** What did not come along; empty for `imported`. */
      readonly leftOut: LeftOut;
    }
  | {
      readonly outcome: 'duplicate';
      readonly source: ConversationSource;
      /** The session that has it already, or that this import makes of its first occurrence. */
      readonly sessionId: string;
      /** The one in the file has other words in it than the one that is here. */
      readonly changed: boolean;
    }
  | { readonly outcome: 'skipped'; readonly reason: SkipReason; readonly count: number }
  /** The file cannot be read, or not to its end. */
  | { readonly outcome: 'unreadable'; readonly reason: UnreadableReason }
);

export interface ImportReport {
  readonly items: readonly ReportItem[];
  readonly imported: number;
  /** Of `imported`: those that did not come along whole. */
  readonly partly: number;
  readonly duplicates: number;
  readonly skipped: number;
  /** Turns of those that were imported. */
  readonly turns: number;
}

export function reportOf(items: readonly ReportItem[]): ImportReport {
  const count = (...outcomes: readonly ReportItem['outcome'][]) =>
    items.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return {
    items,
    imported: count('imported', 'partly'),
    partly: count('partly'),
    duplicates: count('duplicate'),
    skipped: items.reduce((sum, item) => sum + (item.outcome === 'skipped' ? item.count : 0), 0),
    turns: items.reduce((sum, item) => sum + ('turns' in item ? item.turns : 0), 0),
  };
}

export function importedWords(leftOut: LeftOut): string {
  return wordsForLeftOut(leftOut) || 'Imported.';
}

export function duplicateWords(changed: boolean): string {
  return changed
    ? 'This conversation is here already, with other words in it than in the file. The one that is here was kept as it is; import it as a copy to have both.'
    : 'This conversation is here already.';
}

export function skippedWords(reason: SkipReason, count: number): string {
  switch (reason) {
    case 'empty':
      return 'Nothing was said in it.';
    case 'damaged':
      return 'It is damaged, and nothing of it can be taken. Export it again where it comes from.';
    case 'too-large':
      return 'It is larger than a conversation that Holdfast can hold.';
    case 'too-deep':
      return 'It is nested more deeply than any conversation is. It is damaged, or was made to do harm.';
    case 'not-a-conversation':
      return count === 1 ? 'One entry is not a conversation.' : `${count} entries are not conversations.`;
  }
}

export function unreadableWords(reason: UnreadableReason, file: string): string {
  return wordsFor(reason, file);
}
