import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { exitOnSignals } from './child.mjs';

const BEAT_EVERY_MS = 2_000;
/** A holder whose event loop was busy may beat late; one that is gone never beats again. */
const SILENT_AFTER_MS = 60_000;
/** Even a child that outlived its bootstrap does not install for longer than this. */
const CHILD_LIMIT_MS = 30 * 60_000;
/** Two that take over the same stale lock both see the later one's content after this long. */
const SETTLE_MS = 250;
const POLL_MS = 300;

/**
 * `child`: what the holder started. It can outlive a holder that was killed, and goes on writing.
 * @typedef {{ pid: number, host: string, nonce: string, child?: number }} Holder
 */

/**
 * Whether a lock is left over from a process that is gone.
 * @param {Holder | undefined} holder undefined: the file is not readable as a lock.
 * @param {number} beatAgeMs
 * @param {{ host: string, isAlive: (pid: number) => boolean }} here
 */
export function isStale(holder, beatAgeMs, here) {
  if (holder === undefined || holder.host !== here.host) return beatAgeMs > SILENT_AFTER_MS;
  if (holder.child !== undefined && here.isAlive(holder.child) && beatAgeMs < CHILD_LIMIT_MS) return false;
  return !here.isAlive(holder.pid) || beatAgeMs > SILENT_AFTER_MS;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} path */
function readHolder(path) {
  try {
    const ageMs = Date.now() - statSync(path).mtimeMs;
    const text = readFileSync(path, 'utf8');
    try {
      return { holder: /** @type {Holder} */ (JSON.parse(text)), ageMs };
    } catch {
      return { holder: undefined, ageMs };
    }
  } catch {
    return undefined;
  }
}

/**
 * Waits until this process alone holds the lock. Throws what the file system says where the file cannot be written.
 * @param {string} path
 * @param {(holder: Holder | undefined) => void} onWait Called once, if another one holds it.
 */
export async function takeLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  /** @type {Holder} */
  let mine = { pid: process.pid, host: hostname(), nonce: randomUUID() };
  let waited = false;
  for (;;) {
    if (await tryTake(path, mine)) break;
    if (!waited) onWait(readHolder(path)?.holder);
    waited = true;
    await pause(POLL_MS);
  }
  const isMine = () => readHolder(path)?.holder?.nonce === mine.nonce;
  const beat = setInterval(() => {
    try {
      if (isMine()) utimesSync(path, new Date(), new Date());
    } catch {
      // The next beat may succeed; silence for a minute only costs the lock.
    }
  }, BEAT_EVERY_MS);
  beat.unref();
  const release = () => {
    clearInterval(beat);
    process.off('exit', release);
    ignoreSignals();
    if (isMine()) rmSync(path, { force: true });
  };
  const ignoreSignals = exitOnSignals();
  process.on('exit', release);
  return {
    /** Names the process that does the work, so that nobody takes over while it runs. @param {number} pid */
    noteChild(pid) {
      mine = { ...mine, child: pid };
      if (isMine()) replace(path, mine);
    },
    release,
  };
}

/**
 * @param {string} path
 * @param {Holder} mine
 */
async function tryTake(path, mine) {
  try {
    writeFileSync(path, JSON.stringify(mine), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  const found = readHolder(path);
  if (found === undefined || !isStale(found.holder, found.ageMs, { host: mine.host, isAlive })) return false;
  replace(path, mine);
  await pause(SETTLE_MS);
  return readHolder(path)?.holder?.nonce === mine.nonce;
}

/**
 * @param {string} path
 * @param {Holder} holder
 */
function replace(path, holder) {
  const fresh = `${path}.${holder.nonce}`;
  writeFileSync(fresh, JSON.stringify(holder));
  renameSync(fresh, path);
}
