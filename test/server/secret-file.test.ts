import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSecretFile } from '../../src/server/secret-file.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ask, client, cookieOf, startHost } from './browser.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('the file of secrets', () => {
  it('keeps secrets over a restart, for its owner alone', async () => {
    const path = join(tempDir(), 'secrets.json');
    const store = openSecretFile(path);
    expect(store.encrypted).toBe(false);
    expect(await store.get('a')).toBeUndefined();
    await store.set('a', 'one');
    await store.set('b', 'two');
    await store.delete('a');
    await store.delete('nothing');
    const again = openSecretFile(path);
    expect([await again.get('a'), await again.get('b')]).toEqual([undefined, 'two']);
    if (process.platform !== 'win32') expect(modeOf(path)).toBe(0o600);
  });

  it('is made private at the next write when somebody opened it up', async () => {
    const path = join(tempDir(), 'secrets.json');
    writeFileSync(path, '{"a":"one"}', { mode: 0o644 });
    chmodSync(path, 0o644);
    await openSecretFile(path).set('b', 'two');
    if (process.platform !== 'win32') expect(modeOf(path)).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: 'one', b: 'two' });
  });

  it('has no secrets but its own, whatever they are called', async () => {
    const store = openSecretFile(join(tempDir(), 'secrets.json'));
    await store.set('a', 'one');
    for (const name of ['toString', 'constructor', '__proto__']) expect(await store.get(name)).toBeUndefined();
  });

  it.each(['', 'null', '[]', '"x"', '{"a":', 'ﬀ\u0000'])(
    'that holds %j is set aside, and what was in it is said to be missing until it is given again',
    async (content) => {
      const directory = tempDir();
      const path = join(directory, 'secrets.json');
      writeFileSync(path, content);
      const store = openSecretFile(path);
      await expect(store.get('a')).rejects.toThrow(/was damaged and is now .*secrets\.json\.damaged-\d+/);
      await expect(store.get('a')).rejects.toThrow(/was damaged/);
      const [aside] = readdirSync(directory).filter((name) => name.includes('.damaged-'));
      expect(readFileSync(join(directory, aside!), 'utf8')).toBe(content);
      await store.set('a', 'again');
      expect(await store.get('a')).toBe('again');
      await expect(store.get('b')).rejects.toThrow(/was damaged/);
      await store.delete('b');
      expect(await store.get('b')).toBeUndefined();
    },
  );

  it('keeps what it had when it cannot be written', async () => {
    const directory = tempDir();
    const path = join(directory, 'secrets.json');
    const store = openSecretFile(path);
    await store.set('a', 'one');
    // A folder in the place of the new file: as root, permissions would not bite.
    mkdirSync(`${path}.new`);
    await expect(store.set('a', 'two')).rejects.toThrow(/EISDIR/);
    await expect(store.delete('a')).rejects.toThrow(/EISDIR/);
    expect(await store.get('a')).toBe('one');
  });
});

describe('a browser host and its secrets', () => {
  it('leaves the desktop app’s secrets in the same folder as they are', async () => {
    const dataDir = tempDir();
    const desktop = JSON.stringify({ version: 1, secrets: { 'gemini-api-key': 'Y2lwaGVydGV4dA==' } });
    writeFileSync(join(dataDir, 'secrets.json'), desktop);
    const host = await startHost({ dataDir });
    await cookieOf(host);
    expect(readFileSync(join(dataDir, 'secrets.json'), 'utf8')).toBe(desktop);
    expect(readdirSync(dataDir).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it.each(['', 'x', 'short-and-guessable'])(
    'takes no cookie secret that could be guessed, such as %j',
    async (secret) => {
      const dataDir = tempDir();
      const first = await startHost({ dataDir });
      await first.close();
      const path = join(dataDir, 'browser-host-secrets.json');
      const [name] = Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object);
      writeFileSync(path, JSON.stringify({ [name!]: secret }));
      const host = await startHost({ dataDir });
      const cookie = await cookieOf(host);
      expect(cookie.split('=')[1]).toMatch(/^[\w-]{43}$/);
      expect((await ask(host.port, '/', { Cookie: `${cookie.split('=')[0]}=${secret}` })).status).toBe(401);
    },
  );

  it('starts with a damaged file: it lets pages in by a new cookie, and says that the key is gone', async () => {
    const dataDir = tempDir();
    writeFileSync(join(dataDir, 'browser-host-secrets.json'), 'nonsense');
    const host = await startHost({ dataDir });
    expect((await ask(host.port, '/', { Cookie: await cookieOf(host) })).status).toBe(200);
    const api = (await client(host)).client;
    expect((await api.settings.get()).apiKey).toEqual({ source: 'none' });
    const { notices } = await api.system.info();
    expect(notices.map(({ problem }) => problem.message).join()).toMatch(/API key could not be read.*Paste it again/);
    expect((await api.settings.setApiKey({ key: 'a-new-key-for-the-host' })).apiKey).toMatchObject({ hint: 'host' });
  });
});
