import type { Browser, Page } from 'playwright';
import { expect } from 'playwright/test';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import type { LinkState, Problem } from '../../src/contract/index.ts';
import { launchChromium } from './page/browser.ts';
import { servePage } from './page/server.ts';

/*
 * The window in a real Chromium over the fake core of `page/page.tsx`: what only a browser can show. Code inside
 * `evaluate` runs in that page, where `core`, `holdfast` and `show` are.
 */

const BUILD_MS = 60_000;
const ACTION_MS = 8_000;

let served: Awaited<ReturnType<typeof servePage>>;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  served = await servePage();
  browser = await launchChromium();
}, BUILD_MS);

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
  page.setDefaultTimeout(ACTION_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(served.url);
  await start(prepare);
}

/** Fills the core of a page that has just loaded, then lets the window begin. */
async function start(prepare: () => void): Promise<void> {
  await page.evaluate(prepare);
  await page.evaluate(() => show());
  await expect(page.getByTestId('composer')).toBeVisible();
}

const composer = () => page.getByTestId('composer');
const tab = (id: string) => page.locator(`[data-testid="session-tab"][data-session-id="${id}"]`);
const messages = () => page.getByTestId('message');
const log = () => page.getByRole('log').locator('xpath=../..');
const fromEnd = () => log().evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));

describe('writing', () => {
  it('sends with Enter, breaks lines with Shift+Enter, shows the answer as it streams and its end once', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await composer().fill('first line');
    await composer().press('Shift+Enter');
    await composer().pressSequentially('second line');
    await composer().press('Enter');
    await expect(messages()).toHaveCount(1);
    await expect(page.getByTestId('message-text')).toHaveText('first line second line');
    await expect(composer()).toHaveValue('');
    await page.evaluate(() => {
      const answer = core.addTurn('a', { role: 'model', status: 'streaming', provider: 'demo' });
      core.delta(answer, 'Weighing it.', 'thought');
      core.delta(answer, 'Hello ');
      core.delta(answer, 'there');
    });
    const answer = messages().nth(1);
    await expect(answer.getByTestId('message-text')).toHaveText('Hello there');
    await expect(answer).toHaveAttribute('data-status', 'streaming');
    await expect(answer.getByRole('heading', { name: 'Demo' })).toBeVisible();
    await expect(answer.getByText('Weighing it.')).toBeHidden();
    const spoken = page.locator('[aria-live="polite"]', { hasText: 'Hello there' });
    await expect(spoken).toHaveCount(0);
    await page.evaluate(() => void core.changeTurn(core.turns.get('a')![1]!, { status: 'complete' }));
    await expect(spoken).toHaveCount(1);
  });

  it('does not send what an input method is still composing', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await composer().fill('日本');
    await composer().dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
    await composer().dispatchEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true });
    await expect(composer()).toHaveValue('日本');
    expect(await page.evaluate(() => core.calls.some((call) => call.name === 'turns.send'))).toBe(false);
  });

  it('loses no key press between asking for a session and having it', async () => {
    await open(() => undefined);
    await page.getByTestId('new-session').click();
    await page.keyboard.type('typed at once');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('message-text')).toHaveText('typed at once');
    await expect(page.getByTestId('session-tab')).toHaveCount(1);
  });

  it('stops with Esc and with the button, and offers to ask again', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      core.addTurn('a', { role: 'user', parts: [{ type: 'text', text: 'Go on' }] });
      core.addTurn('a', { role: 'model', status: 'streaming', parts: [{ type: 'text', text: 'And so' }] });
    });
    await expect(page.getByTestId('stop')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(messages().nth(1)).toHaveAttribute('data-status', 'stopped');
    await expect(messages().nth(1)).toContainText('Stopped.');
    await expect(page.getByTestId('stop')).toHaveCount(0);
    await messages().nth(1).getByRole('button', { name: 'Ask again' }).click();
    await expect(messages().nth(2)).toHaveAttribute('data-status', 'streaming');
    await page.getByTestId('stop').click();
    await expect(messages().nth(2)).toHaveAttribute('data-status', 'stopped');
  });

  it('keeps a draft for each session over a reload', async () => {
    const two = () => {
      core.addSession({ id: 'a', createdAt: 1, lastActivityAt: 1 });
      core.addSession({ id: 'b', createdAt: 2, lastActivityAt: 2 });
    };
    await open(two);
    await tab('a').click();
    await composer().fill('for a');
    await tab('b').click();
    await expect(composer()).toHaveValue('');
    await composer().fill('for b');
    await tab('a').click();
    await expect(composer()).toHaveValue('for a');
    await page.reload();
    await start(two);
    await expect(tab('a')).toHaveAttribute('aria-selected', 'true');
    await expect(composer()).toHaveValue('for a');
    await tab('b').click();
    await expect(composer()).toHaveValue('for b');
  });

  it('shows a refused message where it was written and what cannot be reached as not kept yet', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.evaluate(() =>
      core.failNext('turns.send', { code: 'disk_full', message: 'The disk is full.', retry: 'user' }),
    );
    await composer().fill('precious');
    await page.getByTestId('send').click();
    await expect(page.getByTestId('send-problem')).toContainText('The disk is full.');
    await expect(composer()).toHaveValue('precious');
    await page.evaluate(() => core.setStatus('lost'));
    await page.getByTestId('send').click();
    await expect(messages()).toHaveAttribute('data-status', 'unkept');
    await expect(page.getByTestId('connection-banner')).toBeVisible();
    await expect(page.getByTestId('link-state')).toHaveAttribute('data-kind', 'unknown');
    await page.evaluate(() => core.setStatus('open'));
    await expect(messages()).toHaveAttribute('data-status', 'sent');
    await expect(messages()).toHaveCount(1);
    await expect(composer()).toHaveValue('');
    await expect(page.getByTestId('connection-banner')).toHaveCount(0);
  });
});

