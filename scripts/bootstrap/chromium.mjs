import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runQuietly } from './child.mjs';
import { pinnedNode, tools } from './paths.mjs';
import { beginStep, say } from './progress.mjs';

/** Playwright's download says where it is every few percent. */
const DOWNLOAD_IDLE_MS = 30_000;
/** apt says nothing while it unpacks a large package. */
const APT_IDLE_MS = 180_000;

const COMMANDS = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge-stable',
  'msedge',
];

/**
 * Where a Chromium may be, best first.
 * @param {object} machine
 * @param {string} machine.platform
 * @param {NodeJS.ProcessEnv} machine.env
 * @param {string | undefined} machine.playwrights Where Playwright's own would be.
 * @returns {string[]}
 */
export function chromiumPlaces({ platform, env, playwrights }) {
  const places = playwrights === undefined ? [] : [playwrights];
  const suffix = platform === 'win32' ? '.exe' : '';
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const command of COMMANDS) places.push(...folders.map((folder) => join(folder, command + suffix)));
  if (platform === 'darwin') {
    for (const base of ['/Applications', `${env.HOME ?? ''}/Applications`]) {
      for (const app of ['Google Chrome', 'Chromium', 'Microsoft Edge']) {
        places.push(`${base}/${app}.app/Contents/MacOS/${app}`);
      }
    }
  }
  if (platform === 'win32') {
    for (const base of [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA]) {
      if (base === undefined) continue;
      places.push(join(base, 'Google', 'Chrome', 'Application', 'chrome.exe'));
      places.push(join(base, 'Chromium', 'Application', 'chrome.exe'));
      places.push(join(base, 'Microsoft', 'Edge', 'Application', 'msedge.exe'));
    }
  }
  return places;
}

/**
 * A Chromium for the end-to-end tests: one that is there, or else one that can be fetched.
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @returns {Promise<{ path: string } | { problem: import('./progress.mjs').Problem }>}
 */
export async function ensureChromium(root, onStart) {
  const named = process.env.HOLDFAST_CHROMIUM;
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return { path: named };
    return { problem: { sentence: `HOLDFAST_CHROMIUM names ${named}, and there is no such file.` } };
  }
  const found = await findChromium(root);
  if (found !== undefined) return { path: found };

  /** @type {string[]} */
  const failures = [];
  const ended = await runStep('Fetching a Chromium with Playwright', pinnedNode(root), {
    args: [tools(root).playwright, 'install', '--no-shell', 'chromium'],
    idleMs: DOWNLOAD_IDLE_MS,
    cwd: root,
    onStart,
  });
  const fetched = await findChromium(root);
  if (fetched !== undefined) return { path: fetched };
  failures.push(`Playwright: ${ended}`);

  const isRoot = process.getuid?.() === 0;
  if (isRoot && isOnPath('apt-get')) {
    const apt = (/** @type {string[]} */ args, /** @type {string} */ title) =>
      runStep(title, 'apt-get', { args, idleMs: APT_IDLE_MS, cwd: root, onStart });
    await apt(['update'], 'Reading Debian’s list of packages');
    const installed = await apt(
      ['install', '-y', '--no-install-recommends', 'chromium'],
      'Installing Debian’s Chromium',
    );
    const debians = await findChromium(root);
    if (debians !== undefined) return { path: debians };
    failures.push(`apt-get: ${installed}`);
  }
  return {
    problem: {
      sentence:
        'There is no Chromium for the end-to-end tests, and none could be fetched. ' +
        'Install Chrome or Chromium, or name one in HOLDFAST_CHROMIUM.',
      detail: failures.join('\n'),
    },
  };
}

/** @param {string} root */
async function findChromium(root) {
  const asked = await runQuietly(
    pinnedNode(root),
    ['-e', "console.log(require('playwright').chromium.executablePath())"],
    { cwd: root },
  );
  const playwrights = asked.code === 0 ? asked.tail.trim() : undefined;
  const places = chromiumPlaces({ platform: process.platform, env: process.env, playwrights });
  for (const place of places.filter(isExecutable)) {
    // Ubuntu's package `chromium` is only a stub that asks for a snap.
    const answered = process.platform === 'linux' ? await runQuietly(place, ['--version'], { cwd: root }) : { code: 0 };
    if (answered.code === 0) return place;
    say(`${place} is there but does not start.`);
  }
  return undefined;
}

/**
 * @param {string} title
 * @param {string} command
 * @param {{ args: string[], idleMs: number, cwd: string, onStart: (pid: number) => void }} how
 * @returns {Promise<string>} What it came to, for the report of a failure.
 */
async function runStep(title, command, { args, idleMs, cwd, onStart }) {
  const step = beginStep(title);
  const ended = await runQuietly(command, args, {
    cwd,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    onStart,
    onLine: (line) => step.update(line.trim().slice(0, 100)),
    idleMs: () => idleMs,
  });
  if (ended.code === 0) {
    step.done();
    return 'it says that it worked, but no Chromium is to be found';
  }
  step.failed();
  if (ended.idle) return `nothing came for ${idleMs / 1000} s`;
  return ended.error ?? ended.tail.split('\n').slice(-5).join('\n');
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} command */
function isOnPath(command) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && isExecutable(join(folder, command)));
}
