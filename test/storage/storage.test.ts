import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Conf from 'conf';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataDirectory, setAsideIfDamaged, storageProblem, writeChecked } from '../../src/storage/index.ts';
import type { KeyValueFile } from '../../src/storage/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const openConf = (cwd: string, name = 'state'): KeyValueFile =>
  new Conf({ cwd, configName: name, clearInvalidConfig: false, accessPropertiesByDotNotation: false });

describe('a state file', () => {
  it.each(['', ' ', 'null', '7', '"x"', '[]', '[{}]', '{', '{"a":', 'nonsense', '\u0000'.repeat(40)])(
    'that holds %j is moved aside as it is',
    (content) => {
      const directory = tempDir();
      const path = join(directory, 'state.json');
      writeFileSync(path, content);
      const { setAside } = setAsideIfDamaged(path, 1_790_000_000_000);
      expect(setAside).toBe(`${path}.damaged-1790000000000`);
      expect(readdirSync(directory)).toEqual(['state.json.damaged-1790000000000']);
      expect(readFileSync(setAside!, 'utf8')).toBe(content);
      // What its library then does is to begin anew.
      expect(openConf(directory).store).toEqual({});
    },
  );

  it.each(['{}', '{"a":1}', '  {"a":{"b":null}}\n', '{"a":1,"a":2}'])('that holds %j stays where it is', (content) => {
    const directory = tempDir();
    const path = join(directory, 'state.json');
    writeFileSync(path, content);
    expect(setAsideIfDamaged(path, 1)).toEqual({ setAside: undefined });
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('that is not there, or is no file, is left to its library', () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'folder.json'));
    expect(setAsideIfDamaged(join(directory, 'none.json'), 1)).toEqual({ setAside: undefined });
    expect(setAsideIfDamaged(join(directory, 'folder.json'), 1)).toEqual({ setAside: undefined });
    expect(readdirSync(directory)).toEqual(['folder.json']);
  });

  it('reads back as it was written, whatever its keys and values', () => {
    const file = openConf(tempDir());
    let before: Record<string, unknown> = {};
    const key = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a.b', '__proto__x', '0', '10', '2', '-'));
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { noNullPrototype: true }), (next) => {
        writeChecked(file, next, before);
        expect(JSON.stringify(file.store)).toBe(JSON.stringify(next));
        before = next;
      }),
      { numRuns: 60 },
    );
  });

  it('that was not written in full is put back as it was, and the failure is told', () => {
    const before = { kept: true };
    let content: Record<string, unknown> = before;
    const cutting: KeyValueFile = {
      path: '/state.json',
      get store() {
        return content;
      },
      set store(next) {
        // What `conf` leaves behind on a full disk.
        content = 'large' in next ? {} : next;
      },
    };
    expect(() => writeChecked(cutting, { large: 'x' }, before)).toThrow(/not written in full/);
    expect(content).toEqual(before);
    writeChecked(cutting, { small: 1 }, before);
    expect(content).toEqual({ small: 1 });
  });

  it('that cannot be written or read is told by the error of the first try', () => {
    const refusing: KeyValueFile = {
      path: '/state.json',
      get store(): Record<string, unknown> {
        throw new Error('unreadable');
      },
      set store(_next) {
        throw Object.assign(new Error('read-only'), { code: 'EROFS' });
      },
    };
    expect(() => writeChecked(refusing, {}, {})).toThrow('read-only');
  });

  it('is written through conf for its owner alone, or fails with what the file system says', () => {
    const directory = tempDir();
    const file = openConf(directory);
    writeChecked(file, { a: 1 }, {});
    rmSync(file.path);
    mkdirSync(file.path);
    expect(() => writeChecked(file, { a: 2 }, { a: 1 })).toThrow();
    expect(statSync(file.path).isDirectory()).toBe(true);
  });
});

