import type { Problem } from '../contract/index.ts';

/** SQLite's result codes, as `node:sqlite` gives them in `errcode` (the low byte is the primary one). */
const SQLITE_FULL = 13;
const SQLITE_READONLY = 8;

/** What an error of the file system or of SQLite means to the user. */
export function storageProblem(error: unknown): Problem {
  const { code, errcode, path } = (error ?? {}) as { code?: unknown; errcode?: unknown; path?: unknown };
  const primary = typeof errcode === 'number' ? errcode & 0xff : undefined;
  const context = {
    error: error instanceof Error ? error.message : String(error),
    ...(typeof path === 'string' && { path }),
  };
  if (code === 'ENOSPC' || code === 'EDQUOT' || primary === SQLITE_FULL) {
    return {
      code: 'disk_full',
      message: 'The disk is full, so this could not be kept. Free some space and send it again; nothing else was lost.',
      retry: 'user',
      context,
    };
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || primary === SQLITE_READONLY) {
    return {
      code: 'disk_read_only',
      message: 'Holdfast may not write to its data folder, so this could not be kept. Check the folder’s permissions.',
      retry: 'user',
      context,
    };
  }
  return {
    code: 'disk_failed',
    message: 'The disk reported an error, so this could not be kept. Try again; if it happens again, check the disk.',
    retry: 'user',
    context,
  };
}
