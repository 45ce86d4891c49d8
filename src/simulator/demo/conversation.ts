import type { Content, ToolDeclaration } from '../wire.ts';
import { textOf } from '../wire.ts';

/** All that a reply is made from. */
export interface Conversation {
  /** Oldest first, with the turn to answer at the end. */
  readonly contents: readonly Content[];
  readonly system: string;
  readonly tools: readonly ToolDeclaration[];
  /** Milliseconds since the Unix epoch. */
  readonly wallTime: number;
  /** IANA name; absent: the host's own. */
  readonly timeZone?: string | undefined;
}

export interface PlannedCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export type Reply =
  | { readonly kind: 'say'; readonly text: string; readonly thought: string }
  | { readonly kind: 'call'; readonly calls: readonly PlannedCall[] };

function isSpoken(content: Content): boolean {
  return (content.parts ?? []).some((part) => part.text !== undefined || part.inlineData !== undefined);
}

export function userTexts(contents: readonly Content[]): readonly string[] {
  return contents.filter((content) => content.role !== 'model' && isSpoken(content)).map(textOf);
}

export function modelTexts(contents: readonly Content[]): readonly string[] {
  return contents
    .filter((content) => content.role === 'model')
    .map(textOf)
    .filter((text) => text !== '');
}

/** At most `limit` characters, cut at a word. */
export function shorten(text: string, limit: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= limit) return flat;
  const cut = flat.slice(0, limit);
  const space = cut.lastIndexOf(' ');
  return `${space > limit / 2 ? cut.slice(0, space) : cut}…`;
}

export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
