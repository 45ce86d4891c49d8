import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';

/** Structured logging; the first argument holds facts, never message texts, keys or handles. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  flush?(): void;
}

/** Fields that would be secrets if they got here all the same. */
const REDACTED = ['key', 'token', 'handle', 'secret', 'authorization', 'cookie', 'url'].flatMap((name) => [
  name,
  `*.${name}`,
]);
const KEY_IN_TEXT = /([?&](?:key|access_token|token)=)[^&\s"]+/g;

/**
 * JSON lines in `<directory>/holdfast.log`. Never fails: where the directory is not there or the file cannot be written,
 * lines are dropped.
 */
export function openLog(directory: string): Logger {
  let fd: number;
  try {
    fd = openSync(join(directory, 'holdfast.log'), 'a', 0o600);
  } catch {
    return silentLog;
  }
  return pino(
    {
      base: { pid: process.pid },
      redact: { paths: REDACTED, censor: '[removed]' },
      hooks: { streamWrite: (line) => line.replace(KEY_IN_TEXT, '$1[removed]') },
    },
    { write: lineWriter(fd) },
  );
}

/**
 * Writes at once and never tries again. pino's own destination does neither: on a full disk it tries for ever as the
 * process ends (sonic-boom 4.2 in `flushSync`), and it fails when the process ends before its file is open.
 */
function lineWriter(fd: number): (line: string) => void {
  /** The file may end in the middle of a line. */
  let torn = false;
  return (line) => {
    const bytes = Buffer.from(torn ? `\n${line}` : line);
    try {
      torn = writeSync(fd, bytes) < bytes.length;
    } catch {
      torn = true;
    }
  };
}

/** For those who need a logger and keep nothing. */
export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };
