import type { Browser, Page } from 'playwright';
import { expect } from 'playwright/test';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { launchChromium } from './page/browser.ts';
import { servePage } from './page/server.ts';

/* The dialogs of export and import in a real Chromium over the fake core, mostly by keyboard. */

let served: Awaited<ReturnType<typeof servePage>>;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  served = await servePage();
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

afterEach(async () => {
  await page.close();
  expect(complaints.splice(0)).toEqual([]);
});

async function open(prepare: () => void, size = { width: 1280, height: 800 }): Promise<void> {
  page = await browser.newPage({ viewport: size });
  page.setDefaultTimeout(8_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(served.url);
  await page.evaluate(prepare);
  await page.evaluate(() => show());
  await expect(page.getByTestId('composer')).toBeVisible();
}

/** With `HOLDFAST_SCREENSHOTS` in the environment: what was seen, for a person to look at. */
async function look(name: string): Promise<void> {
  const folder = process.env['HOLDFAST_SCREENSHOTS'];
  if (folder === undefined) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  }
}

const file = { name: 'conversations.json', mimeType: 'application/json', buffer: Buffer.from('{}') };

/** Lets what is under way in the core go on. */
const letGo = () => page.evaluate(() => void (globalThis as unknown as { letGo: () => void }).letGo());
const hold = () => {
  core.exchangeHeld = new Promise((resolve) => Object.assign(globalThis, { letGo: resolve }));
};

async function openImport(): Promise<void> {
  await page.evaluate(() => holdfast.actions.showSettings(true));
  await page.getByTestId('import-open').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('settings-dialog')).toBeHidden();
  await expect(page.getByTestId('import-choose')).toBeFocused();
}

