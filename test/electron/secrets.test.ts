import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AVAILABILITY_WAIT_MS, openSecretStore, SecretsRefused, SecretUnreadable } from '../../electron/secrets.ts';
import type { SecretStoreOptions } from '../../electron/secrets.ts';
import { keptLog } from './fakes.ts';

const KEY = 'AIza-a-key-of-someone';
const NOW = new Date('2026-11-21T05:50:00.000Z');

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

type SafeStorage = SecretStoreOptions['safeStorage'];

/** A keystore whose key can change: what an older key encrypted still reads, and asks to be encrypted again. */
function fakeKeystore(more: Partial<SafeStorage> = {}) {
  const state = { key: 1, encryptions: 0 };
  const safeStorage: SafeStorage = {
    isAsyncEncryptionAvailable: async () => true,
    getSelectedStorageBackend: () => 'gnome_libsecret',
    encryptStringAsync: async (text) => {
      state.encryptions += 1;
      return Buffer.from(`${state.key}:${Buffer.from(text).toString('hex')}`);
    },
    decryptStringAsync: async (encrypted) => {
      const [key, hex] = encrypted.toString().split(':');
      if (hex === undefined || Number(key) > state.key) throw new Error('Error while decrypting the ciphertext');
      return { result: Buffer.from(hex, 'hex').toString(), shouldReEncrypt: Number(key) < state.key };
    },
    ...more,
  };
  return { safeStorage, state };
}

function open(keystore: SafeStorage, log = keptLog(), platform: NodeJS.Platform = 'linux') {
  return openSecretStore({ safeStorage: keystore, platform, dir, now: () => NOW, log });
}

const path = () => join(dir, 'secrets.json');

describe('a secret', () => {
  test('is there after a restart, and gone after it is deleted', async () => {
    const { safeStorage } = fakeKeystore();
    const store = await open(safeStorage);
    expect(store.encrypted).toBe(true);
    expect(await store.get('key')).toBeUndefined();
    await store.set('key', KEY);
    await store.set('other', 'ümläut 🔑');
    const again = await open(safeStorage);
    expect([await again.get('key'), await again.get('other')]).toEqual([KEY, 'ümläut 🔑']);
    await again.delete('key');
    await again.delete('never there');
    expect([await again.get('key'), await again.get('other')]).toEqual([undefined, 'ümläut 🔑']);
  });

  test('is never in the file as it is, and the file is its owner’s alone', async () => {
    const store = await open(fakeKeystore().safeStorage);
    await store.set('key', KEY);
    expect(await readFile(path(), 'utf8')).not.toContain(KEY);
    if (process.platform !== 'win32') expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['secrets.json']);
  });

  test('written over a leftover that all could read is its owner’s alone', async () => {
    await writeFile(`${path()}.tmp`, 'half', { mode: 0o666 });
    const store = await open(fakeKeystore().safeStorage);
    await store.set('key', KEY);
    if (process.platform !== 'win32') expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['secrets.json']);
  });

  test('is not lost to another that is stored at the same moment', async () => {
    const store = await open(fakeKeystore().safeStorage);
    const names = Array.from({ length: 10 }, (_, i) => `key ${i}`);
    await Promise.all(names.map((name) => store.set(name, name)));
    expect(await Promise.all(names.map((name) => store.get(name)))).toEqual(names);
  });

  test('may have a name that objects have by themselves', async () => {
    const store = await open(fakeKeystore().safeStorage);
    expect(await store.get('toString')).toBeUndefined();
    expect(await store.get('__proto__')).toBeUndefined();
  });

  test('is encrypted again, once, when the key has changed', async () => {
    const { safeStorage, state } = fakeKeystore();
    const store = await open(safeStorage);
    await store.set('key', KEY);
    const before = await readFile(path(), 'utf8');
    state.key = 2;
    expect(await store.get('key')).toBe(KEY);
    expect(await readFile(path(), 'utf8')).not.toBe(before);
    expect(await store.get('key')).toBe(KEY);
    expect(state.encryptions).toBe(2);
  });

  test('is still told when encrypting it again fails, and the old file stays', async () => {
    const { safeStorage, state } = fakeKeystore();
    const store = await open(safeStorage);
    await store.set('key', KEY);
    const before = await readFile(path(), 'utf8');
    state.key = 2;
    const log = keptLog();
    const failing = { ...safeStorage, encryptStringAsync: () => Promise.reject(new Error('locked')) };
    expect(await (await open(failing, log)).get('key')).toBe(KEY);
    expect(await readFile(path(), 'utf8')).toBe(before);
    expect(log.lines.map((line) => line.level)).toEqual(['warn']);
  });

  test('that cannot be decrypted is told of, and stays in the file', async () => {
    const { safeStorage, state } = fakeKeystore();
    state.key = 9;
    await (await open(safeStorage)).set('key', KEY);
    const before = await readFile(path(), 'utf8');
    state.key = 1;
    const log = keptLog();
    const store = await open(safeStorage, log);
    await expect(store.get('key')).rejects.toThrow(SecretUnreadable);
    expect(await store.get('another')).toBeUndefined();
    expect(await readFile(path(), 'utf8')).toBe(before);
    expect(log.lines.map((line) => line.level)).toEqual(['error']);
  });

  test('whose encryption fails leaves the file as it was, and later ones work', async () => {
    const { safeStorage } = fakeKeystore();
    const broken = { ...safeStorage };
    const store = await open(broken);
    await store.set('key', KEY);
    broken.encryptStringAsync = () => Promise.reject(new Error('locked'));
    await expect(store.set('key', 'new')).rejects.toThrow('locked');
    expect(await store.get('key')).toBe(KEY);
    broken.encryptStringAsync = safeStorage.encryptStringAsync;
    await store.set('key', 'new');
    expect(await store.get('key')).toBe('new');
  });

  test('is never in the log', async () => {
    const { safeStorage, state } = fakeKeystore();
    const log = keptLog();
    const store = await open(safeStorage, log);
    state.key = 2;
    await store.set('key', KEY);
    state.key = 1;
    const told = [await store.get('key').catch(String)];
    await writeFile(path(), KEY);
    told.push(await store.get('key').catch(String));
    expect(log.lines.length).toBeGreaterThan(1);
    expect(JSON.stringify([log.lines, told])).not.toContain(KEY);
  });
});

