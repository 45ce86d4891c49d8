import type { App } from 'electron';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closeBeforeQuit, QUIT_WAIT_MS } from '../../electron/quit.ts';
import { emitting, keptLog } from './fakes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function quitting(close: () => Promise<void>) {
  const exits: (number | undefined)[] = [];
  const app = emitting<Pick<App, 'on' | 'exit'>>({ exit: (code) => void exits.push(code) });
  const log = keptLog();
  closeBeforeQuit({ app, close, log });
  const quit = (): boolean => {
    let prevented = false;
    app.emit('will-quit', { preventDefault: () => (prevented = true) });
    return prevented;
  };
  return { quit, exits, log };
}

test('the app ends once the core is closed, not before', async () => {
  let closed: () => void = () => undefined;
  const { quit, exits } = quitting(() => new Promise<void>((resolve) => (closed = resolve)));
  expect(quit()).toBe(true);
  await vi.advanceTimersByTimeAsync(QUIT_WAIT_MS - 1);
  expect(exits).toEqual([]);
  closed();
  await vi.advanceTimersByTimeAsync(0);
  expect(exits).toEqual([0]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a core that does not close in time is not waited for', async () => {
  const { quit, exits, log } = quitting(() => new Promise<void>(() => undefined));
  quit();
  await vi.advanceTimersByTimeAsync(QUIT_WAIT_MS);
  expect(exits).toEqual([1]);
  expect(log.lines.map((line) => line.level)).toEqual(['error']);
});

test.each([
  ['fails', () => Promise.reject(new Error('EIO'))],
  [
    'throws',
    () => {
      throw new Error('a bug');
    },
  ],
])('a core that %s to close does not keep the app', async (_name, close) => {
  const { quit, exits, log } = quitting(close);
  quit();
  await vi.advanceTimersByTimeAsync(0);
  expect(exits).toEqual([1]);
  expect(log.lines).toHaveLength(1);
});

test('impatience closes the core once', async () => {
  let closes = 0;
  const { quit, exits } = quitting(async () => void (closes += 1));
  expect([quit(), quit(), quit()]).toEqual([true, true, true]);
  await vi.advanceTimersByTimeAsync(0);
  expect([closes, exits]).toEqual([1, [0]]);
});
