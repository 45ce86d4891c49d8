import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { foldEntries } from '../archive/index.ts';
import type { Archive, FoldedSession, PlacedEntry } from '../archive/index.ts';
import { idSchema } from '../contract/index.ts';
import { journalEntrySchema, journalsIn, syncDirectory } from '../journal/index.ts';
import type { JournalContent, Journals } from '../journal/index.ts';

/** What a staging area does to the disk that a crash can come between; another one in tests. */
export interface StagingDisk {
  makeDirectory(path: string): Promise<void>;
  /** A whole, synced file, which must not be there yet. */
  write(path: string, text: string): Promise<void>;
  /** Rejects with ENOENT where there is nothing to move. */
  move(from: string, to: string): Promise<void>;
  sync(directory: string): Promise<void>;
  /** With all that is in it. Nothing happens where there is nothing. */
  remove(path: string): Promise<void>;
}

export interface StagingPorts {
  /** The folder of its own that it may remove. On the same file system as the journals. */
  readonly directory: string;
  readonly journalDirectory: string;
  readonly journals: Journals;
  readonly archive: Pick<Archive, 'replace' | 'remove'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly disk?: StagingDisk;
}

/**
 * Where an import is made before it counts. It counts from the moment in which its mark is on the disk; until then
 * nothing of it is where anyone looks. From then on it is brought to its end, by this run or at the next start.
 * All methods reject with the errors of the file system and of SQLite.
 */
export interface Staging {
  /** Finishes, or takes back, what an earlier run or a failure left unfinished. */
  recover(): Promise<Recovered>;
  /** An empty place. Files of the import itself may be put into `files`. */
  begin(): Promise<{ readonly journals: Journals; readonly files: string }>;
  /** Makes the staged sessions count. When it rejects, none of them does. */
  commit(sessionIds: readonly string[], kept: (done: number) => void): Promise<void>;
  /** Leaves nothing. */
  discard(): Promise<void>;
}

export type Recovered =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'finished' | 'taken-back'; readonly sessionIds: readonly string[] }
  /** The mark cannot be read; everything is kept there for a look. */
  | { readonly kind: 'set-aside'; readonly path: string };

const markSchema = z.object({ sessionIds: z.array(idSchema) });

export function createStaging(ports: StagingPorts): Staging {
  const { directory, journalDirectory, journals, archive, now, disk = nodeDisk } = ports;
  const staged = join(directory, 'journals');
  const files = join(directory, 'files');
  const commitMark = join(directory, 'commit.json');
  const undoMark = join(directory, 'undo.json');

  /** Taking it back has failed before; it is not to be finished instead. */
  let toUndo: readonly string[] | undefined;

  async function markedIn(path: string): Promise<readonly string[] | undefined> {
    try {
      return markSchema.parse(JSON.parse(await readFile(path, 'utf8'))).sessionIds;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Any step of it may have been done before. */
  async function finish(sessionIds: readonly string[], kept: (done: number) => void = () => undefined): Promise<void> {
    for (const id of sessionIds) await whereThere(() => disk.move(join(staged, `${id}.jsonl`), journals.pathOf(id)));
    await disk.sync(journalDirectory);
    await whereThere(() => disk.sync(staged));
    for (const [index, id] of sessionIds.entries()) {
      const content = await whereThere(() => journals.load(id));
      const folded = content && foldJournal(content);
      // One that was deleted since has nothing to come back for.
      if (folded !== undefined && !folded.deleted) await archive.replace(folded, content!.goodBytes);
      kept(index + 1);
    }
    await disk.remove(commitMark);
    // All is in its place: what cannot be cleared away now is no failure, and is cleared away at the next start.
    await discard().catch(() => undefined);
  }

  async function undo(sessionIds: readonly string[]): Promise<void> {
    for (const id of sessionIds) {
      await archive.remove(id);
      await journals.remove(id);
    }
    // The journals first: without the mark nobody would look for them again.
    await disk.remove(staged);
    await disk.remove(commitMark);
    await disk.remove(undoMark);
    toUndo = undefined;
    await discard();
  }

  async function discard(): Promise<void> {
    await disk.remove(directory);
  }

  async function takeBack(sessionIds: readonly string[]): Promise<void> {
    toUndo = sessionIds;
    await whereThere(() => disk.move(commitMark, undoMark));
    await disk.sync(directory);
    await undo(sessionIds);
  }

  return {
    async recover() {
      try {
        const halfUndone = toUndo ?? (await markedIn(undoMark));
        if (halfUndone !== undefined) {
          await undo(halfUndone);
          return { kind: 'taken-back', sessionIds: halfUndone };
        }
        const committed = await markedIn(commitMark);
        if (committed === undefined) {
          await discard();
          return { kind: 'nothing' };
        }
        await finish(committed);
        return { kind: 'finished', sessionIds: committed };
      } catch (error) {
        if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
        const path = `${directory}.damaged-${now()}`;
        await disk.move(directory, path);
        return { kind: 'set-aside', path };
      }
    },
    async begin() {
      await disk.makeDirectory(staged);
      await disk.makeDirectory(files);
      return { journals: journalsIn(staged, now), files };
    },
    async commit(sessionIds, kept) {
      await disk.sync(staged);
      const beside = `${commitMark}.new`;
      await disk.write(beside, JSON.stringify({ sessionIds }));
      try {
        await disk.move(beside, commitMark);
        await disk.sync(directory);
        await finish(sessionIds, kept);
      } catch (error) {
        // What cannot be taken back now is at the next import or the next start; the first error is the one to tell.
        await takeBack(sessionIds).catch(() => undefined);
        throw error;
      }
    },
    discard,
  };
}

/** A session as its journal tells it; `undefined` where it does not say what session it is of. */
export function foldJournal(content: JournalContent): FoldedSession | undefined {
  return foldEntries(
    content.lines.flatMap(({ seq, at, entry }): PlacedEntry[] => {
      const parsed = journalEntrySchema.safeParse(entry);
      return parsed.success ? [{ seq, at, entry: parsed.data }] : [];
    }),
  );
}

async function whereThere<T>(step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

const nodeDisk: StagingDisk = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async write(path, text) {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  move: rename,
  sync: syncDirectory,
  remove: (path) => rm(path, { recursive: true, force: true }),
};
