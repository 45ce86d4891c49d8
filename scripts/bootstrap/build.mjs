import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './child.mjs';
import { pinnedNode, tools } from './paths.mjs';
import { beginStep } from './progress.mjs';
import { fingerprintOf, readStamp, writeStamp } from './stamp.mjs';

/** All that the bundles are made from. Dependencies count by way of the lock file. */
const INPUTS = [
  'src',
  'electron',
  'renderer',
  'assets',
  'vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const OUTPUTS = ['renderer/index.html', 'main/main.js', 'preload/preload.cjs', 'server/main.js'];
const BUILD_SILENCE_MS = 5 * 60_000;

const stampPath = (/** @type {string} */ root) => join(root, 'dist', 'build.stamp');
const wantedBuild = (/** @type {string} */ root) => fingerprintOf(root, INPUTS);

/** @param {string} root */
export function isBuilt(root) {
  return (
    readStamp(stampPath(root)) === wantedBuild(root) &&
    OUTPUTS.every((output) => existsSync(join(root, 'dist', output)))
  );
}

/**
 * Builds the four bundles into dist/.
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @returns {Promise<import('./progress.mjs').Problem | undefined>}
 */
export async function build(root, onStart) {
  // Taken before the build: what changes while it runs makes it stale.
  const fingerprint = wantedBuild(root);
  rmSync(stampPath(root), { force: true });
  const step = beginStep('Building');
  const ended = await runQuietly(pinnedNode(root), [tools(root).vite, 'build', '--app', '--logLevel', 'warn'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: undefined },
    onStart,
    idleMs: () => BUILD_SILENCE_MS,
  });
  const missing = OUTPUTS.filter((output) => !existsSync(join(root, 'dist', output)));
  if (ended.code !== 0 || missing.length > 0) {
    step.failed();
    const full = /ENOSPC|no space left/i.test(ended.tail);
    return {
      sentence: full
        ? `There is no space left on the disk for the build in ${join(root, 'dist')}.`
        : 'The build failed. What Vite says of it is above.',
      detail: ended.error ?? (ended.tail || `Missing after the build: ${missing.join(', ')}`),
    };
  }
  writeStamp(stampPath(root), fingerprint);
  step.done();
  return undefined;
}
