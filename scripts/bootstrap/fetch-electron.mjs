// Run as a process of its own, with the pinned Node, so that a download that hangs can be ended.
// Arguments: the folder of the package `electron`, a folder for temporary files. Reports over IPC.
// It does what electron's own install.js does, and says how far it is.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { executableName } from './electron.mjs';

/**
 * @typedef {{ kind: 'bytes', transferred: number, total: number | null }
 *   | { kind: 'unpack' }
 *   | { kind: 'failed', reason: string }} FetchMessage
 */

const REPORT_EVERY_MS = 200;

const [folder = '', temporary = ''] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

try {
  const { downloadArtifact } = require('@electron/get');
  let reportedAt = 0;
  const archive = await downloadArtifact({
    version,
    artifactName: 'electron',
    platform: process.platform,
    arch: hostArch(),
    checksums: JSON.parse(readFileSync(join(folder, 'checksums.json'), 'utf8')),
    ...(process.env.electron_config_cache && { cacheRoot: process.env.electron_config_cache }),
    tempDirectory: temporary,
    downloadOptions: {
      quiet: true,
      getProgressCallback: (/** @type {{ transferred: number, total: number | null, percent: number }} */ progress) => {
        if (Date.now() - reportedAt < REPORT_EVERY_MS && progress.percent < 1) return;
        reportedAt = Date.now();
        report({ kind: 'bytes', transferred: progress.transferred, total: progress.total });
        if (progress.percent >= 1) report({ kind: 'unpack' });
      },
    },
  });
  report({ kind: 'unpack' });
  const { extract } = require('@electron-internal/extract-zip');
  const dist = join(folder, 'dist');
  rmSync(join(folder, 'path.txt'), { force: true });
  rmSync(dist, { recursive: true, force: true });
  await extract(archive, { dir: dist });
  const types = join(dist, 'electron.d.ts');
  if (existsSync(types)) renameSync(types, join(folder, 'electron.d.ts'));
  // Written last: it marks the binary as whole.
  writeFileSync(join(folder, 'path.txt'), executableName(process.platform));
} catch (error) {
  console.error(error);
  report({ kind: 'failed', reason: reasonOf(error) });
  process.exitCode = 1;
}
process.disconnect?.();

/** @param {FetchMessage} message */
function report(message) {
  process.send?.(message);
}

/** An x64 Node on an Apple chip should still get the native Electron. */
function hostArch() {
  if (process.platform !== 'darwin' || process.arch !== 'x64') return process.arch;
  try {
    const { execSync } = require('node:child_process');
    return String(execSync('sysctl -in sysctl.proc_translated')).trim() === '1' ? 'arm64' : 'x64';
  } catch {
    return 'x64';
  }
}

/**
 * Completes “because …”.
 * @param {unknown} error
 */
function reasonOf(error) {
  const { message, cause, code } =
    /** @type {Error & { code?: string, cause?: { code?: string, message?: string } }} */ (error);
  const raw = `${code ?? ''} ${cause?.code ?? ''} ${message} ${cause?.message ?? ''}`;
  if (/ENOSPC|no space left/i.test(raw)) return 'there is no space left on the disk';
  if (/EACCES|EPERM|EROFS/.test(raw)) return 'its folder in node_modules, or its cache, cannot be written to';
  if (/Response code (\d+)/.test(raw)) return `its server answered ${/Response code (\d+)/.exec(raw)?.[1]}`;
  if (/checksum|hash|sha/i.test(raw)) return 'what came is not the file that it should be (checksum)';
  if (/ENOTFOUND|EAI_AGAIN/.test(raw)) return 'its server’s name cannot be found; there may be no network';
  if (/ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR|fetch failed|terminated/.test(raw)) {
    return 'its server cannot be reached';
  }
  if (/CERT/.test(raw)) return 'its server’s certificate is not trusted here';
  return `of this: ${message}`;
}
