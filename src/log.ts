import { mkdirSync } from 'node:fs';
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
 * JSON lines in `<directory>/holdfast.log`. Rejects nothing: when the file cannot be written, lines are dropped.
 */
export function openLog(directory: string): Logger {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const destination = pino.destination({
    dest: join(directory, 'holdfast.log'),
    mkdir: true,
    sync: false,
    mode: 0o600,
  });
  destination.on('error', () => undefined);
  return pino(
    {
      base: { pid: process.pid },
      redact: { paths: REDACTED, censor: '[removed]' },
      hooks: { streamWrite: (line) => line.replace(KEY_IN_TEXT, '$1[removed]') },
    },
    destination,
  );
}

/** For those who need a logger and keep nothing. */
export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };
