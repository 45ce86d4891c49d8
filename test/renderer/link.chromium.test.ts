import type { Browser, Page } from 'playwright';
import { expect } from 'playwright/test';
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { defaultSettings } from '../../src/contract/index.ts';
import type { LinkState, Note, Problem } from '../../src/contract/index.ts';
import { launchChromium } from './page/browser.ts';
import { servePage } from './page/server.ts';

/*
 * What the window shows of the link, in a real Chromium over the fake core of `page/page.tsx`. Code inside `evaluate`
 * runs in that page, where `core`, `holdfast` and `show` are.
 */

const BUILD_MS = 60_000;
const ACTION_MS = 8_000;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 640 };

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

async function open(prepare: () => void, size = WIDE): Promise<void> {
  page = await browser.newPage({ viewport: size });
  page.setDefaultTimeout(ACTION_MS);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(served.url);
  await page.evaluate(prepare);
  await page.evaluate(() => show());
  await expect(page.getByTestId('composer')).toBeVisible();
}

const link = () => page.getByTestId('link-state');
const panel = () => page.getByTestId('link-panel');
const messages = () => page.getByTestId('message');
const notes = () => page.getByTestId('note');
const set = (state: LinkState) => page.evaluate((to) => void core.setLink('a', to), state);
const calls = (name: string) =>
  page.evaluate((of) => core.calls.filter((call) => call.name === of).map((call) => call.input), name);
const lost: Problem = { code: 'connection_lost', message: 'The connection was lost.', retry: 'automatic' };
const one = () => void core.addSession({ id: 'a' });