describe('the export of a session', () => {
  it('is reached, chosen, started and ended by keyboard, and gives the focus back', async () => {
    await open(() => {
      core.addSession({ id: 'a', title: 'Zürich 🗼' });
      hold();
      function hold() {
        core.exchangeHeld = new Promise((resolve) => Object.assign(globalThis, { letGo: resolve }));
      }
    });
    const entry = page.locator('[data-session-entry]');
    await entry.focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', { name: 'Export…', exact: true })).toBeFocused();
    await look('session-item');
    await page.keyboard.press('Enter');
    const dialog = page.getByTestId('export-dialog');
    await expect(dialog.getByRole('heading')).toHaveText('Export “Zürich 🗼”');
    await expect(page.getByTestId('export-format-json')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(page.getByTestId('export-format-markdown')).toBeChecked();
    await look('export');
    const downloading = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('progressbar')).toBeVisible();
    await expect(page.getByTestId('export-cancel')).toBeFocused();
    await look('export-running');
    await letGo();
    expect((await downloading).suggestedFilename()).toBe('Conversations.markdown');
    await expect(page.getByTestId('export-done')).toHaveText('1 session handed over as Conversations.markdown.');
    await expect(dialog.getByRole('button', { name: 'Done' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    await expect(entry).toBeFocused();
    const calls = await page.evaluate(() => core.calls.filter(({ name }) => name === 'exchange.export'));
    expect(calls).toMatchObject([{ input: { sessionIds: ['a'], format: 'markdown' } }]);
  });

  it('is cancelled, and says what went wrong', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.evaluate(hold);
    await page.evaluate(() => holdfast.actions.showTransfer({ kind: 'export', session: 'all' }));
    await expect(page.getByTestId('export-dialog').getByRole('heading')).toHaveText('Export all sessions');
    await page.getByTestId('export-start').click();
    await page.getByTestId('export-cancel').click();
    await expect(page.getByTestId('export-start')).toBeVisible();
    await page.evaluate(() =>
      core.failNext('exchange.export', { code: 'session_not_found', message: 'It is gone.', retry: 'never' }),
    );
    await page.getByTestId('export-start').click();
    await expect(page.getByRole('alert')).toHaveText('It is gone.');
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('export-dialog')).toBeHidden();
  });
});

describe('the import', () => {
  it('shows how far it is, then what became of each session, and opens one', async () => {
    await open(() => {
      core.addSession({ id: 'a', title: 'There already', status: 'closed' });
      core.addSession({ id: 'b', title: 'Green tea', status: 'closed' });
      const base = { file: 'conversations.json' };
      core.imported = [
        {
          type: 'items',
          items: [
            { ...base, title: 'Green tea', message: 'Imported.', outcome: 'imported', sessionId: 'b', turns: 4 },
            {
              ...base,
              title: 'A walk',
              message: '2 pictures are not part of the import; a note stands in place of each.',
              outcome: 'partly',
              sessionId: 'c',
              turns: 9,
            },
            {
              ...base,
              title: 'There already',
              message: 'This conversation is here already.',
              outcome: 'duplicate',
              sessionId: 'a',
              changed: false,
            },
            { ...base, title: 'Number 4', message: 'Nothing was said in it.', outcome: 'skipped', count: 1 },
          ],
        },
        { type: 'done', outcome: { kind: 'imported' } },
      ];
    });
    await page.evaluate(hold);
    await openImport();
    await look('import');
    await page.getByTestId('import-copies').check();
    await page.getByTestId('import-input').setInputFiles(file);
    await expect(page.getByTestId('import-dialog')).toContainText('Looking for sessions…');
    await expect(page.getByRole('progressbar')).toHaveAttribute('value', '40');
    await look('import-running');
    await letGo();
    await expect(page.getByTestId('import-report')).toHaveText('2 sessions imported, 1 already here, 1 skipped.');
    await expect(page.getByTestId('import-done')).toBeFocused();
    await expect(page.locator('[data-outcome="skipped"]')).toContainText('Nothing was said in it.');
    await expect(page.locator('[data-outcome="partly"]')).toContainText('2 pictures');
    await look('import-report');
    await page.setViewportSize({ width: 360, height: 640 });
    await look('import-report-narrow');
    const [call] = await page.evaluate(() => core.calls.filter(({ name }) => name === 'exchange.import'));
    expect(call).toMatchObject({
      input: { changed: 'copy', damaged: 'refuse', files: [{ name: 'conversations.json' }] },
    });
    await page.getByRole('button', { name: 'Green tea' }).first().click();
    await expect(page.getByTestId('import-dialog')).toBeHidden();
    await expect(page.getByTestId('session-tab')).toHaveText('Green tea');
  });

  it('that failed says so, and offers what can be read', async () => {
    await open(() => {
      const problem = { code: 'invalid_input', message: '“x.json” ends in the middle.', retry: 'user' } as const;
      core.imported = [
        {
          type: 'items',
          items: [
            { file: 'x.json', title: 'One', message: 'Imported.', outcome: 'imported', sessionId: 'a', turns: 1 },
            { file: 'x.json', title: 'x.json', message: problem.message, outcome: 'unreadable' },
          ],
        },
        { type: 'done', outcome: { kind: 'failed', problem } },
      ];
    });
    await openImport();
    await page.getByTestId('import-input').setInputFiles(file);
    await expect(page.getByTestId('import-report')).toHaveText('Nothing was imported. Everything is as it was.');
    await expect(page.locator('[data-outcome="unreadable"]')).toContainText('ends in the middle');
    await expect(page.locator('[data-outcome="imported"]')).toHaveCount(0);
    await look('import-failed');
    await page.evaluate(() => void (core.imported = [{ type: 'done', outcome: { kind: 'imported' } }]));
    await page.getByTestId('import-keep').click();
    await expect(page.getByTestId('import-report')).toHaveText('0 sessions imported.');
    const calls = await page.evaluate(() => core.calls.filter(({ name }) => name === 'exchange.import'));
    expect(calls.at(-1)).toMatchObject({ input: { damaged: 'keep' } });
  });

  it('is cancelled by the button, and by Esc', async () => {
    await open(() => undefined, { width: 360, height: 640 });
    await page.evaluate(hold);
    await openImport();
    await look('import-narrow');
    await page.getByTestId('import-input').setInputFiles(file);
    await page.getByTestId('import-cancel').click();
    await expect(page.getByTestId('import-dialog').getByRole('status')).toHaveText(
      'Cancelled. Everything is as it was.',
    );
    await page.getByTestId('import-input').setInputFiles(file);
    await page.getByTestId('import-cancel').focus();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('import-dialog')).toBeHidden();
  });
});
