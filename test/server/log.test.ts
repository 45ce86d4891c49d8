import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../src/log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const LOG = fileURLToPath(new URL('../../src/log.ts', import.meta.url));

describe('the log', () => {
  it('is a file of JSON lines for its owner alone', async () => {
    const directory = tempDir();
    openLog(directory).warn({ epoch: 3 }, 'A connection ended');
    const path = join(directory, 'holdfast.log');
    const line = await until('the line', () => readFileSync(path, 'utf8'));
    expect(JSON.parse(line)).toMatchObject({ level: 40, epoch: 3, msg: 'A connection ended', pid: process.pid });
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes secrets out before they are written, by their name and in addresses', async () => {
    const directory = tempDir();
    const log = openLog(directory);
    log.error({ token: 'SECRET', nested: { cookie: 'SECRET', handle: 'SECRET' } }, 'one');
    log.info({ error: 'dial wss://x/y?key=SECRET&alt=ws failed', other: 'http://127.0.0.1:1/?token=SECRET' }, 'two');
    log.debug({ reason: 'x?a=1&access_token=SECRET' }, 'wss://x?key=SECRET');
    log.info({}, 'last');
    const text = await until('all lines', () => {
      const found = readFileSync(join(directory, 'holdfast.log'), 'utf8');
      return found.includes('last') && found;
    });
    expect(text).not.toContain('SECRET');
    expect(text).toContain('alt=ws');
  });

  it('that cannot be opened keeps nobody from working', () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'holdfast.log'));
    openLog(directory).error({}, 'nobody reads this');
  });

  /** A process that logs and then ends by itself, as a host does. */
  const logAndEnd = (directory: string, statements: string) =>
    spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '-e', `import { openLog } from ${JSON.stringify(LOG)}; ${statements}`],
      { env: { ...process.env, DIRECTORY: directory }, encoding: 'utf8', timeout: 60_000 },
    );

  it('is whole when the process ends at once', () => {
    const directory = tempDir();
    const ended = logAndEnd(directory, `openLog(process.env.DIRECTORY).info({}, 'last words'); process.exit(0);`);
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(readFileSync(join(directory, 'holdfast.log'), 'utf8')).toContain('last words');
  });

  it('on a full disk drops lines, keeps the memory small, and lets the process end well', (context) => {
    if (!existsSync('/dev/full')) return context.skip('There is no /dev/full on this system.');
    const directory = tempDir();
    symlinkSync('/dev/full', join(directory, 'holdfast.log'));
    const ended = logAndEnd(
      directory,
      `const log = openLog(process.env.DIRECTORY);
       const text = 'x'.repeat(100_000);
       for (let n = 0; n < 1_000; n += 1) { log.info({ text }, 'line'); if (n % 50 === 0) await new Promise((r) => setTimeout(r, 1)); }
       console.log(process.memoryUsage().rss);
       process.exit(0);`,
    );
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(Number(ended.stdout)).toBeLessThan(250_000_000);
  });
});
