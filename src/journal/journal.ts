import { constants } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { encodeLine, hashLine } from './line.ts';
import { readJournal } from './read.ts';
import type { JournalContent } from './read.ts';

/** Where a journal stands: the number of its last line, and its size in bytes with that line. */
export interface Position {
  readonly seq: number;
  readonly bytes: number;
}

/** Where a line came to lie, and the time that it states (milliseconds since the epoch). */
export interface Place extends Position {
  readonly at: number;
}

/** An append-only file that one process writes. */
export interface Journal {
  readonly path: string;
  /** The last line that is on disk. */
  readonly position: Position;
  /**
   * Resolves once the line is on disk (fdatasync), not before. Lines are written in the order of the calls; those that
   * are appended while a sync runs share the next one, and those that are appended without a wait between them share one
   * in any case: they are written together or not at all. Rejects with the file system's error when the line could not
   * be made durable; nothing of it is left in the file, and the journal can be appended to again.
   */
  append(entry: unknown): Promise<Place>;
  close(): Promise<void>;
}

export interface OpenedJournal {
  readonly journal: Journal;
  readonly content: JournalContent;
}

/** What of an open file is used. */
export type JournalFile = Pick<FileHandle, 'readFile' | 'truncate' | 'write' | 'datasync' | 'close'>;
export type OpenFile = (path: string, flags: number, mode: number) => Promise<JournalFile>;

interface Pending {
  /** As JSON, so that one entry that cannot be written is refused by itself and a later change of it does no harm. */
  readonly entry: string;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: unknown) => void;
}

export interface JournalOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The file system; another one in tests that break it. */
  readonly openFile?: OpenFile;
  /** `create`: the file must not be there yet. `continue`: it must be. */
  readonly mode: 'create' | 'continue';
}

/**
 * Opens a journal for appending. A torn tail is cut off and kept beside it as `<path>.torn-<time>`.
 * Rejects with the file system's error when the file cannot be opened.
 */
export async function openJournal(path: string, options: JournalOptions): Promise<OpenedJournal> {
  const flags = constants.O_RDWR | (options.mode === 'create' ? constants.O_CREAT | constants.O_EXCL : 0);
  const file = await (options.openFile ?? open)(path, flags, 0o600);
  try {
    const bytes = await file.readFile();
    const content = readJournal(bytes);
    if (content.tornBytes > 0) {
      await keepAside(`${path}.torn-${options.now()}`, bytes.subarray(content.goodBytes));
      await file.truncate(content.goodBytes);
      await file.datasync();
    }
    if (options.mode === 'create') await syncDirectory(dirname(path));
    return { journal: writer(path, file, content, options.now), content };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

/** Reads a journal without opening it for writing or mending anything. */
export async function loadJournal(path: string): Promise<JournalContent> {
  return readJournal(await readFile(path));
}

function writer(path: string, file: JournalFile, content: JournalContent, now: () => number): Journal {
  let position: Position = { seq: content.nextSeq - 1, bytes: content.goodBytes };
  let lastHash = content.lastHash;
  let queue: Pending[] = [];
  let writing: Promise<void> | undefined;
  let closed = false;
  /** The file may hold more than `position` says: a failed write has to be cut off before the next one. */
  let dirty = false;

  async function writeGroup(group: readonly Pending[]): Promise<void> {
    const places: Place[] = [];
    const texts: string[] = [];
    let { seq, bytes } = position;
    let hash = lastHash;
    for (const { entry } of group) {
      seq += 1;
      const at = now();
      const text = encodeLine({ seq, at, prev: hash, entry });
      hash = hashLine(text);
      texts.push(text);
      bytes += Buffer.byteLength(text) + 1;
      places.push({ seq, bytes, at });
    }
    try {
      if (dirty) {
        await file.truncate(position.bytes);
        dirty = false;
      }
      dirty = true;
      await writeAll(file, Buffer.from(`${texts.join('\n')}\n`), position.bytes);
      await file.datasync();
      dirty = false;
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages and report success next time:
      // the lines are taken back, never assumed to be there.
      await file.truncate(position.bytes).then(
        () => (dirty = false),
        () => undefined,
      );
      for (const { reject } of group) reject(error);
      return;
    }
    position = { seq, bytes };
    lastHash = hash;
    group.forEach(({ resolve }, index) => resolve(places[index]!));
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const group = queue;
      queue = [];
      await writeGroup(group);
    }
    writing = undefined;
  }

  return {
    path,
    get position() {
      return position;
    },
    append(entry) {
      if (closed) return Promise.reject(new Error(`The journal ${path} is closed`));
      return new Promise((resolve, reject) => {
        queue.push({ entry: JSON.stringify(entry), resolve, reject });
        // What is appended in the same breath shares the first sync.
        writing ??= Promise.resolve().then(drain);
      });
    },
    async close() {
      closed = true;
      await writing;
      await file.close();
    },
  };
}

/** A write may take only part of the bytes, on a nearly full disk for one. */
async function writeAll(file: JournalFile, bytes: Buffer, start: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, start + done);
    if (bytesWritten === 0) throw Object.assign(new Error('The disk took no more bytes'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}

async function keepAside(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}

/** Makes a created, renamed or removed name durable. Windows has no such call and needs none. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Removes a journal for good, with whatever was kept beside it. */
export async function removeJournal(path: string): Promise<void> {
  const directory = dirname(path);
  const asides = (await readdir(directory)).filter((name) => name.startsWith(`${basename(path)}.`));
  for (const name of asides) await rm(join(directory, name), { force: true });
  await rm(path, { force: true });
  await syncDirectory(directory);
}

/** Moves a journal that cannot be used out of the way, under a name with the time. Returns the new path. */
export async function setJournalAside(path: string, now: number): Promise<string> {
  const aside = `${path}.set-aside-${now}`;
  await rename(path, aside);
  await syncDirectory(dirname(path));
  return aside;
}
