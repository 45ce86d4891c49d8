/** Without a terminal a line a while is enough: it ends up in a log. */
const LOG_LINE_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 100;

/** Everything that the bootstrap says goes to stderr: stdout belongs to the program that it starts. */
export function say(/** @type {string} */ line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Shows that a long step is under way, with the seconds that it took so far.
 * @param {string} title
 */
export function beginStep(title) {
  const out = process.stderr;
  const startedAt = Date.now();
  let detail = '';
  let drawnAt = 0;
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const line = () => `${title}${detail === '' ? '' : `: ${detail}`}`;
  const draw = () => {
    drawnAt = Date.now();
    const text = `${line()} (${seconds()} s)`;
    if (out.isTTY) out.write(`\r\x1b[2K${text.slice(0, Math.max(20, (out.columns ?? 80) - 1))}`);
    else out.write(`${text}\n`);
  };
  if (out.isTTY) draw();
  else say(`${title} …`);
  drawnAt = Date.now();
  const every = out.isTTY ? 1_000 : LOG_LINE_EVERY_MS;
  const timer = setInterval(() => {
    if (Date.now() - drawnAt >= every) draw();
  }, 500);
  timer.unref();
  const end = (/** @type {string} */ word) => {
    clearInterval(timer);
    if (out.isTTY) out.write('\r\x1b[2K');
    say(`${title}: ${word} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  };
  return {
    /** @param {string} text */
    update(text) {
      detail = text;
      if (out.isTTY && Date.now() - drawnAt >= REDRAW_EVERY_MS) draw();
    },
    done: () => end('done'),
    failed: () => end('failed'),
  };
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * A reason to stop, in a sentence that says what to do, and the raw words behind it.
 * @typedef {{ readonly sentence: string, readonly detail?: string }} Problem
 */

/** @param {Problem} problem */
export function sayProblem(problem) {
  if (problem.detail !== undefined && problem.detail.trim() !== '') say(`\n${problem.detail.trimEnd()}\n`);
  say(problem.sentence);
}