describe('the lock of a data directory', () => {
  const lock = (dataDir: string, host = 'browser') => {
    const locked = lockDataDirectory(dataDir, host);
    if (locked.ok) onTestFinished(() => locked.value.release());
    return locked;
  };

  it('is held by one, names its holder to another, and is given back', () => {
    const dataDir = tempDir();
    const first = lock(dataDir, 'desktop');
    if (!first.ok) return expect.fail(first.problem.message);
    expect(JSON.parse(readFileSync(join(dataDir, 'lock.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
      host: 'desktop',
    });
    const second = lock(dataDir);
    expect(second).toMatchObject({ ok: false, problem: { code: 'second_instance', context: { dataDir } } });
    if (!second.ok) expect(second.problem.message).toContain(`the desktop host, process ${process.pid}`);
    first.value.release();
    first.value.release();
    expect(readdirSync(dataDir)).not.toContain('lock.json');
    expect(lock(dataDir).ok).toBe(true);
  });

  it('is no matter between two directories', () => {
    expect([lock(tempDir()).ok, lock(tempDir()).ok]).toEqual([true, true]);
  });

  it.each(['', 'nonsense', 'null', '{"pid":"x"}', '[]'])(
    'is told of without its holder’s words when these are %j',
    (words) => {
      const dataDir = tempDir();
      expect(lock(dataDir).ok).toBe(true);
      writeFileSync(join(dataDir, 'lock.json'), words);
      const second = lock(dataDir);
      expect(second).toMatchObject({ ok: false, problem: { code: 'second_instance' } });
      if (!second.ok) expect(second.problem.message).not.toMatch(/undefined|NaN|null/);
    },
  );

  it('does not stay because its holder’s words cannot be removed', () => {
    const dataDir = tempDir();
    const first = lock(dataDir);
    if (!first.ok) return expect.fail(first.problem.message);
    rmSync(join(dataDir, 'lock.json'));
    mkdirSync(join(dataDir, 'lock.json'));
    first.value.release();
    rmSync(join(dataDir, 'lock.json'), { recursive: true });
    expect(lock(dataDir).ok).toBe(true);
  });

  it.each(['nonsense '.repeat(1_000), 'SQLite format 3\u0000'.padEnd(5_000, 'x')])(
    'is taken all the same when something wrote over its file',
    (content) => {
      const dataDir = tempDir();
      writeFileSync(join(dataDir, 'lock.db'), content);
      expect(lock(dataDir).ok).toBe(true);
      expect(lock(dataDir)).toMatchObject({ ok: false, problem: { code: 'second_instance' } });
    },
  );

  it('says what is wrong where it cannot be made', () => {
    const dataDir = tempDir();
    mkdirSync(join(dataDir, 'lock.db'));
    expect(lock(dataDir)).toMatchObject({ ok: false, problem: { code: 'disk_failed' } });
    expect(lock(join(dataDir, 'nowhere'))).toMatchObject({ ok: false });
  });

  it('is given back by a process that was killed', async () => {
    const dataDir = tempDir();
    const storage = fileURLToPath(new URL('../../src/storage/index.ts', import.meta.url));
    const program = `import { lockDataDirectory } from ${JSON.stringify(storage)};
      // Whoever lets go of the lock's object has it collected, and the lock with it.
      globalThis.held = lockDataDirectory(${JSON.stringify(dataDir)}, 'browser');
      console.log(globalThis.held.ok); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    await until('the other process to hold it', () => out.includes('true'));
    const held = lock(dataDir);
    expect(held).toMatchObject({ ok: false, problem: { code: 'second_instance' } });
    if (!held.ok) expect(held.problem.message).toContain(`process ${child.pid}`);
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(lock(dataDir).ok).toBe(true);
  });
});

describe('an error of the disk', () => {
  it.each([
    [{ code: 'ENOSPC' }, 'disk_full'],
    [{ code: 'EDQUOT' }, 'disk_full'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'disk_full'],
    [{ code: 'EACCES' }, 'disk_read_only'],
    [{ code: 'EPERM' }, 'disk_read_only'],
    [{ code: 'EROFS' }, 'disk_read_only'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 8 }, 'disk_read_only'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 8 | (3 << 8) }, 'disk_read_only'],
    [{ code: 'EIO' }, 'disk_failed'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 10 | (3 << 8) }, 'disk_failed'],
    [{}, 'disk_failed'],
  ])('%j is %s', (fields, code) => {
    const problem = storageProblem(Object.assign(new Error('words'), fields, { path: '/x' }));
    expect(problem).toMatchObject({ code, retry: 'user', context: { error: 'words', path: '/x' } });
  });

  it.each([undefined, null, 'text', 7, Symbol('x'), {}])('may be anything that can be thrown, such as %s', (thrown) => {
    expect(storageProblem(thrown)).toMatchObject({ code: 'disk_failed' });
  });
});
