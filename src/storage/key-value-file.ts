import { readFileSync, renameSync } from 'node:fs';

/**
 * A small JSON file that is read and replaced as a whole. `conf` and `electron-store` instances fit.
 * `store` reads the file anew each time and writes it atomically.
 */
export interface KeyValueFile {
  readonly path: string;
  store: Record<string, unknown>;
}

/** What was found when a state file was opened. */
export interface CheckedFile {
  /** Where a file that could not be read was moved. */
  readonly setAside: string | undefined;
}

/**
 * Looks at a state file before its library does: one that holds no JSON object is moved aside under a name with the
 * time, never overwritten. Throws only what the rename throws.
 */
export function setAsideIfDamaged(path: string, now: number): CheckedFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { setAside: undefined };
  }
  if (isJsonObject(text)) return { setAside: undefined };
  const setAside = `${path}.damaged-${now}`;
  renameSync(path, setAside);
  return { setAside };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Replaces the content and reads it back: on a full disk `conf` puts a truncated file in the place of the good one and
 * reports success. When what was read is not what was written, the content from before is put back and this throws.
 */
export function writeChecked(file: KeyValueFile, next: Record<string, unknown>, before: Record<string, unknown>): void {
  const wanted = JSON.stringify(next);
  let found: string | undefined;
  try {
    file.store = next;
    found = JSON.stringify(file.store);
  } catch (error) {
    restore(file, before);
    throw error;
  }
  if (found !== wanted) {
    restore(file, before);
    throw Object.assign(new Error(`${file.path} was not written in full`), { code: 'ENOSPC', path: file.path });
  }
}

function restore(file: KeyValueFile, before: Record<string, unknown>): void {
  try {
    file.store = before;
  } catch {
    // The write that failed is reported; a second failure adds nothing to it.
  }
}