describe('a damaged file', () => {
  test.each([
    ['no JSON', 'x'],
    ['a part of the file', '{"version": 1, "secrets": {"key": "YQ'],
    ['empty', ''],
    ['null', 'null'],
    ['zeros', '\0'.repeat(64)],
    ['of another version', '{"version": 2, "secrets": {}}'],
    ['not base64', '{"version": 1, "secrets": {"key": "%%"}}'],
  ])('(%s) is told of once and set aside under a name with the time, and a new one begins', async (_name, content) => {
    await writeFile(path(), content);
    const log = keptLog();
    const store = await open(fakeKeystore().safeStorage, log);
    await expect(store.get('key')).rejects.toThrow('damaged');
    expect(await store.get('key')).toBeUndefined();
    const aside = 'secrets.json.damaged-2026-11-21T05-50-00.000Z';
    expect(await readdir(dir)).toEqual([aside]);
    expect(await readFile(join(dir, aside), 'utf8')).toBe(content);
    expect(log.lines.map((line) => line.level)).toEqual(['error']);
    await store.set('key', KEY);
    expect(await store.get('key')).toBe(KEY);
    expect((await readdir(dir)).sort()).toEqual(['secrets.json', aside]);
  });

  test('is not lost when a new secret is stored over it unread', async () => {
    await writeFile(path(), 'x');
    const store = await open(fakeKeystore().safeStorage);
    await store.set('key', KEY);
    expect(await readdir(dir)).toHaveLength(2);
  });

  test('that can only be looked at later is not written over', async () => {
    // A folder in the file's place cannot be read, by root either.
    await mkdir(path());
    const log = keptLog();
    const store = await open(fakeKeystore().safeStorage, log);
    await expect(store.get('key')).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(store.set('key', KEY)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(dir)).toEqual(['secrets.json']);
  });
});

const withoutEncryption: readonly (readonly [string, NodeJS.Platform, Partial<SafeStorage>])[] = [
  ['Linux without a keyring', 'linux', { getSelectedStorageBackend: () => 'basic_text' }],
  ['Linux before it is known', 'linux', { getSelectedStorageBackend: () => 'unknown' }],
  ['Linux with a keyring out of reach', 'linux', { isAsyncEncryptionAvailable: async () => false }],
  ['macOS without its keychain', 'darwin', { isAsyncEncryptionAvailable: async () => false }],
  ['a keystore that fails', 'win32', { isAsyncEncryptionAvailable: () => Promise.reject(new Error('no')) }],
];

describe('where nothing encrypts', () => {
  test.each(withoutEncryption)(
    '(%s) a secret is refused with a remedy and nothing is written',
    async (_name, platform, more) => {
      const { safeStorage, state } = fakeKeystore(more);
      const store = await open(safeStorage, keptLog(), platform);
      expect(store.encrypted).toBe(false);
      expect(await store.get('key')).toBeUndefined();
      const refused: unknown = await store.set('key', KEY).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(SecretsRefused);
      const { problem } = refused as SecretsRefused;
      expect(problem.message).toContain('HOLDFAST_GEMINI_API_KEY');
      expect(problem.message.includes('Install a keyring')).toBe(platform === 'linux');
      expect(problem.message).not.toContain(KEY);
      expect(problem.retry).toBe('user');
      expect(state.encryptions).toBe(0);
      expect(await readdir(dir)).toEqual([]);
    },
  );

  test('what an earlier keyring encrypted stays, and can be deleted', async () => {
    await (await open(fakeKeystore().safeStorage)).set('key', KEY);
    const store = await open(fakeKeystore({ getSelectedStorageBackend: () => 'basic_text' }).safeStorage);
    await expect(store.get('key')).rejects.toThrow('no keystore');
    expect(await (await open(fakeKeystore().safeStorage)).get('key')).toBe(KEY);
    await store.delete('key');
    expect(await (await open(fakeKeystore().safeStorage)).get('key')).toBeUndefined();
  });

  test('only Linux is asked for its backend', async () => {
    const more = {
      getSelectedStorageBackend: () => {
        throw new Error('only on Linux');
      },
    };
    expect((await open(fakeKeystore(more).safeStorage, keptLog(), 'darwin')).encrypted).toBe(true);
  });
});

test('a keyring that waits for its user does not hold up the start', async () => {
  vi.useFakeTimers();
  try {
    const { safeStorage } = fakeKeystore({ isAsyncEncryptionAvailable: () => new Promise<boolean>(() => undefined) });
    const opening = open(safeStorage);
    await vi.advanceTimersByTimeAsync(AVAILABILITY_WAIT_MS);
    expect((await opening).encrypted).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
