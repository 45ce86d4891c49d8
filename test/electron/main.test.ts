import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main/main.js', import.meta.url));
const DRIVE = fileURLToPath(new URL('stand-in/drive.ts', import.meta.url));
const built = existsSync(MAIN);
const RUN_LIMIT_MS = 15_000;

let dir: string;
beforeEach((context) => {
  context.skip(!built, 'dist/ is not built; npm test builds it first');
  dir = mkdtempSync(join(tmpdir(), 'holdfast-main-'));
});
afterEach(() => {
  if (built) rmSync(dir, { recursive: true, force: true });
});

interface Run {
  readonly seen: Readonly<Record<string, unknown>>;
  readonly stderr: string;
}

function run(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [DRIVE, MAIN, `--data-dir=${dataDir}`],
      { timeout: RUN_LIMIT_MS, env: { ...Object.fromEntries(own), ...env } },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stdout}`));
        else resolve({ seen: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Run['seen'], stderr });
      },
    );
  });
}

describe('the built main, under Node with a stand-in for Electron', () => {
  test('starts, serves its page, answers over the port it hands over, closes, and has it all after a restart', async () => {
    const { seen } = await run(dir);
    expect(seen).toMatchObject({
      window: {
        show: false,
        webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false, devTools: true },
      },
      guarded: true,
      page: { status: 200, policy: expect.stringContaining("default-src 'none'") },
      info: { host: 'desktop', dataDir: dir },
      calls: ['load app://holdfast/', 'show', 'focus', 'show'],
      portClosed: true,
      code: 0,
    });
    expect(seen['done']).toEqual([
      'scheme app',
      'permission requests',
      'permission checks',
      'device permissions',
      'exit',
    ]);
    expect(JSON.parse(readFileSync(join(dir, 'window.json'), 'utf8'))).toEqual({
      bounds: { x: 10, y: 20, width: 800, height: 600 },
      maximised: false,
    });

    const said = [
      { role: 'user', parts: [{ type: 'text', text: 'Hello.' }] },
      {
        role: 'model',
        status: 'complete',
        parts: expect.arrayContaining([{ type: 'text', text: expect.stringMatching(/\w/) }]),
      },
    ];
    expect(seen['turns']).toMatchObject(said);
    const again = (await run(dir)).seen;
    // The demo's server knows nothing of the last run, and a note of that may be there already.
    const withoutNotes = (again['turns'] as readonly { role: string }[]).filter(({ role }) => role !== 'note');
    expect(withoutNotes).toEqual(seen['turns']);
    expect(again['window']).toMatchObject({ x: 10, y: 20, width: 800, height: 600 });
  });

  test('gives way to an instance that has the data folder, in a sentence', async () => {
    const { seen, stderr } = await run(dir, { STAND_IN_SECOND: '1' });
    expect(seen).toEqual({ done: ['scheme app', 'exit'], code: 1 });
    expect(stderr).toBe('Holdfast is already running with this data folder; its window is in front now.\n');
  });

  test('says why it cannot start, in a sentence', async () => {
    const file = join(dir, 'a file');
    writeFileSync(file, '');
    const { seen, stderr } = await run(file);
    expect(seen['code']).toBe(1);
    expect(seen['window']).toBeUndefined();
    expect(stderr).toMatch(/^Holdfast cannot start: .+\n$/);
    expect(stderr).toContain(file);
  });
});
