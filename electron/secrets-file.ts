import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../src/log.ts';

const secretsFileSchema = z.object({
  version: z.literal(1),
  /** Ciphertext by name, in base64. */
  secrets: z.record(z.string(), z.base64()),
});
export type Ciphertexts = Readonly<Record<string, string>>;

export interface ReadSecrets {
  readonly secrets: Ciphertexts;
  /** Where a file that was not of our making has just been moved. */
  readonly setAside: string | undefined;
}

/**
 * The ciphertexts in the file; none where there is no file. A file that is not of our making is renamed, with the time
 * in its name, and counts as none.
 * @throws what the file system throws when the file is there and cannot be read or renamed.
 */
export async function readSecretsFile(path: string, now: () => Date, log: Logger): Promise<ReadSecrets> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { secrets: {}, setAside: undefined };
    throw error;
  }
  const parsed = secretsFileSchema.safeParse(parseJson(text));
  if (parsed.success) return { secrets: parsed.data.secrets, setAside: undefined };
  const setAside = `${path}.damaged-${now().toISOString().replaceAll(':', '-')}`;
  await rename(path, setAside);
  log.error({ path, setAside }, 'The secrets file is damaged and was set aside');
  return { secrets: {}, setAside };
}

/** Replaces the file as a whole: after a crash or a power cut it holds the old content or the new, never a part. */
export async function writeSecretsFile(path: string, secrets: Ciphertexts): Promise<void> {
  const temporary = `${path}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  // A leftover of a crash would keep its own mode.
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, secrets }, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** The rename itself is durable only once its directory is. Windows opens no directories and needs none of this. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