describe('the state of the link', () => {
  it('has words, a glyph of its own and its time for every kind', async () => {
    await open(one);
    const since = new Date().setHours(9, 41, 0, 0);
    const until = Date.now() + 60_000;
    const states: readonly [LinkState, RegExp][] = [
      [{ kind: 'idle', since }, /Not connected until you write/],
      [{ kind: 'connecting', since }, /Connecting/],
      [{ kind: 'restoring', since, turns: 12 }, /Telling the server what came before \(12 turns\)/],
      [{ kind: 'live', since, restored: 'resumed-older' }, /Live · Resumed from an older point/],
      [{ kind: 'live', since, restored: 'summarised' }, /Live · Told again as a summary/],
      [{ kind: 'rotating', since, until }, /Changing to a fresh connection/],
      [{ kind: 'waiting', since, attempt: 2, until, problem: lost }, /trying again in \d+ s/],
      [{ kind: 'paused', since, by: 'user' }, /Paused/],
      [{ kind: 'paused', since, by: 'offline' }, /Paused until there is a network/],
      [{ kind: 'needs-you', since, problem: lost }, /Needs you: The connection was lost\./],
      [{ kind: 'closed', since }, /Closed/],
    ];
    const shapes = new Map<string, string>();
    for (const [state, says] of states) {
      await set(state);
      await expect(link()).toHaveAttribute('data-kind', state.kind);
      await expect(link()).toContainText(says);
      await expect(link()).toContainText(/since 0?9:41/);
      shapes.set(
        state.kind,
        await link()
          .locator('svg')
          .first()
          .evaluate((svg) => svg.innerHTML),
      );
    }
    expect(new Set(shapes.values()).size).toBe(shapes.size);
  });

  it('says while it waits why, in a wide and in a narrow window', async () => {
    const until = Date.now() + 60_000;
    const waiting: LinkState = { kind: 'waiting', since: Date.now(), attempt: 2, until, problem: lost };
    for (const size of [WIDE, NARROW]) {
      await open(one, size);
      await set(waiting);
      const why = link().getByText('The connection was lost', { exact: true });
      await expect(why).toBeInViewport({ ratio: 1 });
      expect(await why.evaluate((it) => it.scrollWidth <= it.clientWidth)).toBe(true);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(size.width);
      if (size === WIDE) await page.close();
    }
  });

  it('is made anew from the panel in every state but by a pause of the user or when closed', async () => {
    await open(one);
    await link().click();
    const since = Date.now();
    const until = since + 60_000;
    const offered: readonly LinkState[] = [
      { kind: 'idle', since },
      { kind: 'connecting', since },
      { kind: 'restoring', since, turns: 3 },
      { kind: 'live', since, restored: 'new' },
      { kind: 'rotating', since, until },
      { kind: 'waiting', since, attempt: 1, until, problem: lost },
      { kind: 'paused', since, by: 'offline' },
      { kind: 'needs-you', since, problem: lost },
    ];
    for (const [at, state] of offered.entries()) {
      await set(state);
      await expect(link()).toHaveAttribute('data-kind', state.kind);
      await page.getByTestId('link-reconnect').click();
      await expect.poll(() => calls('links.reconnect')).toHaveLength(at + 1);
    }
    for (const state of [{ kind: 'paused', since, by: 'user' } as const, { kind: 'closed', since } as const]) {
      await set(state);
      await expect(link()).toHaveAttribute('data-kind', state.kind);
      await expect(page.getByTestId('link-reconnect')).toHaveCount(0);
    }
  });

  it('says before it is made anew what becomes of the answer under way', async () => {
    await open(() => {
      core.addSession({ id: 'a', link: { kind: 'live', since: Date.now(), restored: 'new' } });
      core.addTurn('a', { id: 'first', role: 'model', status: 'interrupted' });
    });
    await link().click();
    await expect(panel()).toContainText('Takes a new connection in place of this one.');
    await expect(panel()).not.toContainText('The answer is cut');
    await page.evaluate(() => core.addTurn('a', { id: 'second', role: 'model', status: 'streaming' }));
    await expect(panel()).toContainText('The answer is cut there and goes on by itself.');
    await page.evaluate((settings) => core.setView({ settings }), { ...defaultSettings, cutAnswers: 'leave' as const });
    await expect(panel()).toContainText('The answer is cut there; you can ask again.');
  });

  it('offers for a used up quota what helps', async () => {
    await open(one);
    const message = 'The quota of this API key is used up.';
    await set({ kind: 'needs-you', since: 1, problem: { code: 'quota_exceeded', message, retry: 'user' } });
    await expect(page.locator('footer').getByRole('button', { name: 'Use another key' })).toBeVisible();
    await link().click();
    await expect(panel()).toContainText('A key of another project has a quota of its own.');
    await expect(panel()).toContainText('Connects at once when the quota has been renewed or raised.');
    await page.evaluate(() => core.setView({ fixed: ['apiKey'] }));
    await expect(panel()).toContainText('The key comes from the environment.');
    await expect(page.getByRole('button', { name: 'Use another key' })).toHaveCount(0);
    await set({ kind: 'needs-you', since: 1, problem: { code: 'region_unsupported', message, retry: 'user' } });
    await expect(panel()).toContainText('from a place where it offers the API');
    await expect(panel().getByRole('button', { name: 'Open settings' })).toHaveCount(0);
  });

  it('is paused, goes on and starts fresh from the panel, which says what each does', async () => {
    await open(() => void core.addSession({ id: 'a', link: { kind: 'live', since: Date.now(), restored: 'new' } }));
    await link().click();
    await expect(panel()).toContainText('kept and sent then');
    await page.getByTestId('link-pause').click();
    await expect(link()).toHaveAttribute('data-kind', 'paused');
    await page.getByTestId('link-resume').click();
    await expect(link()).toHaveAttribute('data-kind', 'connecting');
    await expect(panel()).toContainText('Nothing here is deleted.');
    await page.getByTestId('link-fresh').click();
    await expect(panel()).toContainText('Done. The next connection is a new one');
    expect(await calls('links.startFresh')).toEqual([{ sessionId: 'a' }]);
  });

  it('goes on after a pause without the panel', async () => {
    await open(() => void core.addSession({ id: 'a', link: { kind: 'paused', since: Date.now(), by: 'user' } }));
    await page.getByTestId('link-resume').click();
    await expect(link()).toHaveAttribute('data-kind', 'connecting');
  });

  it('is told of the network of the browser', async () => {
    await open(one);
    await expect.poll(() => calls('links.network')).toEqual([{ online: true }]);
    await page.context().setOffline(true);
    await expect.poll(() => calls('links.network')).toEqual([{ online: true }, { online: false }]);
    await page.context().setOffline(false);
    await expect.poll(() => calls('links.network')).toEqual([{ online: true }, { online: false }, { online: true }]);
  });
});

