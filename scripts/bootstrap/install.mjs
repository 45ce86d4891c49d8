import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runQuietly } from './child.mjs';
import { installFingerprint, isSameInstall, lockFits, npmFailure } from './install-state.mjs';
import { installCache, pinnedNode } from './paths.mjs';
import { beginStep } from './progress.mjs';
import { readStamp, writeStamp, writeWhole } from './stamp.mjs';

/** npm itself gives up on a request after this long without a byte. */
const NPM_FETCH_TIMEOUT_MS = 60_000;
/** Unpacking a large package on a slow disk prints nothing; a network that hangs is npm's own timeout's business. */
const NPM_SILENCE_MS = 5 * 60_000;
/** npm tries each of hundreds of packages for itself. When all have failed for this long, there is no network. */
const OFFLINE_AFTER_MS = 20_000;
/** What a new install must not forget. */
const KEPT = ['electron-fetch.json'];

const stampPath = (/** @type {string} */ root) => join(installCache(root), 'install.stamp');

/** @param {string} root */
function wantedInstall(root) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { lockText, manifest, fingerprint: installFingerprint(lockText, manifest, process) };
}

/**
 * Whether node_modules is what package-lock.json asks for. An install made by hand with npm counts.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = wantedInstall(root);
  if (!existsSync(pinnedNode(root))) return false;
  const stamp = readStamp(stampPath(root));
  if (stamp !== undefined) return stamp === wanted.fingerprint;
  const byHand = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(byHand)) return false;
  try {
    const lock = JSON.parse(wanted.lockText);
    if (!lockFits(lock, wanted.manifest) || !isSameInstall(lock, JSON.parse(readFileSync(byHand, 'utf8'))))
      return false;
  } catch {
    return false;
  }
  try {
    writeStamp(stampPath(root), wanted.fingerprint);
  } catch {
    // Only costs the comparison again next time.
  }
  return true;
}

/**
 * Installs exactly what package-lock.json says.
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @returns {Promise<import('./progress.mjs').Problem | undefined>}
 */
export async function install(root, onStart) {
  const wanted = wantedInstall(root);
  const npm = findNpm(process.env, process.execPath, existsSync);
  if (npm === undefined) {
    return {
      sentence: 'npm is missing. It comes with Node: get both from nodejs.org, or install your system’s npm package.',
    };
  }
  const kept = KEPT.map((name) => ({ name, text: readIfThere(join(installCache(root), name)) }));
  rmSync(stampPath(root), { force: true });

  const step = beginStep('Installing packages (npm ci)');
  let fetched = 0;
  let wentWellAt = Date.now();
  let failedAttempts = 0;
  const ended = await runQuietly(
    npm.command,
    [...npm.args, 'ci', '--loglevel=http', '--no-progress', '--color=false'],
    {
      cwd: root,
      env: npmEnvironment(process.env),
      onStart,
      onLine: (line) => {
        if (/^npm http fetch .* attempt \d+ failed with/.test(line)) failedAttempts += 1;
        else if (/^npm http (fetch|cache) /.test(line)) {
          wentWellAt = Date.now();
          failedAttempts = 0;
          fetched += 1;
          step.update(`${fetched} files fetched`);
        }
      },
      isNoise: (line) => /^npm http (fetch|cache) (?!.*failed)|EBADENGINE|^npm warn (deprecated|Unknown)/.test(line),
      idleMs: () => NPM_SILENCE_MS,
      giveUp: () => failedAttempts > 0 && Date.now() - wentWellAt > OFFLINE_AFTER_MS,
    },
  );
  for (const { name, text } of kept) if (text !== undefined) writeWhole(join(installCache(root), name), text);
  const failed = ended.code !== 0 || ended.error !== undefined;
  if (failed) {
    step.failed();
    const output = `${ended.error ?? ''}\n${ended.tail}`;
    return { sentence: npmFailure(output, { root, idle: ended.idle }), detail: npmsWords(output) };
  }
  const problem = await checkPinnedNode(root, wanted.manifest);
  if (problem !== undefined) {
    step.failed();
    return problem;
  }
  writeStamp(stampPath(root), wanted.fingerprint);
  step.done();
  return undefined;
}

/**
 * The package `node` brings its binary by an install script, which npm may have been told not to run.
 * @param {string} root
 * @param {{ devDependencies?: Record<string, string> }} manifest
 */
async function checkPinnedNode(root, manifest) {
  const wanted = manifest.devDependencies?.node;
  const ended = await runQuietly(pinnedNode(root), ['--version'], { cwd: root });
  if (ended.code === 0 && ended.tail.trim() === `v${wanted}`) return undefined;
  return {
    sentence:
      `The packages are there, but Node ${wanted}, which the package “node” fetches in its install script, is not. ` +
      'If npm is set to run no install scripts, run `npm rebuild node --ignore-scripts=false`, then this again.',
    detail: ended.error ?? ended.tail,
  };
}

/**
 * How to run npm: by its script and this Node, which works the same everywhere.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} execPath
 * @param {(path: string) => boolean} exists
 * @returns {{ command: string, args: string[] } | undefined}
 */
export function findNpm(env, execPath, exists) {
  const besideNode = dirname(execPath);
  const scripts = [
    env.npm_execpath?.endsWith('npm-cli.js') ? env.npm_execpath : undefined,
    join(besideNode, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(besideNode, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const script = scripts.find((path) => path !== undefined && exists(path));
  if (script !== undefined) return { command: execPath, args: [script] };
  if (process.platform === 'win32') return undefined;
  const onPath = (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && exists(join(folder, 'npm')));
  return onPath ? { command: 'npm', args: [] } : undefined;
}

/**
 * A dead network should end in a sentence within seconds, not after npm’s three patient retries. The environment wins.
 * @param {NodeJS.ProcessEnv} env
 */
function npmEnvironment(env) {
  return {
    npm_config_fetch_retries: '3',
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '5000',
    npm_config_fetch_timeout: String(NPM_FETCH_TIMEOUT_MS),
    ...env,
    // Electron's binary is fetched when it is first wanted, with progress and a limit.
    ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
    // A production install would lack what builds the app.
    NODE_ENV: undefined,
    npm_config_production: undefined,
    npm_config_omit: undefined,
  };
}

/**
 * npm says the cause first, then its usage or a long trace.
 * @param {string} output
 */
function npmsWords(output) {
  const lines = output.split('\n').filter((line) => line.replace('npm error', '').trim() !== '');
  const errors = lines.filter((line) => line.startsWith('npm error'));
  const log = errors.filter((line) => line.includes('A complete log of this run'));
  const cause = errors.length > 0 ? errors.filter((line) => !log.includes(line)) : lines;
  return [...cause.slice(0, 10), ...log].join('\n');
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
