import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How many of a quiet child’s last lines are kept for the case that it fails. */
const TAIL_LINES = 400;
const KILL_GRACE_MS = 3_000;
const isWindows = process.platform === 'win32';

/**
 * Makes a signal end this process through its `exit` handlers, which Node by itself does not. Returns its undo.
 * @returns {() => void}
 */
export function exitOnSignals() {
  const undos = /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]).map(([signal, code]) => {
    const exit = () => process.exit(code);
    process.on(signal, exit);
    return () => process.off(signal, exit);
  });
  return () => undos.forEach((undo) => undo());
}

/**
 * A SIGTERM to npm ends the shell between npm and us and never reaches us; a SIGKILL leaves even that shell. Without this,
 * `kill` would leave the app running for good. Only under npm: started by hand, a process may well outlive its shell.
 */
const ORPHAN_CHECK_MS = 500;
if (process.env.npm_lifecycle_event !== undefined && !isWindows) {
  const starter = starterOf(process.ppid);
  const timer = setInterval(() => {
    if (starterOf(process.ppid) === starter) return;
    clearInterval(timer);
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(143);
  }, ORPHAN_CHECK_MS);
  timer.unref();
}

/**
 * The npm that runs us: our parent, or the parent of the shell that is it. Where /proc is not there, the parent.
 * @param {number} parent
 */
function starterOf(parent) {
  try {
    const [, name = '', grandparent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${parent}/stat`, 'utf8')) ?? [];
    return /^(sh|dash|ash|bash|zsh|busybox)$/.test(name) ? Number(grandparent) : parent;
  } catch {
    return parent;
  }
}

/**
 * Children in groups of their own, which a Ctrl-C in the terminal does not reach.
 * @type {Set<import('node:child_process').ChildProcess>}
 */
const grouped = new Set();
process.on('exit', () => {
  for (const child of grouped) killTree(child, 'SIGKILL');
});

/**
 * Ends a child and what it started.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function killTree(child, signal) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (isWindows) spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' });
    else process.kill(-child.pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}

/**
 * @typedef {object} Ended
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal
 * @property {boolean} idle Killed because it was silent for too long.
 * @property {boolean} givenUp Killed because `giveUp` said so.
 * @property {string} tail Its last lines.
 * @property {string | undefined} error Why it could not be started.
 */

/**
 * Runs a command without showing its output, which is kept for `tail`.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(line: string) => void} [options.onLine]
 * @param {(message: unknown) => void} [options.onMessage] Opens an IPC channel.
 * @param {(pid: number) => void} [options.onStart]
 * @param {() => number | undefined} [options.idleMs] The longest silence allowed at present. A line or a message breaks it.
 * @param {() => boolean} [options.giveUp] Asked again and again: whether to end it.
 * @param {(line: string) => boolean} [options.isNoise] Lines that are of no use in `tail`.
 * @returns {Promise<Ended>}
 */
export function runQuietly(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.onMessage ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      detached: !isWindows,
      windowsHide: true,
    });
    grouped.add(child);
    const ignoreSignals = exitOnSignals();
    if (child.pid !== undefined) options.onStart?.(child.pid);
    /** @type {string[]} */
    const lines = [];
    let heardAt = Date.now();
    let idle = false;
    let givenUp = false;
    /** @type {string | undefined} */
    let error;
    const heard = (/** @type {string} */ line) => {
      heardAt = Date.now();
      if (options.isNoise?.(line) !== true) lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      options.onLine?.(line);
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', heard);
    }
    child.on('message', (message) => {
      heardAt = Date.now();
      options.onMessage?.(message);
    });
    const timer = setInterval(() => {
      if (idle || givenUp) return;
      const limit = options.idleMs?.();
      idle = limit !== undefined && Date.now() - heardAt >= limit;
      givenUp = !idle && options.giveUp?.() === true;
      if (!idle && !givenUp) return;
      killTree(child, 'SIGTERM');
      setTimeout(() => killTree(child, 'SIGKILL'), KILL_GRACE_MS).unref();
    }, 100);
    const end = (/** @type {number | null} */ code, /** @type {NodeJS.Signals | null} */ signal) => {
      clearInterval(timer);
      grouped.delete(child);
      ignoreSignals();
      resolve({ code, signal, idle, givenUp, tail: lines.join('\n'), error });
    };
    child.on('error', (cause) => {
      error = cause.message;
      if (child.pid === undefined) end(null, null);
    });
    child.on('close', end);
  });
}

let interrupted = false;

/** Whether a signal came while a program ran in the foreground: what was to follow it is not wanted any more. */
export const wasInterrupted = () => interrupted;

/**
 * Runs a program in the foreground: it has the terminal, and signals are passed on to it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(chunk: string) => void} [options.onStderr] Also hands over what it writes to stderr.
 * @param {number} [options.limitMs] It is ended after this long.
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, error: string | undefined }>}
 */
export function runInForeground(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['inherit', 'inherit', options.onStderr ? 'pipe' : 'inherit'],
    });
    child.stderr?.on('data', (/** @type {Buffer} */ chunk) => {
      process.stderr.write(chunk);
      options.onStderr?.(chunk.toString());
    });
    // A Ctrl-C reaches the child by itself: the terminal sends it to all. We only must not end before it.
    const passOn = (/** @type {NodeJS.Signals} */ signal) => {
      interrupted = true;
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    /** @type {string | undefined} */
    let overdue;
    const timer =
      options.limitMs === undefined
        ? undefined
        : setTimeout(() => {
            overdue = `ended after ${Math.round((options.limitMs ?? 0) / 60_000)} minutes without coming to an end`;
            child.kill();
            setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS).unref();
          }, options.limitMs);
    const end = (
      /** @type {number | null} */ code,
      /** @type {NodeJS.Signals | null} */ signal,
      /** @type {string | undefined} */ error,
    ) => {
      clearTimeout(timer);
      for (const name of signals) process.off(name, passOn);
      resolve({ code, signal, error });
    };
    child.on('error', (cause) => end(null, null, cause.message));
    child.on('close', (code, signal) => end(code, signal, overdue));
  });
}

/**
 * The exit code that tells how a child ended, as a shell does it.
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} ended
 */
export function exitCodeOf(ended) {
  if (ended.code !== null) return ended.code;
  return ended.signal === 'SIGINT' ? 130 : ended.signal === 'SIGTERM' ? 143 : 1;
}
