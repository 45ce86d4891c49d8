import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowserHost } from './host.ts';
import { openBrowser } from './open-browser.ts';
import { readOptions, USAGE } from './options.ts';

/** How long closing may take before the process ends all the same: what was acknowledged is on disk long since. */
const CLOSE_LIMIT_MS = 5_000;

/** What is written belongs to this user alone, whichever library writes it. */
process.umask(0o077);

const options = readOptions(process.argv.slice(2), process.env);
if ('error' in options) refuse(options.error);
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

const root = projectRoot();
const started = await startBrowserHost({
  dataDir: options.dataDir,
  port: options.port,
  assets: join(root, 'dist', 'renderer'),
  version: (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
  env: process.env,
});
if (!started.ok) refuse(started.problem.message);
const host = started.value;

// Before it is said that we are ready: who hears it may end us at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void leave());

if (options.json) console.log(JSON.stringify({ url: host.url, token: host.token }));
else console.log(`Holdfast is ready at ${host.url}`);
if (options.open) openBrowser(host.url, process.env);

async function leave(): Promise<void> {
  setTimeout(() => process.exit(1), CLOSE_LIMIT_MS).unref();
  await host.close();
  process.exit(0);
}

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

/** This file runs from `src/server/` while developing and from `dist/server/` when built: the same depth. */
function projectRoot(): string {
  const found = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  if (!existsSync(join(found, 'package.json'))) refuse('Holdfast’s own files are not complete. Install it again.');
  return found;
}
