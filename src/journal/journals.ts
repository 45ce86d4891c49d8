import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadJournal, openJournal, removeJournal, setJournalAside } from './journal.ts';
import type { JournalOptions, OpenedJournal } from './journal.ts';
import type { JournalContent } from './read.ts';

/** The journals of a data directory, one a session. All methods reject with the file system's error. */
export interface Journals {
  /** Ids of the sessions that have one. */
  ids(): Promise<readonly string[]>;
  /** Its size in bytes. */
  size(sessionId: string): Promise<number>;
  /** Opens it for appending; `create` where none may be there yet, `continue` where one must be. */
  open(sessionId: string, mode: JournalOptions['mode']): Promise<OpenedJournal>;
  /** Reads it without mending anything. */
  load(sessionId: string): Promise<JournalContent>;
  /** For good, with whatever was kept beside it. */
  remove(sessionId: string): Promise<void>;
  /** Moves one that cannot be used out of the way. Returns where it is now. */
  setAside(sessionId: string): Promise<string>;
  /** What a person is told of where it lies. */
  pathOf(sessionId: string): string;
}

/** Session ids have no separators or dots, by their schema, so each can be a file's name. */
const JOURNAL_NAME = /^([A-Za-z0-9_-]{1,64})\.jsonl$/;

/** The journals as files `<id>.jsonl` of a folder, which must be there. `now`: milliseconds since the epoch. */
export function journalsIn(directory: string, now: () => number): Journals {
  const pathOf = (sessionId: string) => join(directory, `${sessionId}.jsonl`);
  return {
    ids: async () => (await readdir(directory)).flatMap((name) => JOURNAL_NAME.exec(name)?.[1] ?? []),
    size: async (sessionId) => (await stat(pathOf(sessionId))).size,
    open: (sessionId, mode) => openJournal(pathOf(sessionId), { mode, now }),
    load: (sessionId) => loadJournal(pathOf(sessionId)),
    remove: (sessionId) => removeJournal(pathOf(sessionId)),
    setAside: (sessionId) => setJournalAside(pathOf(sessionId), now()),
    pathOf,
  };
}
