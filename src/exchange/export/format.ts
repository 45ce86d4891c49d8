import type { SessionRecord } from '../../archive/index.ts';
import type { Turn } from '../../contract/index.ts';

/** What all files of an export have in common. */
export interface FileHead {
  /** Milliseconds since the epoch. */
  readonly exportedAt: number;
  /** The version of Holdfast. */
  readonly app: string;
  /** Times are written in this IANA time zone; the system's where it is absent. JSON has none. */
  readonly timeZone?: string | undefined;
}

/**
 * Writes a file piece by piece; no piece is larger than a turn makes it. The calls come in the order `begin`, then for each
 * conversation `open`, its turns and `close`, then `end`. One writer a file: it may remember what it has written.
 */
export interface FormatWriter {
  begin(): string;
  open(session: SessionRecord): string;
  turn(turn: Turn): string;
  close(): string;
  end(): string;
}

export interface Format {
  readonly extension: string;
  readonly mediaType: string;
  /** `title`: of the only conversation, where the file holds one. */
  writer(head: FileHead, title: string | undefined): FormatWriter;
}
