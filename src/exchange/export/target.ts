import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One file that is being written. All methods reject with the file system's error. */
export interface ExportFile {
  write(text: string): Promise<void>;
  /** On the disk, whole, under its name. */
  finish(): Promise<void>;
  /** Nothing of it stays. */
  discard(): Promise<void>;
}

/** Where an export goes. */
export interface ExportTarget {
  /** Names that are taken already. */
  taken(): Promise<readonly string[]>;
  /** `name` is safe on every file system. */
  open(name: string): Promise<ExportFile>;
  /** Removes a file that was finished: the export that it is part of did not come to its end. */
  remove(name: string): Promise<void>;
}

/** Files in a folder that is there. What stands in it is never written over. */
export function folderTarget(folder: string): ExportTarget {
  return {
    taken: () => readdir(folder),
    open: (name) => openFile(join(folder, name)),
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

/** One file that the user has named, and agreed to replace where it is there. For exports of one file. */
export function fileTarget(path: string): ExportTarget {
  return {
    taken: () => Promise.resolve([]),
    open: () => openFile(path),
    // It is the last to be finished: there is nothing that could fail after it.
    remove: () => Promise.resolve(),
  };
}

/** Written beside its place and moved there when it is on the disk: a file with this name is whole. */
async function openFile(path: string): Promise<ExportFile> {
  const beside = `${path}.part`;
  const handle = await open(beside, 'w');
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await handle.close();
  };
  return {
    // `writeFile` goes on after a short write, where `write` would leave it at that.
    write: (text) => handle.writeFile(text),
    async finish() {
      await handle.sync();
      await close();
      await rename(beside, path);
      await syncFolder(dirname(path));
    },
    async discard() {
      await close().catch(() => undefined);
      await rm(beside, { force: true });
    },
  };
}

/** So that the name survives a power cut, too. Windows does not let a folder be opened; there it needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
