import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * One line of a journal:
 * `{"seq":12,"at":1790000000000,"prev":"<sha-256 of the line before>","entry":{…},"crc":"0a1b2c3d"}`
 *
 * `crc` is the CRC-32 of everything before `,"crc":` and finds damage; `prev` chains the lines, so that a line that was
 * changed, removed or put in later shows even when its CRC was made to fit. The first line's `prev` is 64 zeros.
 */
export interface JournalLine {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly prev: string;
  readonly entry: unknown;
}

export const FIRST_PREV = '0'.repeat(64);

const CRC_SUFFIX = /,"crc":"([0-9a-f]{8})"\}$/;

/** The text of a line, without its line feed. `entry` is JSON already. */
export function encodeLine(line: Omit<JournalLine, 'entry'> & { readonly entry: string }): string {
  const body = `{"seq":${line.seq},"at":${line.at},"prev":"${line.prev}","entry":${line.entry}`;
  return `${body},"crc":"${hex32(crc32(body))}"}`;
}

/** SHA-256 of a line's text, as the next line's `prev` states it. */
export function hashLine(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Reads a line; `undefined` when it is not whole. */
export function decodeLine(text: string): JournalLine | undefined {
  const match = CRC_SUFFIX.exec(text);
  if (match === null) return undefined;
  if (hex32(crc32(text.slice(0, match.index))) !== match[1]) return undefined;
  try {
    const { seq, at, prev, entry } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(at) || typeof prev !== 'string') return undefined;
    return { seq: seq as number, at: at as number, prev, entry };
  } catch {
    return undefined;
  }
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
