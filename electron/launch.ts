import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Where the person who starts the app wants its data: `--data-dir=`, then `HOLDFAST_DATA_DIR`, else `undefined` for
 * the platform's own place. A relative path counts from `cwd`.
 */
export function chosenDataDir(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string | undefined {
  // Not strict: Electron and Chromium have switches of their own on the same line.
  const { values } = parseArgs({ args: [...argv], options: { 'data-dir': { type: 'string' } }, strict: false });
  const flag = values['data-dir'];
  const chosen = typeof flag === 'string' && flag !== '' ? flag : env['HOLDFAST_DATA_DIR'];
  return chosen === undefined || chosen === '' ? undefined : resolve(cwd, chosen);
}
