import { readFileSync } from 'node:fs';
import { ANSWER_WITHIN_MS, converse, expect, messages, say, someOf, test, textOf } from './support/fixtures.ts';

test.describe('a first run', () => {
  test('takes the token out of the address, says that this is a demo, and answers as one', async ({ page, host }) => {
    const { url, origin } = await host();
    await page.goto(url);
    await expect(page).toHaveURL(`${origin}/`);
    await expect(page.getByTestId('demo-banner')).toBeVisible();
    expect(await page.evaluate(() => [document.cookie, history.length])).toEqual(['', expect.any(Number)]);

    await say(page, 'Hello, my name is Ada');
    await expect(textOf(messages(page, 'user').last())).toHaveText('Hello, my name is Ada');
    const answer = messages(page, 'model').last();
    await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
    await expect(answer.getByRole('heading')).toHaveText('Demo');
    await expect(textOf(answer)).toContainText('Ada');
    await expect(page.getByTestId('link-state')).toHaveAttribute('data-kind', 'live');
    await expect(page.getByTestId('session-tab')).toHaveText('Hello, my name is Ada');
  });

  test('streams: an answer is seen to grow before it is complete', async ({ page, host }) => {
    await page.goto((await host()).url);
    await say(page, 'Count to 30');
    const answer = messages(page, 'model').last();
    const begun = await someOf(answer, 5);
    await expect(answer).toHaveAttribute('data-status', 'streaming');
    await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
    const whole = await textOf(answer).innerText();
    expect(whole.length).toBeGreaterThan(begun.length);
    expect(whole.startsWith(begun.trimEnd())).toBe(true);
  });
});

test('a conversation is there after a reload, in the same tab', async ({ page, host }) => {
  await page.goto((await host()).url);
  const answer = await converse(page, 'Hello, my name is Ada');
  await page.reload();
  await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada']);
  await expect(textOf(messages(page, 'model'))).toHaveText([answer], { useInnerText: true });
  await expect(page.getByTestId('session-tab')).toHaveAttribute('aria-selected', 'true');
});

test('a conversation survives a kill of the host, and the model still knows the name', async ({
  page,
  host,
  browser,
}) => {
  const first = await host();
  await page.goto(first.url);
  const greeting = await converse(page, 'Hello, my name is Ada');
  const counted = await converse(page, 'Count to 3');
  await page.close();
  await first.kill();

  const second = await host({ dataDir: first.start.dataDir });
  // As on another day: a browser that knows nothing of the first.
  const context = await browser.newContext();
  const later = await context.newPage();
  await later.goto(second.url);
  await expect(textOf(messages(later, 'user'))).toHaveText(['Hello, my name is Ada', 'Count to 3']);
  await expect(textOf(messages(later, 'model'))).toHaveText([greeting, counted], { useInnerText: true });
  expect(await converse(later, 'What is my name?')).toContain('Ada');
  await context.close();
});

test('two pages of one host see what happens in the other, live', async ({ page, context, host }) => {
  const { url, origin } = await host();
  await page.goto(url);
  await converse(page, 'Hello from the first page');
  const other = await context.newPage();
  await other.goto(origin);
  await expect(textOf(messages(other, 'user'))).toHaveText(['Hello from the first page']);

  await say(other, 'Count to 20');
  await expect(textOf(messages(page, 'user').last())).toHaveText('Count to 20');
  const [here, there] = [messages(page, 'model').nth(1), messages(other, 'model').nth(1)];
  await someOf(here, 5);
  await expect(here).toHaveAttribute('data-status', 'streaming');
  await expect(there).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
  await expect(here).toHaveAttribute('data-status', 'complete');
  expect(await textOf(here).innerText()).toBe(await textOf(there).innerText());

  await page.getByTestId('new-session').click();
  await expect(page.getByTestId('session-tab')).toHaveCount(2);
  await expect(other.getByTestId('session-tab')).toHaveCount(2);
});

test('an answer is stopped, what had come stays, and the next question is answered', async ({ page, host }) => {
  await page.goto((await host()).url);
  await say(page, 'Count to 200');
  const answer = messages(page, 'model').first();
  const begun = await someOf(answer, 20);
  await page.getByTestId('stop').click();
  await expect(answer).toHaveAttribute('data-status', 'stopped');
  await expect(page.getByTestId('stop')).toBeHidden();
  const kept = await textOf(answer).innerText();
  expect(kept.startsWith(begun.trimEnd())).toBe(true);
  expect(kept).not.toContain('200');
  expect(await converse(page, 'Count to 3')).toMatch(/\b3\b/);
  expect(await textOf(answer).innerText()).toBe(kept);
});

