import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isBuilt } from '../../scripts/bootstrap/build.mjs';
import { findNpm, isInstalled } from '../../scripts/bootstrap/install.mjs';
import { installFingerprint, isSameInstall, lockFits, npmFailure } from '../../scripts/bootstrap/install-state.mjs';
import { completeLock, missingOptionals, systemOf } from '../../scripts/bootstrap/lock-file.mjs';
import { nodeProblem } from '../../scripts/bootstrap/require-node.mjs';
import { fingerprintOf, writeStamp } from '../../scripts/bootstrap/stamp.mjs';
import { put, temporaryFolder } from './temporary.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const linux = { platform: 'linux', arch: 'x64' };

describe('an install', () => {
  const manifest = { name: 'x', dependencies: { ws: '1.0.0' }, devDependencies: { node: '24.0.0' } };
  const fingerprint = installFingerprint('lock', manifest, linux);

  it('is stale when the lock file, what package.json asks for, or the machine is another', () => {
    expect(installFingerprint('lock 2', manifest, linux)).not.toBe(fingerprint);
    expect(installFingerprint('lock', { ...manifest, dependencies: { ws: '1.0.1' } }, linux)).not.toBe(fingerprint);
    expect(installFingerprint('lock', manifest, { platform: 'linux', arch: 'arm64' })).not.toBe(fingerprint);
  });

  it('stays fresh when package.json changes in what concerns no install', () => {
    expect(installFingerprint('lock', { ...manifest, scripts: { start: 'x' } }, linux)).toBe(fingerprint);
  });

  const lock = {
    packages: {
      '': { dependencies: { ws: '1.0.0' } },
      'node_modules/ws': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/for-a-mac': { version: '1.0.0', optional: true },
    },
  };
  const installed = { packages: { 'node_modules/ws': { version: '1.0.0', integrity: 'sha512-a' } } };

  it('made by hand counts when it is what the lock file says', () => {
    expect(isSameInstall(lock, installed)).toBe(true);
  });

  it('made by hand does not count when a package lacks or is another', () => {
    expect(isSameInstall(lock, { packages: {} })).toBe(false);
    expect(isSameInstall(lock, { packages: { 'node_modules/ws': { version: '1.0.1' } } })).toBe(false);
    expect(isSameInstall({ packages: { '': {} } }, installed)).toBe(false);
  });

  it('does not count when the lock file does not hold what package.json asks for', () => {
    expect(lockFits(lock, { dependencies: { ws: '1.0.0' } })).toBe(true);
    expect(lockFits(lock, { dependencies: { ws: '1.0.0', zod: '4.0.0' } })).toBe(false);
  });

  it('is not there without its pinned Node, whatever else is', () => {
    const root = temporaryFolder({
      'package.json': JSON.stringify({ dependencies: { ws: '1.0.0' } }),
      'package-lock.json': JSON.stringify(lock),
      'node_modules/.package-lock.json': JSON.stringify(installed),
    });
    expect(isInstalled(root)).toBe(false);
    put(root, 'node_modules/node/bin/node', '');
    put(root, 'node_modules/node/bin/node.exe', '');
    expect(isInstalled(root)).toBe(true);
    put(root, 'package.json', JSON.stringify({ dependencies: { ws: '2.0.0' } }));
    expect(isInstalled(root)).toBe(false);
  });
});

describe('a fingerprint of sources', () => {
  const inputs = ['src', 'vite.config.ts'];
  const sources = { 'src/a.ts': 'a', 'src/deep/b.ts': 'b', 'vite.config.ts': 'c', 'docs/d.md': 'd' };

  it('ignores times and what is not an input', () => {
    const root = temporaryFolder(sources);
    const before = fingerprintOf(root, inputs);
    utimesSync(join(root, 'src/a.ts'), 0, 0);
    put(root, 'docs/d.md', 'other');
    expect(fingerprintOf(root, inputs)).toBe(before);
  });

  it.each([
    ['a changed file', (root: string) => put(root, 'src/deep/b.ts', 'B')],
    ['a new file', (root: string) => put(root, 'src/c.ts', '')],
    ['a file that is gone', (root: string) => rmSync(join(root, 'src/a.ts'))],
    ['an input that is gone', (root: string) => rmSync(join(root, 'vite.config.ts'))],
    [
      'a renamed file',
      (root: string) => {
        rmSync(join(root, 'src/a.ts'));
        put(root, 'src/z.ts', 'a');
      },
    ],
    [
      'text that moved from one file to the next',
      (root: string) => {
        put(root, 'src/a.ts', '');
        put(root, 'src/deep/b.ts', 'ab');
      },
    ],
  ])('notices %s', (_what, change) => {
    const root = temporaryFolder(sources);
    const before = fingerprintOf(root, inputs);
    change(root);
    expect(fingerprintOf(root, inputs)).not.toBe(before);
  });
});

