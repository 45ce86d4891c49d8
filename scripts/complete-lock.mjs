// node scripts/complete-lock.mjs: adds to package-lock.json the optional packages for other systems that npm left out.
// npm leaves out what the registry in use does not carry, and `npm ci` then refuses the lock file everywhere.
// Their checksums are not known where they are missing, so they are entered without.
import './bootstrap/require-node.mjs';

const { readFileSync } = await import('node:fs');
const { join } = await import('node:path');
const { completeLock } = await import('./bootstrap/lock-file.mjs');
const { ROOT } = await import('./bootstrap/paths.mjs');
const { writeWhole } = await import('./bootstrap/stamp.mjs');

const path = join(ROOT, 'package-lock.json');
const { lock, added } = completeLock(JSON.parse(readFileSync(path, 'utf8')));
if (added.length > 0) writeWhole(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'package-lock.json is complete.' : `Added: ${added.join(', ')}`);
