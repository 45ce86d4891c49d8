import { decodeLine, FIRST_PREV, hashLine } from './line.ts';
import type { JournalLine } from './line.ts';

/** Damage in the middle of a journal: lines that cannot be trusted, isolated to the bytes that they take. */
export interface Damage {
  /** Byte offset of the first damaged line, and the number of bytes up to the next good one. */
  readonly offset: number;
  readonly bytes: number;
  readonly reason: 'unreadable' | 'chain-broken';
}

export interface JournalContent {
  readonly lines: readonly JournalLine[];
  readonly damage: readonly Damage[];
  /** Bytes up to and with the last good line; whatever comes after is a torn tail. */
  readonly goodBytes: number;
  readonly tornBytes: number;
  /** Whole lines in the torn tail: none where only the writing of the last line was cut short. */
  readonly tornLines: number;
  /** What the next line continues from. */
  readonly nextSeq: number;
  readonly lastHash: string;
}

const LINE_FEED = 0x0a;

/**
 * Reads the bytes of a journal. Never throws: what cannot be read is reported as damage (between good lines) or as a
 * torn tail (after the last good line; such a line was never acknowledged, because acknowledging waits for the sync).
 */
export function readJournal(bytes: Buffer): JournalContent {
  const lines: JournalLine[] = [];
  const damage: Damage[] = [];
  let goodBytes = 0;
  let lastHash = FIRST_PREV;
  let nextSeq = 1;
  let at = 0;
  let linesSinceGood = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, at);
    if (end === -1) break;
    const raw = bytes.subarray(at, end);
    const line = decodeLine(raw.toString('utf8'));
    if (line !== undefined && line.seq >= nextSeq) {
      if (at > goodBytes) damage.push({ offset: goodBytes, bytes: at - goodBytes, reason: 'unreadable' });
      else if (line.prev !== lastHash) {
        damage.push({ offset: at, bytes: 0, reason: 'chain-broken' });
      }
      lines.push(line);
      lastHash = hashLine(raw);
      nextSeq = line.seq + 1;
      goodBytes = end + 1;
      linesSinceGood = 0;
    } else linesSinceGood += 1;
    at = end + 1;
  }
  return {
    lines,
    damage,
    goodBytes,
    tornBytes: bytes.length - goodBytes,
    tornLines: linesSinceGood,
    nextSeq,
    lastHash,
  };
}
