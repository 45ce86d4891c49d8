import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { SecretStore } from '../settings/index.ts';

/**
 * Secrets in a JSON file that only its owner can read (mode 0600), for hosts without a keystore. Written beside itself,
 * synced and renamed; a file that cannot be read is moved aside, never overwritten, and what was in it is asked for again.
 */
export function openSecretFile(path: string): SecretStore {
  let setAside: string | undefined;
  /** Names that were written or removed since: nothing of theirs is missing any more. */
  const settled = new Set<string>();

  function read(): Record<string, string> {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return Object.fromEntries(Object.entries(value).filter(([, secret]) => typeof secret === 'string'));
      }
    } catch {
      // Set aside below, like everything else that is no JSON object.
    }
    setAside = `${path}.damaged-${Date.now()}`;
    settled.clear();
    renameSync(path, setAside);
    return {};
  }

  function write(secrets: Record<string, string>): void {
    const next = `${path}.new`;
    const file = openSync(next, 'w', 0o600);
    try {
      const bytes = Buffer.from(JSON.stringify(secrets));
      if (writeSync(file, bytes) !== bytes.length) {
        throw Object.assign(new Error('The disk took no more bytes'), { code: 'ENOSPC', path });
      }
      fsyncSync(file);
    } catch (error) {
      closeSync(file);
      rmSync(next, { force: true });
      throw error;
    }
    closeSync(file);
    renameSync(next, path);
  }

  return {
    encrypted: false,
    async get(name) {
      const secrets = read();
      if (Object.hasOwn(secrets, name)) return secrets[name];
      if (setAside !== undefined && !settled.has(name)) {
        throw new Error(`The file that held it was damaged and is now ${setAside}.`);
      }
      return undefined;
    },
    async set(name, value) {
      write({ ...read(), [name]: value });
      settled.add(name);
    },
    async delete(name) {
      const { [name]: gone, ...rest } = read();
      if (gone !== undefined) write(rest);
      settled.add(name);
    },
  };
}