test('a conversation is exported, deleted and imported: it is there word for word, and goes on', async ({
  page,
  host,
}) => {
  await page.goto((await host()).url);
  const greeting = await converse(page, 'Hello, my name is Ada');
  const counted = await converse(page, 'Count to 3');
  const item = page.getByTestId('session-item');
  await item.hover();
  await item.getByRole('button', { name: 'Export…' }).click();
  const downloading = page.waitForEvent('download');
  await page.getByTestId('export-start').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('Hello, my name is Ada.json');
  const file = await download.path();
  await expect(page.getByTestId('export-done')).toContainText('1 session');
  await page.getByRole('button', { name: 'Done' }).click();

  await item.hover();
  await item.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await expect(item).toHaveCount(0);

  await page.getByTestId('settings-open').click();
  await page.getByTestId('import-open').click();
  await page.getByTestId('import-input').setInputFiles({
    name: 'Hello.json',
    mimeType: 'application/json',
    buffer: readFileSync(file),
  });
  await expect(page.getByTestId('import-report')).toHaveText('1 session imported.');
  await page.getByTestId('import-dialog').getByRole('button', { name: 'Hello, my name is Ada' }).click();
  await expect(page.getByTestId('import-dialog')).toBeHidden();
  await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada', 'Count to 3']);
  await expect(textOf(messages(page, 'model'))).toHaveText([greeting, counted], { useInnerText: true });
  expect(await converse(page, 'What is my name?')).toContain('Ada');
});

test.describe('a host that goes away', () => {
  test('in the middle of an answer is waited for, and nothing that was shown is lost', async ({
    page,
    host,
    complaints,
  }) => {
    const first = await host();
    await page.goto(first.url);
    await converse(page, 'Hello, my name is Ada');
    await say(page, 'Count to 200');
    // The second answer by its place: the last one is the first until it comes.
    const answer = messages(page, 'model').nth(1);
    const shown = await someOf(answer, 30);
    complaints.expectLostHost();
    await first.kill();
    await expect(page.getByTestId('connection-banner')).toContainText('Reconnecting');
    await expect(textOf(answer)).toContainText(shown.trimEnd());

    await host({ ...first.start, port: first.port });
    await expect(page.getByTestId('connection-banner')).toBeHidden({ timeout: ANSWER_WITHIN_MS });
    await expect(answer).toHaveAttribute('data-status', 'interrupted');
    expect((await textOf(answer).innerText()).startsWith(shown.trimEnd())).toBe(true);
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada', 'Count to 200']);
    expect(await converse(page, 'What is my name?')).toContain('Ada');
  });

  test('gets what was written meanwhile when it is back, once', async ({ page, host, complaints }) => {
    const first = await host();
    await page.goto(first.url);
    await converse(page, 'Hello, my name is Ada');
    complaints.expectLostHost();
    await first.kill();
    await expect(page.getByTestId('connection-banner')).toBeVisible();
    await say(page, 'What is my name?');
    await expect(messages(page, 'user').last()).toHaveAttribute('data-status', 'unkept');

    await host({ ...first.start, port: first.port });
    const answer = messages(page, 'model').nth(1);
    await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
    await expect(textOf(answer)).toContainText('Ada');
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada', 'What is my name?']);
    await page.reload();
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada', 'What is my name?']);
  });

  test('and no longer knows the page says how to get in again', async ({ page, context, host, complaints }) => {
    const first = await host();
    await page.goto(first.url);
    await converse(page, 'Hello, my name is Ada');
    await context.clearCookies();
    complaints.expectLostHost();
    complaints.expectRefusal();
    await first.kill();
    const second = await host({ ...first.start, port: first.port });
    await expect(page.getByTestId('refused')).toBeVisible({ timeout: ANSWER_WITHIN_MS });
    await expect(page.getByTestId('composer')).toBeHidden();
    await page.goto(second.url);
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada']);
  });
});

