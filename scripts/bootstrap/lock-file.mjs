/**
 * @typedef {{ version?: string, dev?: boolean, license?: string, optionalDependencies?: Record<string, string>, [other: string]: unknown }} Entry
 * @typedef {{ packages: Record<string, Entry>, [other: string]: unknown }} LockFile
 */

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const LIBC = new Map([
  ['gnu', 'glibc'],
  ['musl', 'musl'],
]);

/**
 * The optional packages that a lock file's packages ask for and that it does not hold.
 * @param {LockFile} lock
 */
export function missingOptionals(lock) {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => placesOf(path, name).every((place) => lock.packages[place] === undefined))
      .map(([name, version]) => ({ name, version, wantedBy: entry })),
  );
}

/**
 * Where Node would look for a package from inside another.
 * @param {string} path
 * @param {string} name
 */
function placesOf(path, name) {
  const places = [`node_modules/${name}`];
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    places.push(`${at}/node_modules/${name}`);
  }
  return places;
}

/**
 * @param {LockFile} lock
 * @returns {{ lock: LockFile, added: string[] }}
 */
export function completeLock(lock) {
  /** @type {Record<string, Entry>} */
  const packages = { ...lock.packages };
  /** @type {string[]} */
  const added = [];
  for (const { name, version, wantedBy } of missingOptionals(lock)) {
    const system = systemOf(name);
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) || system === undefined) continue;
    packages[`node_modules/${name}`] = {
      version,
      ...(system.cpu && { cpu: [system.cpu] }),
      ...(wantedBy.dev && { dev: true }),
      ...(system.libc && { libc: [system.libc] }),
      ...(wantedBy.license && { license: wantedBy.license }),
      optional: true,
      ...(system.os && { os: [system.os] }),
    };
    added.push(name);
  }
  // npm's own order, so that its next write changes nothing.
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { lock: { ...lock, packages: Object.fromEntries(sorted) }, added };
}

/**
 * For which system a package of native code is, as its name tells: `…-linux-arm64-musl`, `…-wasm32-wasi`.
 * @param {string} name
 * @returns {{ os?: string, cpu?: string, libc?: string | undefined } | undefined}
 */
export function systemOf(name) {
  const words = name.split(/[-/]/);
  if (words.includes('wasm32')) return { cpu: 'wasm32' };
  const at = words.findIndex((word) => SYSTEMS.includes(word));
  const [os, cpu, abi] = words.slice(at);
  if (at === -1 || os === undefined || cpu === undefined) return undefined;
  const libc = os === 'linux' ? LIBC.get(abi ?? '') : undefined;
  return { os, cpu, libc };
}