describe('reading', () => {
  const long = () => {
    core.addSession({ id: 'a', createdAt: 1 });
    core.addSession({ id: 'b', createdAt: 2, lastActivityAt: 1 });
    for (let at = 1; at <= 250; at += 1) {
      const text = `Message ${at}. ${'It has some words. '.repeat((at * 7) % 40)}`;
      core.addTurn('a', { role: at % 2 === 1 ? 'user' : 'model', parts: [{ type: 'text', text }] }, true);
    }
  };

  it('begins at the end and stays there while an answer streams', async () => {
    await open(long);
    await expect(page.getByText('Message 250.')).toBeInViewport();
    await expect.poll(fromEnd).toBeLessThan(2);
    await page.evaluate(() => {
      const answer = core.addTurn('a', { role: 'model', status: 'streaming' });
      for (let at = 0; at < 200; at += 1) core.delta(answer, `line ${at}\n`);
    });
    await expect(page.getByText('line 199')).toBeInViewport();
    await expect.poll(fromEnd).toBeLessThan(2);
  });

  it('leaves a reader alone who has gone up, and leads back with a button', async () => {
    await open(long);
    await expect.poll(fromEnd).toBeLessThan(2);
    await log().hover();
    await page.mouse.wheel(0, -900);
    const latest = page.getByTestId('jump-to-latest');
    await expect(latest).toBeVisible();
    const before = await log().evaluate((box) => box.scrollTop);
    await page.evaluate(() => {
      const answer = core.addTurn('a', { role: 'model', status: 'streaming' });
      for (let at = 0; at < 200; at += 1) core.delta(answer, `line ${at}\n`);
    });
    await expect(messages().last()).toContainText('line 199');
    expect(Math.abs((await log().evaluate((box) => box.scrollTop)) - before)).toBeLessThan(2);
    await latest.click();
    await expect(page.getByText('line 199')).toBeInViewport();
    await expect(latest).toHaveCount(0);
  });

  it('loads older messages ahead of the top without moving what is read', async () => {
    await open(long);
    await expect(messages()).toHaveCount(100);
    await expect.poll(fromEnd).toBeLessThan(2);
    const drift = await log().evaluate(async (box) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const top = () => box.getBoundingClientRect().top;
      box.scrollTop -= 200;
      await frame();
      // At the very top the browser's own anchoring does nothing.
      box.scrollTop = 0;
      const inView = [...box.querySelectorAll('[data-turn-id]')].find(
        (one) => one.getBoundingClientRect().bottom > top() + 100,
      )!;
      const before = inView.getBoundingClientRect().top;
      const count = box.querySelectorAll('[data-turn-id]').length;
      for (let at = 0; at < 120 && box.querySelectorAll('[data-turn-id]').length === count; at += 1) await frame();
      for (let at = 0; at < 5; at += 1) await frame();
      return {
        by: inView.getBoundingClientRect().top - before,
        more: box.querySelectorAll('[data-turn-id]').length - count,
      };
    });
    expect(drift.more).toBe(100);
    expect(Math.abs(drift.by)).toBeLessThan(4);
    await expect.poll(() => messages().count()).toBeGreaterThan(100);
    for (let at = 0; at < 6; at += 1) {
      await log().evaluate((box) => (box.scrollTop = 0));
      await page.waitForTimeout(100);
    }
    await expect(messages()).toHaveCount(250);
    await log().evaluate((box) => (box.scrollTop = 0));
    await expect(page.getByText('The beginning of this session')).toBeInViewport();
  });

  it('comes back to where a tab was left', async () => {
    await open(long);
    await expect.poll(fromEnd).toBeLessThan(2);
    await log().hover();
    await page.mouse.wheel(0, -1_500);
    await expect(page.getByTestId('jump-to-latest')).toBeVisible();
    const firstInView = () =>
      log().evaluate((box) => {
        const { top } = box.getBoundingClientRect();
        const seen = [...box.querySelectorAll<HTMLElement>('[data-turn-id]')].find(
          (one) => one.getBoundingClientRect().bottom > top,
        );
        return [seen?.dataset['turnId'], Math.round((seen?.getBoundingClientRect().top ?? 0) - top)];
      });
    await page.waitForTimeout(100);
    const left = await firstInView();
    await tab('b').click();
    await expect(page.getByText('Nothing here yet')).toBeVisible();
    await tab('a').click();
    await expect(messages()).toHaveCount(100);
    await expect.poll(firstInView).toEqual(left);
  });

  it('reads text as text, in its own direction, and wraps what has no spaces', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      core.addTurn('a', {
        role: 'user',
        parts: [{ type: 'text', text: `<img src=x onerror="alert(1)">${'x'.repeat(5_000)}` }],
      });
      core.addTurn('a', { role: 'model', parts: [{ type: 'text', text: 'שלום עולם' }] });
    });
    await expect(page.getByTestId('message-text').first()).toContainText('<img src=x');
    expect(await log().evaluate((box) => box.scrollWidth <= box.clientWidth)).toBe(true);
    expect(
      await page
        .getByTestId('message-text')
        .nth(1)
        .evaluate((text) => getComputedStyle(text).direction),
    ).toBe('rtl');
  });
});

