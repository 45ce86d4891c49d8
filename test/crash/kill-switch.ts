import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HOST_ENV } from './messages.ts';

/**
 * Kills this process at a numbered step of its journals, where `HOLDFAST_CRASH_KILL_AT` says so. Journals are the only
 * files that the core writes by Node's FileHandle, so its calls are the steps. Each has two:
 * 2k-1: right before the k-th call; 2k: after half of the bytes, if the call writes, and otherwise right after it, before
 * anybody learns of it. An append is a write and a sync: killed before, torn, written and not synced, synced and not told.
 */
const wanted = Number(process.env[HOST_ENV.killAt] ?? 0);
let step = 0;

const probe = await open(fileURLToPath(import.meta.url));
const prototype = Object.getPrototypeOf(probe) as Record<string, (...given: unknown[]) => Promise<unknown>>;
await probe.close();

if (wanted > 0) {
  for (const name of ['write', 'datasync', 'sync', 'truncate']) {
    const original = prototype[name]!;
    prototype[name] = async function (this: FileHandle, ...given: unknown[]) {
      reached();
      if (name === 'write') {
        if (step + 1 === wanted) writeHalf(this, given);
        reached();
        return original.apply(this, given);
      }
      const result = await original.apply(this, given);
      reached();
      return result;
    };
  }
}

function reached(): void {
  step += 1;
  if (step === wanted) process.kill(process.pid, 'SIGKILL');
}

function writeHalf(file: FileHandle, [bytes, from, length, at]: unknown[]): void {
  writeSync(file.fd, bytes as Buffer, from as number, Math.floor((length as number) / 2), at as number);
}