describe('the panel of the link', () => {
  const healthy = () => {
    const now = Date.now();
    const problem = {
      code: 'connection_lost',
      message: 'Connect again.',
      retry: 'automatic',
      context: { closeCode: 1006, reason: 'gone' },
    } as const;
    core.addSession({ id: 'a', link: { kind: 'live', since: now - 60_000, restored: 'resumed' } });
    core.health = {
      roundTripMs: 84.4,
      firstDeltaMs: 620,
      dropsLastHour: 1,
      nextRotationAt: now + 8 * 60_000 + 30_000,
      contextTokens: 12_480,
      connections: [
        { epoch: 2, openedAt: now - 600_000, endedAt: now - 60_000, restored: 'resumed', why: 'lost', problem },
        { epoch: 1, openedAt: now - 1_200_000, endedAt: now - 600_000, restored: 'new', why: 'rotated' },
      ],
    };
  };

  it('shows how well the link is and the connections before, and keeps them up to date while it is open', async () => {
    await open(healthy);
    expect(await calls('links.health')).toEqual([]);
    await link().click();
    for (const words of ['84 ms', '620 ms', 'in 8 min', '12,480 tokens']) await expect(panel()).toContainText(words);
    const records = page.getByTestId('connection-record');
    await expect(records).toHaveCount(2);
    await expect(records.first()).toContainText('The connection was lost');
    await expect(records.first()).not.toContainText('Connect again.');
    await expect(records.first().getByText('Close code 1006: gone')).toBeHidden();
    await records.first().getByText('Details').click();
    await expect(records.first().getByText('Close code 1006: gone')).toBeVisible();
    await expect(records.first()).toContainText('Resumed by the server');
    await expect(records.first()).toContainText('for 9 min');
    await expect(records.nth(1)).toContainText('Replaced by a fresh one before its time ran out');
    await page.evaluate(() => (core.health = { dropsLastHour: 7, connections: [] }));
    await expect(panel()).toContainText('Not measured yet');
    await expect(records).toHaveCount(0);
    await page.keyboard.press('Escape');
    await expect(panel()).toHaveCount(0);
    const asked = (await calls('links.health')).length;
    await page.waitForTimeout(2_500);
    expect((await calls('links.health')).length).toBe(asked);
  });

  it('says so when the figures cannot be read', async () => {
    await open(one);
    await page.evaluate((problem) => core.failNext('links.health', problem), lost);
    await link().click();
    await expect(panel()).toContainText('These figures could not be read. The connection was lost.');
  });

  it('takes the focus, gives it back with Esc, and closes when something else is pressed', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      core.addTurn('a', { role: 'user' });
      core.addTurn('a', { role: 'model', status: 'streaming' });
    });
    await link().click();
    await expect(panel()).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(panel()).toHaveCount(0);
    await expect(link()).toBeFocused();
    expect(await calls('turns.stop')).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(panel()).toBeVisible();
    await page.getByTestId('session-tab').click();
    await expect(panel()).toHaveCount(0);
    await link().click();
    await expect(panel()).toBeVisible();
    await page.getByTestId('composer').focus();
    await expect(panel()).toHaveCount(0);
    await link().click();
    await link().click();
    await expect(panel()).toHaveCount(0);
  });

  it('fits a narrow window', async () => {
    await open(healthy, NARROW);
    await link().click();
    const box = (await panel().boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(NARROW.width);
    expect(box.y).toBeGreaterThanOrEqual(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(NARROW.width);
    await page.getByTestId('connection-record').last().scrollIntoViewIfNeeded();
    await expect(page.getByTestId('connection-record').last()).toBeInViewport();
  });
});

