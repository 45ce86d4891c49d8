import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import type { ImportLimits } from './limits.ts';

/**
 * What is found in a JSON text, as soon as it is complete:
 * - `item`: an element of the list that the text is, or of its member `conversations`
 * - `field`: another member of the object that the text is
 * - `left-out`: an item or a field that is larger or nested deeper than what is held in memory
 * - `broken`: the end; what came before it was good
 */
export type JsonEvent =
  | { readonly kind: 'item'; readonly value: unknown }
  | { readonly kind: 'field'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'left-out'; readonly key: string | undefined; readonly reason: 'too-large' | 'too-deep' }
  | { readonly kind: 'broken'; readonly reason: 'truncated' | 'malformed' | 'too-large'; readonly at: number };

interface JsonItems {
  /** The events that these bytes of UTF-8 complete. After `broken` there is nothing more. */
  write(chunk: Uint8Array): readonly JsonEvent[];
  end(): readonly JsonEvent[];
}

/** The member whose elements are handed out one by one. */
const LIST = 'conversations';

const OPENING: ReadonlySet<TokenType> = new Set([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const CLOSING: ReadonlySet<TokenType> = new Set([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);
const BETWEEN: ReadonlySet<TokenType> = new Set([TokenType.COMMA, TokenType.COLON, ...CLOSING]);

/** One value on its way: what it is of, how deep its tokens are, and what builds it, unless it is being left out. */
interface Pending {
  readonly key: string | undefined;
  readonly from: number;
  depth: number;
  builder: TokenParser | undefined;
  reason: 'too-large' | 'too-deep';
}

/**
 * Splits a JSON text into items while it is being read. The tokens of an item go to a parser of its own, and the one
 * for the whole text is told `null` instead: it checks the grammar around the items and holds none of them.
 */
export function jsonItems(limits: ImportLimits): JsonItems {
  const tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024 });
  const whole = new TokenParser({ paths: ['$.nothing.is.kept'], keepStack: false });
  let events: JsonEvent[] = [];
  let broken = false;
  let fed = 0;
  let lastToken = 0;

  /** Of the whole text. At depth 2 of an object we are in its list. */
  let depth = 0;
  let top: 'list' | 'object' | 'scalar' | undefined;
  let key: string | undefined;
  let keyIsNext = false;
  let pending: Pending | undefined;

  whole.onValue = () => undefined;
  tokenizer.onToken = (token) => {
    lastToken = token.offset;
    if (pending !== undefined) inItem(pending, token);
    else outside(token);
  };

  type Token = Parameters<typeof tokenizer.onToken>[0];

  function outside(info: Token): void {
    const { token } = info;
    if (depth === 0 && top === undefined) {
      top = token === TokenType.LEFT_BRACKET ? 'list' : token === TokenType.LEFT_BRACE ? 'object' : 'scalar';
      keyIsNext = top === 'object';
      if (top !== 'scalar') depth = 1;
      whole.write(info);
      return;
    }
    const isValue = depth > 0 && !BETWEEN.has(token);
    if (isValue && depth === 1 && top === 'object' && keyIsNext) {
      key = String(info.value);
      keyIsNext = false;
    } else if (isValue && depth === 1 && top === 'object' && key === LIST && token === TokenType.LEFT_BRACKET) {
      depth = 2;
    } else if (isValue) {
      pending = {
        key: top === 'object' && depth === 1 ? key : undefined,
        from: info.offset,
        depth: 0,
        builder: new TokenParser({ paths: ['$'] }),
        reason: 'too-large',
      };
      inItem(pending, info);
      return;
    } else if (CLOSING.has(token)) {
      depth -= 1;
    } else if (token === TokenType.COMMA && depth === 1) {
      keyIsNext = top === 'object';
    }
    whole.write(info);
  }

  function inItem(item: Pending, info: Token): void {
    if (OPENING.has(info.token)) item.depth += 1;
    if (CLOSING.has(info.token)) item.depth -= 1;
    if (item.builder !== undefined && item.depth > limits.depth) leaveOut(item, 'too-deep');
    if (item.builder !== undefined && info.offset - item.from > limits.itemBytes) leaveOut(item, 'too-large');
    if (item.builder !== undefined) {
      item.builder.onValue = ({ value }) => {
        events.push(item.key === undefined ? { kind: 'item', value } : { kind: 'field', key: item.key, value });
      };
      item.builder.write(info);
    }
    if (item.depth > 0) return;
    if (item.builder === undefined) events.push({ kind: 'left-out', key: item.key, reason: item.reason });
    pending = undefined;
    whole.write({ ...info, token: TokenType.NULL, value: null, partial: false });
  }

  function leaveOut(item: Pending, reason: Pending['reason']): void {
    item.builder = undefined;
    item.reason = reason;
  }

  function guarded(step: () => void, onError: 'truncated' | 'malformed'): readonly JsonEvent[] {
    if (broken) return [];
    events = [];
    try {
      step();
    } catch (error) {
      broken = true;
      events.push({ kind: 'broken', reason: error instanceof RangeError ? 'too-large' : onError, at: lastToken });
    }
    return events;
  }

  return {
    write: (chunk) =>
      guarded(() => {
        tokenizer.write(chunk);
        fed += chunk.length;
        // A text or a number without an end is held by the tokenizer until it has one.
        if (fed - lastToken > limits.stringBytes) throw new RangeError('A text without an end');
      }, 'malformed'),
    end: () =>
      guarded(() => {
        if (!tokenizer.isEnded) tokenizer.end();
        if (!whole.isEnded) whole.end();
      }, 'truncated'),
  };
}
