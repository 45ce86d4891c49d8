import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isStale, takeLock } from '../../scripts/bootstrap/lock.mjs';
import { temporaryFolder } from './temporary.ts';

describe('a lock', () => {
  const here = (...alive: number[]) => ({ host: 'a', isAlive: (pid: number) => alive.includes(pid) });
  const holder = { pid: 1, host: 'a', nonce: 'n' };

  it.each([
    ['holds while its process lives and beats', holder, 1_000, here(1), false],
    ['is stale when its process is gone', holder, 0, here(), true],
    ['is stale when its process id now belongs to one that does not beat', holder, 61_000, here(1), true],
    ['holds while what its process had started lives on', { ...holder, child: 2 }, 61_000, here(2), false],
    ['is stale when that lives on beyond all reason', { ...holder, child: 2 }, 31 * 60_000, here(2), true],
    ['of another machine holds while it beats', { ...holder, host: 'b' }, 5_000, here(), false],
    ['of another machine is stale when silent', { ...holder, host: 'b' }, 61_000, here(), true],
    ['that cannot be read holds for a moment, since it may be being written', undefined, 100, here(), false],
    ['that cannot be read is stale later', undefined, 61_000, here(), true],
  ])('%s', (_what, who, age, machine, stale) => {
    expect(isStale(who, age, machine)).toBe(stale);
  });

  it('is taken by one at a time', async () => {
    const path = join(temporaryFolder(), 'lock');
    const steps: string[] = [];
    const first = await takeLock(path, () => steps.push('first waits'));
    const second = takeLock(path, () => steps.push('second waits')).then((lock: { release(): void }) => {
      steps.push('second has it');
      lock.release();
    });
    await pause(400);
    steps.push('first is done');
    first.release();
    await second;
    expect(steps).toEqual(['second waits', 'first is done', 'second has it']);
    expect(existsSync(path)).toBe(false);
  });

  it('left behind by a process that was killed is taken over, by one of many', async () => {
    const path = join(temporaryFolder(), 'lock');
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(path, JSON.stringify({ pid: gone, host: hostname(), nonce: 'old' }));
    let holders = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const lock = await takeLock(path, () => undefined);
        holders += 1;
        most = Math.max(most, holders);
        await pause(20);
        holders -= 1;
        lock.release();
      }),
    );
    expect(most).toBe(1);
  });

  it('is not released by one that lost it', async () => {
    const path = join(temporaryFolder(), 'lock');
    const lock = await takeLock(path, () => undefined);
    const other = JSON.stringify({ pid: 1, host: 'elsewhere', nonce: 'other' });
    writeFileSync(path, other);
    lock.release();
    expect(readFileSync(path, 'utf8')).toBe(other);
  });
});
