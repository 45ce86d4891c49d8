/**
 * Which host to run, and why if it is not the desktop.
 * @typedef {{ kind: 'desktop' } | { kind: 'fetch' } | { kind: 'browser', why: string | undefined }} HostChoice
 */

/** Flags that only the browser host knows: who gives one wants that host. */
const BROWSER_FLAGS = ['--port', '--json', '--no-open', '--help'];

/**
 * @param {object} given
 * @param {'either' | 'desktop' | 'browser'} given.wish
 * @param {readonly string[]} given.flags
 * @param {boolean} given.electronIsThere
 * @param {boolean} given.askAgain Fetch even if that failed before.
 * @param {{ at: string, reason: string } | undefined} given.failure
 * @param {string | undefined} given.obstacle Why Electron could not run here even if it were there.
 * @returns {HostChoice}
 */
export function chooseHost({ wish, flags, electronIsThere, askAgain, failure, obstacle }) {
  if (wish === 'browser') return { kind: 'browser', why: undefined };
  if (wish === 'desktop') return electronIsThere ? { kind: 'desktop' } : { kind: 'fetch' };
  const flag = BROWSER_FLAGS.find((name) => flags.some((given) => given === name || given.startsWith(`${name}=`)));
  if (askAgain && !electronIsThere) return { kind: 'fetch' };
  if (flag !== undefined) return { kind: 'browser', why: `${flag} asks for the browser host` };
  if (obstacle !== undefined) return { kind: 'browser', why: obstacle };
  if (electronIsThere) return { kind: 'desktop' };
  if (failure !== undefined) {
    const day = failure.at.slice(0, 10);
    return {
      kind: 'browser',
      why: `Electron could not be fetched on ${day} because ${failure.reason} (\`npm run desktop\` tries again)`,
    };
  }
  return { kind: 'fetch' };
}

/**
 * What keeps Electron from running on this machine, as far as can be known without trying.
 * @param {{ platform: string, env: NodeJS.ProcessEnv, isRoot: boolean }} machine
 * @returns {string | undefined}
 */
export function desktopObstacle({ platform, env, isRoot }) {
  if (platform !== 'linux') return undefined;
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'there is no display for a desktop window';
  if (isRoot) return 'Electron does not run as root';
  return undefined;
}

const CRASH_SIGNALS = ['SIGTRAP', 'SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS'];
const COMMAND_NOT_RUN = [126, 127];

/**
 * Whether Electron itself failed to start, as against the app in it ending. Undefined if not, otherwise why.
 * @param {{ code: number | null, signal: string | null, error?: string | undefined }} ended
 * @param {string} stderr
 * @returns {string | undefined}
 */
export function whyElectronDidNotStart(ended, stderr) {
  if (ended.error !== undefined) return `Electron could not be started (${ended.error})`;
  const library = /error while loading shared libraries: ([^\s:]+)/.exec(stderr)?.[1];
  if (library !== undefined) return `Electron lacks the system library ${library}`;
  const crashed =
    (ended.signal !== null && CRASH_SIGNALS.includes(ended.signal)) ||
    (ended.code !== null && (COMMAND_NOT_RUN.includes(ended.code) || ended.code >= 128 + 4 || ended.code < 0));
  const refused = /SUID sandbox|No usable sandbox|Missing X server|cannot open display|platform failed to initialize/i;
  if (ended.code === 0 || ended.signal === 'SIGTERM' || ended.signal === 'SIGINT') return undefined;
  if (/SUID sandbox|No usable sandbox/i.test(stderr)) return 'this system does not let Electron set up its sandbox';
  if (refused.test(stderr)) return 'Electron could not open a window on the display';
  return crashed ? `Electron ended while it started (${ended.signal ?? `exit code ${ended.code}`})` : undefined;
}
