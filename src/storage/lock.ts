import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { failed, ok } from '../contract/index.ts';
import type { Result } from '../contract/index.ts';
import { storageProblem } from './storage-problems.ts';

const LOCK_FILE = 'lock.db';
const HOLDER_FILE = 'lock.json';
/** SQLite's result codes, as in `errcode` (the low byte is the primary one). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What is read of `lock.json`: words for people, nothing else. */
const holderSchema = z.object({ pid: z.number().int(), host: z.enum(['desktop', 'browser']), since: z.iso.datetime() });

/** The right to write to a data directory, held until it is released or the process ends, however it ends. */
export interface DataLock {
  release(): void;
}

/**
 * Takes the data directory for this process. The lock is SQLite's exclusive file lock, so the operating system gives it
 * back after a crash and no stale lock is ever in the way; who holds it stands beside it in `lock.json`.
 * Fails with `second_instance`, naming the holder, or with a storage problem.
 */
export function lockDataDirectory(dataDir: string, host: string): Result<DataLock> {
  const holderPath = join(dataDir, HOLDER_FILE);
  let held: DatabaseSync;
  try {
    held = takeLock(join(dataDir, LOCK_FILE));
  } catch (error) {
    if (primaryCode(error) !== SQLITE_BUSY) return failed(storageProblem(error));
    return failed({
      code: 'second_instance',
      message: `Another Holdfast is using ${dataDir}${holderWords(holderPath)}. Close it first, or choose another folder with --data-dir.`,
      retry: 'user',
      context: { dataDir },
    });
  }
  try {
    writeFileSync(
      holderPath,
      JSON.stringify({ pid: process.pid, host, machine: hostname(), since: new Date().toISOString() }),
      { mode: 0o600 },
    );
  } catch (error) {
    held.close();
    return failed(storageProblem(error));
  }
  return ok({
    release() {
      if (!held.isOpen) return;
      try {
        rmSync(holderPath, { force: true });
      } catch {
        // Only words for whoever comes next; they are written anew then. The lock itself must not stay because of them.
      }
      held.close();
    },
  });
}

/** Throws SQLite's error. A lock file that something wrote over holds nothing of value and is made anew. */
function takeLock(path: string): DatabaseSync {
  try {
    return lockFile(path);
  } catch (error) {
    const damaged = primaryCode(error) === SQLITE_NOTADB || primaryCode(error) === SQLITE_CORRUPT;
    // Reading it far enough to see the damage took the lock: nobody holds it.
    if (!damaged) throw error;
    rmSync(path, { force: true });
    return lockFile(path);
  }
}

function lockFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT;');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function primaryCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function holderWords(path: string): string {
  try {
    const { pid, host, since } = holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return ` (the ${host} host, process ${pid}, since ${since})`;
  } catch {
    return '';
  }
}