test.describe('sessions', () => {
  test('can be used with the keyboard alone', async ({ page, host }) => {
    const { keyboard } = page;
    await page.goto((await host()).url);
    const composer = page.getByTestId('composer');
    const tabs = page.getByTestId('session-tab');
    await expect(composer).toBeFocused();
    await keyboard.type('Count to 200');
    await keyboard.press('Enter');
    const answer = messages(page, 'model').last();
    await someOf(answer, 10);
    await keyboard.press('Escape');
    await expect(answer).toHaveAttribute('data-status', 'stopped');

    await keyboard.press('Alt+n');
    await expect(tabs).toHaveCount(2);
    await expect(composer).toBeFocused();
    await keyboard.type('First line');
    await keyboard.press('Shift+Enter');
    await keyboard.type('second line');
    await keyboard.press('Enter');
    await expect(textOf(messages(page, 'user'))).toHaveText(['First line\nsecond line'], { useInnerText: true });
    await expect(messages(page, 'model').last()).toHaveAttribute('data-status', 'complete', {
      timeout: ANSWER_WITHIN_MS,
    });

    await keyboard.press('Alt+1');
    await expect(textOf(messages(page, 'user'))).toHaveText(['Count to 200']);
    await keyboard.press('Alt+2');
    await expect(textOf(messages(page, 'user'))).toContainText(['First line']);

    await keyboard.press('F2');
    await keyboard.type('Named by keyboard');
    await keyboard.press('Enter');
    await expect(tabs.nth(1)).toHaveText('Named by keyboard');
    await expect(tabs.nth(1)).toBeFocused();
    await keyboard.press('ArrowLeft');
    await expect(tabs.nth(0)).toBeFocused();
    await expect(tabs.nth(0)).toHaveAttribute('aria-selected', 'true');
    await keyboard.press('Delete');
    await expect(tabs).toHaveText(['Named by keyboard']);
    await expect(page.getByTestId('session-item')).toHaveCount(2);
  });

  test('are renamed, closed, opened again and deleted, for this page and after a reload', async ({ page, host }) => {
    await page.goto((await host()).url);
    await converse(page, 'Hello, my name is Ada');
    const item = page.getByTestId('session-item').first();
    const tabs = page.getByTestId('session-tab');

    await item.hover();
    await item.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Title of the session' }).fill('Ada’s session');
    await page.keyboard.press('Enter');
    await expect(tabs).toHaveText('Ada’s session');
    await expect(page).toHaveTitle(/^Ada’s session/);

    await item.hover();
    await item.getByRole('button', { name: 'Close tab' }).click();
    await expect(tabs).toHaveCount(0);
    await page.reload();
    await expect(item).toContainText('Ada’s session');
    await expect(tabs).toHaveCount(0);

    await item.getByRole('button', { name: /^Ada’s session/ }).click();
    await expect(tabs).toHaveText('Ada’s session');
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada']);

    await item.hover();
    await item.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Keep' }).click();
    await expect(tabs).toHaveCount(1);
    await item.hover();
    await item.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await expect(tabs).toHaveCount(0);
    await expect(page.getByTestId('session-item')).toHaveCount(0);
    await page.reload();
    await expect(page.getByTestId('demo-banner')).toBeVisible();
    await expect(page.getByTestId('session-item')).toHaveCount(0);
  });
});

