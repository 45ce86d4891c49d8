import { join } from 'node:path';
import type { SafeStorage } from 'electron';
import type { Problem } from '../src/contract/index.ts';
import type { SecretStore } from '../src/core.ts';
import type { Logger } from '../src/log.ts';
import { readSecretsFile, writeSecretsFile } from './secrets-file.ts';

const FILE_NAME = 'secrets.json';
/** A keyring that waits for its user must not keep the window from opening. */
export const AVAILABILITY_WAIT_MS = 3_000;

type Encryption = Pick<
  SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync' | 'getSelectedStorageBackend'
>;

export interface SecretStoreOptions {
  readonly safeStorage: Encryption;
  readonly platform: NodeJS.Platform;
  readonly dir: string;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Thrown by `set` where nothing encrypts: a key in plain text on disk is worse than asking for it again. */
export class SecretsRefused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.name = 'SecretsRefused';
    this.problem = problem;
  }
}

/** Thrown by `get` for a secret that is there and cannot be had. The message is a sentence for the user. */
export class SecretUnreadable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SecretUnreadable';
  }
}

/**
 * Secrets encrypted by the operating system's keystore, in one file of this user's alone. To be called once Electron is
 * ready. `get` throws `SecretUnreadable` for what is there and cannot be decrypted, and leaves it where it is; a damaged
 * file is told of once. `set` throws `SecretsRefused`. All of them throw what the file system throws.
 */
export async function openSecretStore(options: SecretStoreOptions): Promise<SecretStore> {
  const { safeStorage, log, now } = options;
  const path = join(options.dir, FILE_NAME);
  const encrypted = await canEncrypt(options);
  const inTurn = queue();

  const write = async (name: string, value: string): Promise<void> => {
    const ciphertext = await safeStorage.encryptStringAsync(value);
    const { secrets } = await readSecretsFile(path, now, log);
    await writeSecretsFile(path, { ...secrets, [name]: ciphertext.toString('base64') });
  };

  const get = async (name: string): Promise<string | undefined> => {
    const { secrets, setAside } = await readSecretsFile(path, now, log);
    if (setAside !== undefined) throw new SecretUnreadable(`Its file was damaged and is now ${setAside}.`);
    const ciphertext = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (ciphertext === undefined) return undefined;
    if (!encrypted) throw new SecretUnreadable('This system has no keystore now that decrypts it.');
    const { result, shouldReEncrypt } = await decrypt(ciphertext);
    if (shouldReEncrypt) {
      await write(name, result).catch((error: unknown) => {
        // The old ciphertext still serves, and the next read tries again.
        log.warn({ err: error, name }, 'A secret could not be encrypted with the new key');
      });
    }
    return result;
  };

  const decrypt = async (ciphertext: string) => {
    try {
      return await safeStorage.decryptStringAsync(Buffer.from(ciphertext, 'base64'));
    } catch (error) {
      log.error({ err: error }, 'A secret cannot be decrypted');
      throw new SecretUnreadable('The system’s keystore does not decrypt it.', error);
    }
  };

  return {
    encrypted,
    get: (name) => inTurn(() => get(name)),
    set: (name, value) =>
      inTurn(async () => {
        if (!encrypted) throw new SecretsRefused(refusal(options.platform));
        await write(name, value);
      }),
    delete: (name) =>
      inTurn(async () => {
        const { [name]: removed, ...rest } = (await readSecretsFile(path, now, log)).secrets;
        if (removed !== undefined) await writeSecretsFile(path, rest);
      }),
  };
}

async function canEncrypt({ safeStorage, platform, log }: SecretStoreOptions): Promise<boolean> {
  if (platform === 'linux') {
    const backend = safeStorage.getSelectedStorageBackend();
    // `basic_text` encrypts with a password that is in Chromium's source.
    if (backend === 'basic_text' || backend === 'unknown') {
      log.warn({ backend }, 'This desktop has no keyring: secrets are not kept');
      return false;
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const undecided = new Promise<'undecided'>((resolve) => {
    timer = setTimeout(resolve, AVAILABILITY_WAIT_MS, 'undecided');
  });
  try {
    const available = await Promise.race([safeStorage.isAsyncEncryptionAvailable(), undecided]);
    // A keyring that is still asking its user is one that is there.
    if (available === 'undecided') return true;
    if (!available) log.warn({ platform }, 'The keystore is not available: secrets are not kept');
    return available;
  } catch (error) {
    log.error({ err: error }, 'The keystore cannot be asked: secrets are not kept');
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function refusal(platform: NodeJS.Platform): Problem {
  const remedy =
    platform === 'linux'
      ? 'Install a keyring such as GNOME Keyring or KWallet and start Holdfast again, or set the environment variable HOLDFAST_GEMINI_API_KEY.'
      : 'Unlock the system’s keystore and start Holdfast again, or set the environment variable HOLDFAST_GEMINI_API_KEY.';
  return {
    code: 'secrets_unavailable',
    message: `The key was not stored, because this system has nothing that encrypts it. ${remedy}`,
    retry: 'user',
  };
}

/** One operation at a time: each reads the whole file and writes it back. */
function queue(): <T>(operation: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (operation) => {
    const result = last.then(operation);
    last = result.catch(() => undefined);
    return result;
  };
}
