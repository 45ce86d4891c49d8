import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Conf from 'conf';
import type ElectronStore from 'electron-store';
import type { Options } from 'electron-store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openExpendableFile, openKeyValueFile } from '../../electron/stores.ts';
import { keptLog } from './fakes.ts';

/**
 * electron-store is `conf` under another name for one option, and importing it would start Electron's download; this
 * is that renaming over the real `conf`.
 */
const Store = class extends Conf<Record<string, unknown>> {
  constructor({ name, ...options }: Options<Record<string, unknown>>) {
    super({ ...options, ...(name !== undefined && { configName: name }) });
  }
} as unknown as new (options: Options<Record<string, unknown>>) => ElectronStore;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-stores-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('what is stored is in a file of that name in that folder, and there again', async () => {
  const file = openKeyValueFile(Store, 'live-state', dir);
  expect(file.path).toBe(join(dir, 'live-state.json'));
  expect({ ...file.store }).toEqual({});
  file.store = { 'a.key.with.dots': { handle: 'h' } };
  expect({ ...openKeyValueFile(Store, 'live-state', dir).store }).toEqual({ 'a.key.with.dots': { handle: 'h' } });
  expect(JSON.parse(await readFile(file.path, 'utf8'))).toEqual({ 'a.key.with.dots': { handle: 'h' } });
  if (process.platform !== 'win32') expect((await stat(file.path)).mode & 0o777).toBe(0o600);
});

test('replacing the content leaves nothing of the old', () => {
  const file = openKeyValueFile(Store, 'settings', dir);
  file.store = { one: 1 };
  file.store = { two: 2 };
  expect({ ...openKeyValueFile(Store, 'settings', dir).store }).toEqual({ two: 2 });
});

test('a damaged file of the core’s is told of and kept as it is', async () => {
  await writeFile(join(dir, 'live-state.json'), '{"half": ');
  expect(() => openKeyValueFile(Store, 'live-state', dir)).toThrow(SyntaxError);
  expect(await readFile(join(dir, 'live-state.json'), 'utf8')).toBe('{"half": ');
});

test('a damaged file that nobody would miss begins anew', async () => {
  await writeFile(join(dir, 'window.json'), '{"half": ');
  const file = openExpendableFile(Store, 'window', dir, keptLog());
  expect({ ...file.store }).toEqual({});
  file.store = { fine: true };
  expect({ ...openExpendableFile(Store, 'window', dir, keptLog()).store }).toEqual({ fine: true });
});

test('a file that nobody would miss and that cannot be had at all lasts until the app is closed', async () => {
  await writeFile(join(dir, 'no-folder'), '');
  const log = keptLog();
  const file = openExpendableFile(Store, 'window', join(dir, 'no-folder'), log);
  file.store = { fine: true };
  expect(file.store).toEqual({ fine: true });
  expect(log.lines.map((line) => line.level)).toEqual(['warn']);
});