describe('sessions', () => {
  const three = () => {
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      core.addSession({ id, title: id.toUpperCase(), createdAt: at, lastActivityAt: 10 - at });
    }
  };

  it('are gone through with the arrow keys, by number, and closed with Delete', async () => {
    await open(three);
    await tab('a').focus();
    await page.keyboard.press('ArrowRight');
    await expect(tab('b')).toBeFocused();
    await expect(tab('b')).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('End');
    await expect(tab('c')).toBeFocused();
    await page.keyboard.press('ArrowRight');
    await expect(tab('a')).toBeFocused();
    await page.keyboard.press('Alt+2');
    await expect(tab('b')).toHaveAttribute('aria-selected', 'true');
    await tab('b').focus();
    await page.keyboard.press('Delete');
    await expect(tab('b')).toHaveCount(0);
    await expect(tab('c')).toBeFocused();
    await expect(page.getByTestId('session-item')).toHaveCount(3);
    await page.keyboard.press('Alt+w');
    await expect(tab('c')).toHaveCount(0);
    await tab('a').click({ button: 'middle' });
    await expect(page.getByTestId('session-tab')).toHaveCount(0);
    await page.keyboard.press('Alt+n');
    await expect(page.getByTestId('session-tab')).toHaveCount(1);
    await expect(composer()).toBeFocused();
  });

  it('are renamed in place; Esc keeps the old title', async () => {
    await open(three);
    await expect(tab('a')).toBeVisible();
    await page.keyboard.press('F2');
    await page.getByLabel('Title of the session').fill('Not this');
    await page.keyboard.press('Escape');
    await expect(tab('a')).toHaveText('A');
    await tab('a').dblclick();
    await page.getByLabel('Title of the session').fill('Better');
    await page.keyboard.press('Enter');
    await expect(tab('a')).toHaveText('Better');
    await expect(page.getByTestId('session-item').first()).toContainText('Better');
  });

  it('take a new title when the field is left, without taking the focus back', async () => {
    await open(three);
    await tab('a').dblclick();
    await page.getByLabel('Title of the session').fill('Left');
    await composer().click();
    await expect(tab('a')).toHaveText('Left');
    await expect(composer()).toBeFocused();
  });

  it('are deleted only after being asked in place', async () => {
    await open(three);
    const item = page.getByTestId('session-item').filter({ hasText: 'B' });
    await item.getByRole('button', { name: 'B' }).first().focus();
    await page.keyboard.press('Delete');
    await expect(page.getByRole('button', { name: 'Keep' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('session-item')).toHaveCount(3);
    await page.keyboard.press('Delete');
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await expect(page.getByTestId('session-item')).toHaveCount(2);
    await expect(tab('b')).toHaveCount(0);
  });

  it('are in a drawer where there is little room, which gives the focus back', async () => {
    await open(three, { width: 360, height: 640 });
    await expect(page.getByTestId('session-item')).toHaveCount(0);
    const opener = page.getByRole('button', { name: 'Show sessions' });
    await opener.click();
    await expect(page.getByTestId('session-item')).toHaveCount(3);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('session-item')).toHaveCount(0);
    await expect(opener).toBeFocused();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});

describe('states', () => {
  it('of the link are told in words, with what can be done', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    const link = page.getByTestId('link-state');
    const set = (state: LinkState) => page.evaluate((to) => core.setLink('a', to), state);
    const since = Date.now();
    const lost: Problem = { code: 'connection_lost', message: 'The connection was lost.', retry: 'automatic' };
    await expect(link).toContainText('Not connected until you write');
    await set({ kind: 'live', since, restored: 'resumed' });
    await expect(link).toContainText('Live · Resumed');
    await set({ kind: 'live', since, restored: 'rebuilt' });
    await expect(link).toContainText('Rebuilt from your history');
    await set({ kind: 'waiting', since, attempt: 2, until: Date.now() + 3_000, problem: lost });
    await expect(link).toContainText(/trying again in [123] s/);
    await page.getByRole('button', { name: 'Reconnect now' }).click();
    await expect(link).toHaveAttribute('data-kind', 'connecting');
    await set({
      kind: 'needs-you',
      since: since + 60_000,
      problem: { code: 'key_invalid', message: 'Bad key.', retry: 'user' },
    });
    await expect(link).toContainText('Needs you: Bad key.');
    await page.locator('footer').getByRole('button', { name: 'Open settings' }).click();
    await expect(page.getByTestId('settings-dialog')).toBeVisible();
  });

  it('that refuse the page say so and leave nothing else on it', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.evaluate(() => core.setStatus('refused'));
    await expect(page.getByTestId('refused')).toContainText('Open the printed address again');
    await expect(composer()).toHaveCount(0);
  });

  it('of the demo end when a key is added, and begin again when it is removed', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    const banner = page.getByTestId('demo-banner');
    await banner.getByRole('button').click();
    await expect(page.getByTestId('api-key-input')).toBeFocused();
    await page.keyboard.type('AIza-not-a-real-key-x9Qz');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('settings-dialog')).toHaveCount(0);
    await expect(banner).toHaveCount(0);
    await page.getByTestId('settings-open').click();
    await expect(page.getByTestId('settings-dialog')).toContainText('A key ending in x9Qz is stored.');
    await page.getByTestId('api-key-remove').click();
    await page.getByTestId('api-key-remove-confirm').click();
    await expect(page.getByTestId('settings-dialog')).toContainText('No key yet');
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('settings-open')).toBeFocused();
    await expect(banner).toBeVisible();
  });

  it('of bad settings are shown at their field and keep the dialog open', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.getByTestId('settings-open').click();
    await page.getByTestId('api-key-input').fill('short');
    await page.getByTestId('settings-save').click();
    await expect(page.getByRole('alert')).toContainText('too short for an API key');
    await expect(page.getByTestId('api-key-input')).toHaveValue('short');
    await expect(page.getByTestId('api-key-input')).toBeFocused();
  });

  it('keep the buttons of the dialog in view, and what has the focus above them', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.getByTestId('settings-open').click();
    await page.setViewportSize({ width: 380, height: 480 });
    const buttons = page.getByTestId('settings-buttons');
    const seen = new Set<string>();
    for (let presses = 0; presses < 24; presses += 1) {
      await page.keyboard.press(presses < 12 ? 'Tab' : 'Shift+Tab');
      await expect(buttons).toBeInViewport({ ratio: 1 });
      const focused = await page.evaluate(() => {
        const row = document.querySelector('[data-testid="settings-buttons"]')!;
        const at = document.activeElement!;
        // The dialog itself, which scrolls, and the page around it are stops of the focus, too.
        if (row.contains(at) || at.contains(row)) return null;
        const name = at.getAttribute('data-testid') ?? at.textContent ?? '';
        return { name, gap: row.getBoundingClientRect().top - at.getBoundingClientRect().bottom };
      });
      if (focused === null) continue;
      seen.add(focused.name);
      expect(focused.gap, focused.name).toBeGreaterThan(0);
    }
    expect(seen).toContain('timeout-minutes');
  });

  it('of the theme follow the setting at once', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await page.getByTestId('settings-open').click();
    await page.getByText('Dark', { exact: true }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.getByText('Light', { exact: true }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
    expect(await ground()).not.toBe(dark);
  });

  it('that are told by notices can be dismissed', async () => {
    await open(() => void core.addSession({ id: 'a' }));
    await expect(tab('a')).toBeVisible();
    await page.evaluate(() =>
      core.emit({
        type: 'notice',
        notice: { id: 'n', at: 1, problem: { code: 'journal_damaged', message: 'It was mended.', retry: 'never' } },
      }),
    );
    await expect(page.getByTestId('notice')).toContainText('It was mended.');
    await page.getByTestId('notice').getByRole('button', { name: 'Dismiss' }).click();
    await expect(page.getByTestId('notice')).toHaveCount(0);
  });
});
