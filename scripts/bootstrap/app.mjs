import { join } from 'node:path';
import { exitCodeOf, runInForeground } from './child.mjs';
import { fetchElectron, findElectron, rememberedFailure } from './electron.mjs';
import { chooseHost, desktopObstacle, whyElectronDidNotStart } from './host-choice.mjs';
import { pinnedNode, ROOT } from './paths.mjs';
import { say, sayProblem } from './progress.mjs';
import { ensureBuilt, ensureInstalled, once } from './ready.mjs';

/** Electron that ends this soon after its start, and badly, did not start. */
const START_WINDOW_MS = 15_000;

/**
 * `npm start`, `npm run desktop` and `npm run web`: makes ready what is missing or stale, then runs the app.
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
export async function startApp(args) {
  const wish = args.includes('--desktop') ? 'desktop' : args.includes('--web') ? 'browser' : 'either';
  const askAgain = wish === 'desktop' || args.includes('--fetch-electron');
  const flags = args.filter((arg) => !['--desktop', '--web', '--fetch-electron'].includes(arg));

  const problem = (await ensureInstalled(ROOT)) ?? (await ensureBuilt(ROOT));
  if (problem !== undefined) {
    sayProblem(problem);
    return 1;
  }

  const electronIsThere = () => findElectron(ROOT) !== undefined;
  const obstacle = desktopObstacle({
    platform: process.platform,
    env: process.env,
    isRoot: process.getuid?.() === 0,
  });
  let choice = chooseHost({
    wish,
    flags,
    electronIsThere: electronIsThere(),
    askAgain,
    failure: rememberedFailure(ROOT),
    obstacle,
  });

  if (choice.kind === 'fetch') {
    let why = '';
    const blocked = await once(ROOT, {
      isDone: electronIsThere,
      make: async (onStart) => {
        const fetched = await fetchElectron(ROOT, { onStart });
        if (fetched.ok) return undefined;
        why = fetched.reason;
        return { sentence: `Electron could not be fetched because ${fetched.reason}.` };
      },
    });
    if (blocked !== undefined && wish === 'desktop') {
      sayProblem(blocked);
      say('`npm run web` runs Holdfast in the browser instead.');
      return 1;
    }
    choice =
      blocked === undefined
        ? chooseHost({ wish, flags, electronIsThere: true, askAgain: false, failure: undefined, obstacle })
        : {
            kind: 'browser',
            why:
              why === ''
                ? `Electron could not be fetched: ${blocked.sentence.replace(/\.$/, '')}`
                : `Electron could not be fetched because ${why}`,
          };
  }

  if (choice.kind === 'desktop') {
    const startedAt = Date.now();
    let stderr = '';
    const ended = await runInForeground(/** @type {string} */ (findElectron(ROOT)), ['.', ...flags], {
      cwd: ROOT,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: undefined },
      onStderr: (chunk) => {
        stderr = (stderr + chunk).slice(-10_000);
      },
    });
    const early = Date.now() - startedAt < START_WINDOW_MS;
    const failedToStart = early ? whyElectronDidNotStart(ended, stderr) : undefined;
    if (failedToStart === undefined) return exitCodeOf(ended);
    if (wish === 'desktop') {
      say(`Holdfast’s window could not open: ${failedToStart}. \`npm run web\` runs it in the browser instead.`);
      return exitCodeOf(ended) || 1;
    }
    choice = { kind: 'browser', why: failedToStart };
  }

  const why = choice.kind === 'browser' ? choice.why : undefined;
  if (why !== undefined) say(`Holdfast runs in the browser, since ${why}.`);
  const host = join(ROOT, 'dist', 'server', 'main.js');
  const ended = await runInForeground(pinnedNode(ROOT), [host, ...flags], { cwd: process.cwd() });
  if (ended.error !== undefined) say(`The browser host could not be started: ${ended.error}`);
  return exitCodeOf(ended);
}
