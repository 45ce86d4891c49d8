import { createHash } from 'node:crypto';

/**
 * What package.json says about dependencies; the rest of it does not concern an install.
 * @typedef {{ dependencies?: Record<string, string>, devDependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, [other: string]: unknown }} Manifest
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, link?: boolean, inBundle?: boolean }} LockEntry
 * @typedef {{ packages?: Record<string, LockEntry & Manifest> }} Lock
 */

const WANTED = /** @type {const} */ (['dependencies', 'devDependencies', 'optionalDependencies']);

/**
 * The fingerprint of an install. The running Node is not part of it: what is installed does not depend on it.
 * @param {string} lockText
 * @param {Manifest} manifest
 * @param {{ platform: string, arch: string }} machine
 */
export function installFingerprint(lockText, manifest, machine) {
  return createHash('sha256')
    .update(`${machine.platform}-${machine.arch}\0${wantedBy(manifest)}\0${lockText}`)
    .digest('hex');
}

/**
 * Whether the lock file holds what package.json asks for.
 * @param {Lock} lock
 * @param {Manifest} manifest
 */
export function lockFits(lock, manifest) {
  return wantedBy(lock.packages?.[''] ?? {}) === wantedBy(manifest);
}

/** @param {Manifest} manifest */
function wantedBy(manifest) {
  return JSON.stringify(WANTED.map((kind) => Object.entries(manifest[kind] ?? {}).sort()));
}

/**
 * Whether an install that somebody made by hand is what `npm ci` would make. npm writes the list of what it installed at
 * the very end; optional packages for other machines are not in it.
 * @param {Lock} lock package-lock.json
 * @param {Lock} installed node_modules/.package-lock.json
 */
export function isSameInstall(lock, installed) {
  const wanted = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  const have = installed.packages ?? {};
  if (wanted.length === 0) return false;
  return wanted.every(([path, entry]) => {
    const found = have[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * Says what made npm fail, and what to do, from what it printed.
 * @param {string} output
 * @param {{ root: string, idle: boolean }} where
 */
export function npmFailure(output, where) {
  const npmCode = /npm (?:error|ERR!) code (\w+)/.exec(output)?.[1];
  const says = (/** @type {RegExp} */ pattern) => pattern.test(output);
  if (where.idle)
    return 'npm was silent for too long, so the install was stopped. Check the network and run this again.';
  if (says(/ENOSPC|no space left on device/i)) {
    return `There is no space left on the disk. Holdfast’s packages need about 1 GB in ${where.root} and in npm’s cache.`;
  }
  if (says(/EDQUOT/)) return 'Your disk quota is used up. Holdfast’s packages need about 1 GB.';
  if (says(/can only install packages when your package\.json and package-lock\.json|in sync/)) {
    return 'package-lock.json is out of date: it does not hold what package.json asks for. Run `npm install` and commit the lock file.';
  }
  if (npmCode === 'EINTEGRITY' || says(/EINTEGRITY/)) {
    return 'A downloaded package is not what package-lock.json expects. Run `npm cache verify`, then this again.';
  }
  if (says(/SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED/)) {
    return 'The npm registry’s certificate is not trusted here. Behind a company proxy, name its certificate in NODE_EXTRA_CA_CERTS.';
  }
  if (
    says(
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT/,
    )
  ) {
    return 'The npm registry cannot be reached. Check the network, or the proxy in npm’s settings, and run this again.';
  }
  if (npmCode === 'E401' || npmCode === 'E403' || npmCode === 'E407') {
    return 'The npm registry, or a proxy before it, refuses to serve. Check npm’s settings (`npm config list`).';
  }
  if (npmCode === 'E404' || npmCode === 'ETARGET') {
    return 'The npm registry in use lacks a package of package-lock.json. Check npm’s settings (`npm config list`).';
  }
  if (says(/EACCES|EPERM|EROFS/)) {
    return `npm may not write where it has to: in ${where.root} or in its cache. Check who owns these folders.`;
  }
  return 'npm could not install Holdfast’s packages. Its last words are above.';
}