test.describe('the settings', () => {
  const KEY = 'a-key-of-the-test-4711';

  test('take a key, which makes Gemini answer, and give it up, which brings the demo back', async ({
    page,
    host,
    simulator,
  }) => {
    const gemini = await simulator({ apiKeys: [KEY] });
    await page.goto((await host({ env: { HOLDFAST_GEMINI_BASE_URL: gemini.url } })).url);
    await converse(page, 'Hello, my name is Ada');
    await expect(messages(page, 'model').last().getByRole('heading')).toHaveText('Demo');
    expect(gemini.connections).toHaveLength(0);

    await page.getByTestId('settings-open').click();
    await page.getByTestId('api-key-input').fill(KEY);
    await page.getByTestId('settings-save').click();
    await expect(page.getByTestId('settings-dialog')).toBeHidden();
    await expect(page.getByTestId('demo-banner')).toBeHidden();
    expect(await converse(page, 'What is my name?')).toContain('Ada');
    await expect(messages(page, 'model').last().getByRole('heading')).toHaveText('Gemini');
    expect(gemini.connections.length).toBeGreaterThan(0);

    await page.getByTestId('settings-open').click();
    await expect(page.getByTestId('settings-dialog')).toContainText('4711');
    expect(await page.content()).not.toContain(KEY);
    await page.getByRole('button', { name: 'Remove the key' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('settings-dialog')).toBeHidden();
    await expect(page.getByTestId('demo-banner')).toBeVisible();
    await converse(page, 'Count to 3');
    await expect(messages(page, 'model').last().getByRole('heading')).toHaveText('Demo');
  });

  test('with a wrong key say what to do, and what waits goes out with the right one', async ({
    page,
    host,
    simulator,
  }) => {
    const gemini = await simulator({ apiKeys: [KEY] });
    await page.goto((await host({ env: { HOLDFAST_GEMINI_BASE_URL: gemini.url } })).url);
    const setKey = async (key: string) => {
      await page.getByTestId('settings-open').click();
      await page.getByTestId('api-key-input').fill(key);
      await page.getByTestId('settings-save').click();
      await expect(page.getByTestId('settings-dialog')).toBeHidden();
    };
    await setKey('this-is-not-the-key');
    await say(page, 'Hello, my name is Ada');
    await expect(page.getByTestId('link-state')).toHaveAttribute('data-kind', 'needs-you');
    await expect(page.getByTestId('link-state')).toContainText('does not accept this API key');
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada']);
    await setKey(KEY);
    const answer = messages(page, 'model').last();
    await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
    await expect(textOf(answer)).toContainText('Ada');
    await expect(textOf(messages(page, 'user'))).toHaveText(['Hello, my name is Ada']);
  });

  test('refuse what is no key, in words, and stay open', async ({ page, host }) => {
    await page.goto((await host()).url);
    await page.getByTestId('settings-open').click();
    await page.getByTestId('api-key-input').fill('short');
    await page.getByTestId('settings-save').click();
    await expect(page.getByTestId('settings-dialog')).toContainText('too short');
    await expect(page.getByTestId('demo-banner')).toBeVisible();
  });
});

test.describe('hostile text', () => {
  const HOSTILE: readonly (readonly [string, string])[] = [
    ['markup', '<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script><b>bold</b>'],
    ['an attribute', '"><svg/onload=window.pwned=1> \' onmouseover=window.pwned=1 x="'],
    [
      'a link',
      '<a href="javascript:window.pwned=1">here</a> [x](javascript:window.pwned=1) ![x](http://127.0.0.1:9/x)',
    ],
    ['a template', '{{constructor.constructor("window.pwned=1")()}} ${window.pwned=1} <%= 1 %>'],
    ['turned directions', 'safe \u202Eexe.txt\u202C \u2066\u2067\u2068 never closed, مرحبا שלום'],
    ['marks upon marks', `Z${'\u0300\u0489'.repeat(300)}algo`],
    ['controls and nothing', 'a\u0000b\u0007c\u200B\uFEFFd\u2028e'],
  ];

  test('of the user and of the model is shown as text and does nothing', async ({ page, host, simulator }) => {
    test.slow();
    const gemini = await simulator({
      pace: 'instant',
      script: {
        answers: HOSTILE.map(([name, text]) => ({ match: `^About ${name}$`, do: { kind: 'say', pieces: [text] } })),
      },
    });
    const env = { HOLDFAST_GEMINI_BASE_URL: gemini.url, HOLDFAST_GEMINI_API_KEY: 'any-key-will-do' };
    await page.goto((await host({ env })).url);
    page.on('dialog', () => expect(true, 'no dialog opens').toBe(false));
    for (const [name, text] of HOSTILE) {
      await page.getByTestId('new-session').click();
      await expect(messages(page, 'user')).toHaveCount(0);
      await converse(page, text);
      await converse(page, `About ${name}`);
      // textContent: what is in the document, whatever it looks like.
      expect([name, await textOf(messages(page, 'user').first()).textContent()]).toEqual([name, text]);
      expect([name, await textOf(messages(page, 'model').nth(1)).textContent()]).toEqual([name, text]);
    }
    const planted = page.locator('[data-testid="message-text"]').locator('img, script, a, b, svg:not([class]), iframe');
    await expect(planted).toHaveCount(0);
    expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
    await page.reload();
    await expect(page.getByTestId('session-tab')).toHaveCount(HOSTILE.length);
    expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
  });

  test('of 100,000 letters without a space stays within its column', async ({ page, host, simulator }) => {
    test.slow();
    const long = 'x'.repeat(100_000);
    const gemini = await simulator({
      pace: 'instant',
      script: { answers: [{ match: '', do: { kind: 'say', pieces: [long] } }] },
    });
    const env = { HOLDFAST_GEMINI_BASE_URL: gemini.url, HOLDFAST_GEMINI_API_KEY: 'any-key-will-do' };
    await page.goto((await host({ env })).url);
    await converse(page, long);
    for (const role of ['user', 'model'] as const) {
      expect((await textOf(messages(page, role).last()).textContent())?.length).toBe(long.length);
    }
    for (const width of [1_280, 480]) {
      await page.setViewportSize({ width, height: 720 });
      const over = await page.evaluate(() => {
        const scroller = document.querySelector('[role="log"]')!.parentElement!.parentElement!;
        const { left, right } = scroller.getBoundingClientRect();
        const texts = [...document.querySelectorAll('[data-testid="message-text"]')];
        return {
          scrolls: [document.documentElement, document.body, scroller].map((one) => one.scrollWidth - one.clientWidth),
          outside: texts.filter((text) => {
            const box = text.getBoundingClientRect();
            return box.left < left || box.right > right || text.scrollWidth > text.clientWidth;
          }).length,
        };
      });
      expect([width, over]).toEqual([width, { scrolls: [0, 0, 0], outside: 0 }]);
    }
    await expect(page.getByTestId('composer')).toBeVisible();
  });
});