describe('a conversation with a history of connections', () => {
  const cut = () => {
    const problem = { code: 'answer_cut', message: 'Lost while this was being said.', retry: 'user' } as const;
    core.addSession({ id: 'a', link: { kind: 'live', since: Date.now(), restored: 'resumed' } });
    core.addTurn('a', { id: 'q', role: 'user', parts: [{ type: 'text', text: 'Tell me' }] });
    core.addTurn('a', {
      id: 'first',
      role: 'model',
      status: 'interrupted',
      replyTo: 'q',
      problem,
      parts: [{ type: 'text', text: 'It began' }],
    });
  };

  it('shows each note as a quiet line that is no message', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      for (const [note, turns] of [
        ['resumed', 0],
        ['resumed-older', 2],
        ['rebuilt', 14],
        ['summarised', 90],
        ['context-lost', 0],
      ] as [Note, number][]) {
        core.addTurn('a', { role: 'note', parts: [{ type: 'note', note, turns }] });
      }
    });
    await expect(notes()).toHaveText([
      'Resumed by the server',
      'Resumed from an older point; what came after was told again (2 turns)',
      'Rebuilt from your history (14 turns)',
      'Told again as a summary (90 turns)',
      'The server had forgotten the conversation; it is told again at the next message',
    ]);
    await expect(notes().nth(2)).toHaveAttribute('data-note', 'rebuilt');
    await expect(messages()).toHaveCount(0);
  });

  it('joins a continued answer to the one that was cut, which then asks for nothing', async () => {
    await open(cut);
    const first = messages().nth(1);
    await expect(first).toContainText('Lost while this was being said.');
    await expect(first).not.toContainText('it goes on below');
    await expect(first.getByRole('button', { name: 'Ask again' })).toBeVisible();
    await page.evaluate(() => {
      core.addTurn('a', { role: 'note', parts: [{ type: 'note', note: 'resumed', turns: 0 }] });
      const more = core.addTurn('a', { role: 'model', status: 'streaming', replyTo: 'q', continues: 'first' });
      core.delta(more, 'and so it went on');
    });
    const second = messages().nth(2);
    await expect(second).toContainText('Goes on after the cut');
    await expect(second).toHaveAttribute('data-continues', 'first');
    await expect(first).not.toContainText('Lost while this was being said.');
    await expect(first).toContainText('Cut off here; it goes on below');
    await expect(first.getByRole('button', { name: 'Ask again' })).toHaveCount(0);
  });

  it('says of a cut answer whose question waits that it goes on', async () => {
    await open(cut);
    await page.evaluate(() => {
      const [question] = core.turns.get('a')!;
      core.setLink('a', { kind: 'paused', since: Date.now(), by: 'user' });
      core.changeTurn(question!, { status: 'queued' });
    });
    await expect(messages().nth(1)).toContainText('Goes on when connected.');
    await expect(messages().nth(1).getByRole('button', { name: 'Ask again' })).toHaveCount(0);
  });

  it('keeps the buttons of the last answer when a note comes after it', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      core.addTurn('a', { role: 'user', parts: [{ type: 'text', text: 'Hi' }] });
      core.addTurn('a', { role: 'model', parts: [{ type: 'text', text: 'Hello' }] });
      core.addTurn('a', { role: 'note', parts: [{ type: 'note', note: 'context-lost', turns: 0 }] });
    });
    await expect(notes()).toHaveCount(1);
    const copy = messages().nth(1).getByRole('button', { name: 'Copy' });
    expect(await copy.evaluate((button) => getComputedStyle(button).opacity)).toBe('1');
  });

  it('says of what the user wrote whether it waits, was stopped or failed', async () => {
    await open(() => {
      core.addSession({ id: 'a', link: { kind: 'paused', since: Date.now(), by: 'user' } });
      core.addTurn('a', { role: 'user', status: 'stopped', parts: [{ type: 'text', text: 'One' }] });
      core.addTurn('a', {
        role: 'user',
        status: 'failed',
        parts: [{ type: 'text', text: 'Two' }],
        problem: { code: 'turn_rejected', message: 'The server did not take this.', retry: 'user' },
      });
      core.addTurn('a', { role: 'user', status: 'queued', parts: [{ type: 'text', text: 'Three' }] });
      core.addTurn('a', { role: 'user', status: 'queued', parts: [{ type: 'text', text: 'Four' }] });
    });
    await expect(messages().nth(0)).toContainText('Stopped before an answer came.');
    await expect(messages().nth(1)).toContainText('TwoThe server did not take this.');
    for (const at of [2, 3]) await expect(messages().nth(at)).toContainText('Will be sent when connected');
    await set({ kind: 'live', since: Date.now(), restored: 'new' });
    await expect(messages().nth(2)).not.toContainText('Will be sent');
    await expect(messages().nth(3)).toContainText('Kept. Not sent yet.');
    await messages().nth(0).getByRole('button', { name: 'Send again' }).click();
    await messages().nth(1).getByRole('button', { name: 'Send again' }).click();
    await expect.poll(() => calls('turns.regenerate')).toHaveLength(2);
  });

  it('says why an answer ended, where that is known', async () => {
    await open(() => {
      core.addSession({ id: 'a' });
      const problem = { code: 'answer_cut', message: 'Holdfast was closed.', retry: 'user' } as const;
      for (const status of ['interrupted', 'stopped', 'failed'] as const) {
        core.addTurn('a', { role: 'model', status, problem });
        core.addTurn('a', { role: 'model', status });
      }
    });
    const said = [
      'Holdfast was closed.',
      'cut off',
      'Holdfast was closed.',
      'Stopped.',
      'Holdfast was closed.',
      'did not work',
    ];
    await expect(messages()).toHaveCount(said.length);
    for (const [at, words] of said.entries()) await expect(messages().nth(at)).toContainText(words);
  });
});
