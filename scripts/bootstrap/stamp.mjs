import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A stamp is a file that holds the fingerprint of what something was made from. It is taken away before the making
 * begins and written when it has ended well, so an interrupted one never looks fresh.
 * @param {string} path
 * @returns {string | undefined}
 */
export function readStamp(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {string} fingerprint
 */
export function writeStamp(path, fingerprint) {
  writeWhole(path, `${fingerprint}\n`);
}

/**
 * Writes a file so that a reader sees the old one or the new one.
 * @param {string} path
 * @param {string} text
 */
export function writeWhole(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

/**
 * A fingerprint of files and folders by content, so that a checkout that only touches times builds nothing again.
 * What is missing counts as missing.
 * @param {string} root
 * @param {readonly string[]} inputs Relative to `root`.
 * @param {string} [salt]
 */
export function fingerprintOf(root, inputs, salt = '') {
  const hash = createHash('sha256').update(salt);
  for (const input of inputs) addEntry(hash, root, input);
  return hash.digest('hex');
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} root
 * @param {string} name
 */
function addEntry(hash, root, name) {
  const path = join(root, name);
  const names = listFolder(path);
  if (names !== undefined) {
    hash.update(`\0folder ${name}`);
    for (const inner of names) addEntry(hash, root, `${name}/${inner}`);
    return;
  }
  const content = readIfThere(path);
  hash.update(content === undefined ? `\0missing ${name}` : `\0file ${name} ${content.length}\0`);
  if (content !== undefined) hash.update(content);
}

/** @param {string} path */
function listFolder(path) {
  try {
    return readdirSync(path).sort();
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