it('a build is fresh with its stamp and all of its bundles, and stale without any of them', () => {
  const bundles = ['dist/renderer/index.html', 'dist/main/main.js', 'dist/preload/preload.cjs', 'dist/server/main.js'];
  const root = temporaryFolder({ 'src/a.ts': 'a', ...Object.fromEntries(bundles.map((bundle) => [bundle, ''])) });
  expect(isBuilt(root)).toBe(false);
  const inputs = [
    'src',
    'electron',
    'renderer',
    'assets',
    'vite.config.ts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ];
  writeStamp(join(root, 'dist/build.stamp'), fingerprintOf(root, inputs));
  expect(isBuilt(root)).toBe(true);
  for (const bundle of bundles) {
    rmSync(join(root, bundle));
    expect(isBuilt(root), bundle).toBe(false);
    put(root, bundle, '');
  }
  expect(isBuilt(root)).toBe(true);
  put(root, 'renderer/new.css', 'x');
  expect(isBuilt(root)).toBe(false);
});

it.each([
  ['16.20.2', /needs Node 20 or newer, and this is Node 16\.20\.2/],
  ['19.9.0', /needs Node 20/],
])('Node %s is refused in a sentence', (version, sentence) => {
  expect(nodeProblem(version)).toMatch(sentence);
});
it('Node 20 and newer do', () => {
  expect(['20.0.0', '22.3.1', '100.0.0'].map(nodeProblem)).toEqual([undefined, undefined, undefined]);
});

it.each([
  ['npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write', /no space left on the disk/],
  ['npm error code ENOTFOUND\nnpm error network request failed', /registry cannot be reached/],
  ['npm http fetch GET http://x/y attempt 1 failed with ECONNREFUSED', /registry cannot be reached/],
  [
    'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json',
    /lock.json is out of date/,
  ],
  ['npm error code EACCES\nnpm error syscall mkdir', /may not write/],
  ['npm error code EINTEGRITY', /not what package-lock\.json expects/],
  ['npm error code UNABLE_TO_VERIFY_LEAF_SIGNATURE', /certificate is not trusted/],
  ['npm error code E401', /refuses to serve/],
  ['npm error something new', /Its last words are above/],
])('npm’s failure becomes a sentence: %s', (output, sentence) => {
  expect(npmFailure(output, { root: '/x', idle: false })).toMatch(sentence);
});

describe('npm is found', () => {
  const from = (env: Record<string, string>, ...there: string[]) =>
    findNpm(env, '/opt/node/bin/node', (path: string) => there.includes(path));

  it('where the npm that runs us says it is', () => {
    expect(from({ npm_execpath: '/n/npm-cli.js' }, '/n/npm-cli.js')).toEqual({
      command: '/opt/node/bin/node',
      args: ['/n/npm-cli.js'],
    });
  });
  it('beside Node, when another package manager runs us', () => {
    const npm = '/opt/node/lib/node_modules/npm/bin/npm-cli.js';
    expect(from({ npm_execpath: '/n/yarn.js' }, '/n/yarn.js', npm)?.args).toEqual([npm]);
  });
  it('nowhere, when there is none', () => {
    expect(from({ PATH: '/usr/bin' })).toBeUndefined();
  });
});

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

  it('holds every optional package that its packages ask for, or `npm ci` refuses it (scripts/complete-lock.mjs mends it)', () => {
    expect(missingOptionals(lock).map(({ name }: { name: string }) => name)).toEqual([]);
  });

  it('carries no registry addresses', () => {
    expect(JSON.stringify(lock)).not.toMatch(/"resolved"/);
  });

  it('is completed with the system that a package’s name tells', () => {
    expect(systemOf('@x/y-linux-arm64-musl')).toEqual({ os: 'linux', cpu: 'arm64', libc: 'musl' });
    expect(systemOf('@x/y-win32-x64-msvc')).toEqual({ os: 'win32', cpu: 'x64' });
    expect(systemOf('@x/y-wasm32-wasi')).toEqual({ cpu: 'wasm32' });
    expect(systemOf('left-pad')).toBeUndefined();
    const { lock: completed, added } = completeLock({
      packages: {
        '': {},
        'node_modules/y': { version: '1.0.0', dev: true, optionalDependencies: { 'y-darwin-arm64': '1.0.0' } },
        'node_modules/z': { version: '1.0.0', optionalDependencies: { there: '1.0.0' } },
        'node_modules/z/node_modules/there': { version: '1.0.0', optional: true },
      },
    });
    expect(added).toEqual(['y-darwin-arm64']);
    expect(completed.packages['node_modules/y-darwin-arm64']).toEqual({
      version: '1.0.0',
      cpu: ['arm64'],
      dev: true,
      optional: true,
      os: ['darwin'],
    });
  });
});
