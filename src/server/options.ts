import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface ServerOptions {
  readonly dataDir: string;
  /** 0: any free port. */
  readonly port: number;
  readonly open: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: npm run web -- [options]

  --data-dir DIR   where conversations are kept (default: where the desktop app keeps them)
  --port N         port on 127.0.0.1 (default: any free one)
  --no-open        do not open a browser
  --json           print one JSON line when ready: {"url": …, "token": …}
  --help           this text`;

/** Reads the command line. A wrong one comes back as a sentence. */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ServerOptions | { readonly error: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'data-dir': { type: 'string' },
        port: { type: 'string', default: '0' },
        open: { type: 'boolean', default: true },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowNegative: true,
    });
    const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
    if (!(port <= 65_535)) return { error: `--port takes a number from 0 to 65535, not “${values.port}”.` };
    const dataDir = values['data-dir'] ?? env['HOLDFAST_DATA_DIR'] ?? defaultDataDirectory(env);
    if (dataDir.trim() === '') return { error: '--data-dir takes a folder.' };
    return { dataDir: resolve(dataDir), port, open: values.open, json: values.json, help: values.help };
  } catch (error) {
    return { error: `${firstSentence((error as Error).message)}. See --help.` };
  }
}

/** Node explains wrong options at length; the beginning says it. */
function firstSentence(message: string): string {
  return message.split(/\.\s|\.?\n|\.$/, 1)[0]!;
}

/** The same folder as the desktop app's, so that both show the same conversations. */
export function defaultDataDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const base =
    platform === 'darwin'
      ? join(homedir(), 'Library', 'Application Support')
      : platform === 'win32'
        ? (env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'))
        : (env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'));
  return join(base, 'Holdfast');
}
