import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, expect, test } from 'playwright/test';
import type { ElectronApplication, Locator, Page } from 'playwright/test';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ANSWER_WITHIN_MS = 20_000;

/**
 * Electron's executable, or why there is none. Found by its files: loading the package `electron` would start to
 * download it.
 */
function findElectron(): { readonly path: string } | { readonly missing: string } {
  const folder = join(root, 'node_modules/electron');
  const named = join(folder, 'path.txt');
  const elsewhere = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (elsewhere === undefined && !existsSync(named)) return { missing: 'node_modules/electron/path.txt is not there' };
  const name = existsSync(named) ? readFileSync(named, 'utf8').trim() : 'electron';
  const path = join(elsewhere ?? join(folder, 'dist'), name);
  return existsSync(path) ? { path } : { missing: `${elsewhere ?? 'node_modules/electron/dist'} has no ${name}` };
}

/** Why the desktop cannot be driven on this machine, if it cannot. */
function obstacle(found: ReturnType<typeof findElectron>): string | undefined {
  if ('missing' in found) return `Electron’s binary is not on this machine: ${found.missing}`;
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) {
    return 'Electron’s binary is here, but there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set';
  }
  return undefined;
}

const electron = findElectron();
const why = obstacle(electron);

let dataDir: string;
let app: ElectronApplication | undefined;

test.beforeEach(() => {
  // A condition of the machine, not of the code: where the binary is, these run.
  test.skip(why !== undefined, why);
  dataDir = mkdtempSync(join(tmpdir(), 'holdfast-desktop-'));
});

test.afterEach(async () => {
  await app?.close();
  app = undefined;
  if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<Page> {
  if ('missing' in electron) throw new Error(electron.missing);
  // Without a key of its own the app answers by its demo; the environment of whoever runs this may have one.
  const env = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('HOLDFAST_'),
  );
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
  app = await _electron.launch({
    executablePath: electron.path,
    // Chromium's sandbox refuses root.
    args: [root, `--data-dir=${dataDir}`, ...(asRoot ? ['--no-sandbox'] : [])],
    env: Object.fromEntries(env),
  });
  return app.firstWindow();
}

const messages = (page: Page, role: 'user' | 'model'): Locator =>
  page.getByTestId('message').and(page.locator(`[data-role="${role}"]`));

async function converse(page: Page, text: string): Promise<string> {
  await page.getByTestId('new-session').first().click();
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('send').click();
  await expect(messages(page, 'user').last().getByTestId('message-text')).toHaveText(text);
  const answer = messages(page, 'model').last();
  await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
  const words = await answer.getByTestId('message-text').innerText();
  expect(words.trim()).not.toBe('');
  return words;
}

async function expectConversation(page: Page, text: string, answer: string): Promise<void> {
  await expect(messages(page, 'user').last().getByTestId('message-text')).toHaveText(text);
  await expect(messages(page, 'model').last().getByTestId('message-text')).toHaveText(answer, { useInnerText: true });
}

test('a conversation on the desktop is answered, and there after a restart', async () => {
  const text = 'Hello. My boat is called Petrel.';
  const page = await start();
  expect(page.url()).toMatch(/^app:\/\/holdfast\//);
  const answer = await converse(page, text);
  await app?.close();
  await expectConversation(await start(), text, answer);
});

test('a page that is loaded again gets a fresh port and the same conversation', async () => {
  const text = 'Count to three.';
  const page = await start();
  const answer = await converse(page, text);
  await page.reload();
  await expectConversation(page, text, answer);
  await converse(page, 'And once more.');
});

test('the page has neither Node nor Electron', async () => {
  const page = await start();
  const kinds = await page.evaluate(() =>
    ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].map(
      (name) => typeof (globalThis as Record<string, unknown>)[name],
    ),
  );
  expect(new Set(kinds)).toEqual(new Set(['undefined']));
});
