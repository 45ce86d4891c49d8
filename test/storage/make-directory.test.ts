import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../src/storage/index.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('making a directory', () => {
  it('makes those above it, for this user alone, and is content with one that is there', () => {
    const path = join(tempDir(), 'a', 'b', 'c');
    makeDirectory(path);
    makeDirectory(path);
    expect(statSync(path).isDirectory()).toBe(true);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('fails below a file, and where a file has its name', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect(() => makeDirectory(join(file, 'below'))).toThrow(/ENOTDIR/);
    expect(() => makeDirectory(file)).toThrow(/EEXIST/);
  });

  it('comes back from a file system that denies what is there', (context) => {
    if (!existsSync('/proc/self')) context.skip('There is no /proc on this system');
    expect(() => makeDirectory('/proc/holdfast')).toThrow(/ENOENT/);
  });
});
