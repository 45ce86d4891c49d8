import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { chosenDataDir } from '../../electron/launch.ts';

const here = resolve('/home/someone');

test('without a wish, the platform chooses', () => {
  expect(chosenDataDir([], {}, here)).toBeUndefined();
  expect(chosenDataDir(['.', '--no-sandbox'], { HOLDFAST_DATA_DIR: '' }, here)).toBeUndefined();
  expect(chosenDataDir(['--data-dir='], {}, here)).toBeUndefined();
  expect(chosenDataDir(['--data-dir'], {}, here)).toBeUndefined();
});

test('the command line wins over the environment', () => {
  const env = { HOLDFAST_DATA_DIR: '/from-env' };
  expect(chosenDataDir([], env, here)).toBe(resolve('/from-env'));
  expect(chosenDataDir(['.', '--data-dir=/from-line'], env, here)).toBe(resolve('/from-line'));
});

test('a relative folder counts from where the app was started', () => {
  expect(chosenDataDir(['--data-dir=data dir'], {}, here)).toBe(resolve(here, 'data dir'));
});

test('switches of Electron and Chromium around it do no harm', () => {
  const argv = [
    '--inspect=0',
    '--remote-debugging-port=0',
    '.',
    '--no-sandbox',
    '--data-dir=/d',
    '--',
    'x',
    '-psn_0_1',
  ];
  expect(chosenDataDir(argv, {}, here)).toBe(resolve('/d'));
});
