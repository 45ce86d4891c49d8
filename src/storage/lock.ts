import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { failed, ok } from '../contract/index.ts';
import type { Result } from '../contract/index.ts';
import { storageProblem } from './storage-problems.ts';

const LOCK_FILE = 'lock.db';
const HOLDER_FILE = 'lock.json';
const SQLITE_BUSY = 5;

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
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(dataDir, LOCK_FILE), { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT;');
  } catch (error) {
    database?.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) return failed(storageProblem(error));
    return failed({
      code: 'second_instance',
      message: `Another Holdfast is using ${dataDir}${holderWords(holderPath)}. Close it first, or choose another folder with --data-dir.`,
      retry: 'user',
      context: { dataDir },
    });
  }
  const held = database;
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
      rmSync(holderPath, { force: true });
      held.close();
    },
  });
}

function holderWords(path: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return ` (the ${String(host)} host, process ${Number(pid)}, since ${String(since)})`;
  } catch {
    return '';
  }
}
