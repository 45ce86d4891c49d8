import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/archive/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { exportConversations } from '../../src/exchange/index.ts';
import { launchChromium } from '../renderer/page/browser.ts';
import { tempDir } from '../support/temp-dir.ts';
import { SESSION, TURNS } from './samples.ts';
import { memoryTarget, NOW, outgoing } from './support.ts';

/* The exported page in a real Chromium: nothing in it runs or is fetched, and it fits every width. */

const START_MS = 60_000;

/** Each would call `pwned()` or ask a server for something, if anything of it came to be more than text. */
const INJECTIONS: readonly string[] = [
  '<script>pwned()</script>',
  '</style><script>pwned()</script>',
  '</title><script>pwned()</script>',
  '--><script>pwned()</script><!--',
  ']]><script>pwned()</script>',
  '<img src=x onerror=pwned()>',
  '<img src="http://127.0.0.1:9/leak.png">',
  '"><svg onload=pwned()>',
  "'><svg/onload=pwned()>",
  '<svg><script href="data:,pwned()"/></svg>',
  '<math><mtext></p><img src=x onerror=pwned()></mtext></math>',
  '<iframe srcdoc="<script>parent.pwned()</script>"></iframe>',
  '<iframe src="javascript:parent.pwned()"></iframe>',
  '<object data="http://127.0.0.1:9/x"></object><embed src="http://127.0.0.1:9/y">',
  '<link rel=stylesheet href="http://127.0.0.1:9/z.css">',
  '<style>@import "http://127.0.0.1:9/s.css"; body { display: none }</style>',
  '<base href="http://127.0.0.1:9/">',
  '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/m">',
  '<form action="http://127.0.0.1:9/f"><input autofocus onfocus=pwned()></form>',
  '<details open ontoggle=pwned()>x</details>',
  '<body onload=pwned()>',
  '<a href="javascript:pwned()">x</a>',
  '[x](javascript:pwned()) ![y](http://127.0.0.1:9/md.png)',
  '`<img src=x onerror=pwned()>` **<img src=x onerror=pwned()>**',
  '```\n</code></pre><script>pwned()</script>\n```',
  '```"><script>pwned()</script>\ncode\n```',
  '~~~\n`**</div>',
  '&lt;script&gt;pwned()&lt;/script&gt;',
  '&#60;script&#62;pwned()&#60;/script&#62;',
  '\u0000<scr\u0000ipt>pwned()</scr\u0000ipt>',
  '\ud800<script>pwned()</script>\udc00',
  '\u2028<script>pwned()</script>\u202e',
  '+ADw-script+AD4-pwned()+ADw-/script+AD4-',
  '{{constructor.constructor("pwned()")()}}',
  '${pwned()}',
];

function hostile(text: string, at: number): { session: SessionRecord; turns: readonly Turn[] } {
  const turn = (index: number, rest: Partial<Turn>): Turn => ({
    ...(TURNS[0] as Turn),
    id: `t${index}`,
    index,
    ...rest,
  });
  return {
    session: { ...SESSION, id: `s${at}`, title: text },
    turns: [
      turn(1, { parts: [{ type: 'text', text }] }),
      turn(2, {
        role: 'model',
        status: 'failed',
        model: text,
        problem: { code: 'internal', message: text, retry: 'user' },
        parts: [
          { type: 'thought', text },
          {
            type: 'tool',
            callId: text,
            name: text,
            args: { [text]: text },
            result: { [text]: [text] },
            cancelled: true,
          },
          { type: 'text', text: `**${text}** \`${text}\`\n\`\`\`${text}\n${text}\n\`\`\`\n${text}` },
        ],
      }),
    ],
  };
}

async function page(
  conversations: readonly { session: SessionRecord; turns: readonly Turn[] }[],
  layout: 'together' | 'each' = 'each',
): Promise<string> {
  const target = memoryTarget();
  const head = { exportedAt: NOW, app: '0.1.0<script>pwned()</script>', timeZone: 'UTC' };
  const exported = await exportConversations({
    conversations: outgoing(...conversations),
    format: 'html',
    layout,
    target,
    head,
  });
  expect(exported.kind).toBe('exported');
  const path = join(tempDir(), 'page.html');
  writeFileSync(path, [...target.files.values()][0] ?? '');
  return pathToFileURL(path).href;
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
}, START_MS);
afterAll(async () => {
  await browser?.close();
});

/** Opens a page, and counts what it runs, asks for, and complains of. */
async function watched(
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; context: BrowserContext; ran: string[]; asked: string[] }> {
  const context = await browser.newContext(options);
  const ran: string[] = [];
  const asked: string[] = [];
  await context.exposeFunction('pwned', () => ran.push('pwned'));
  const opened = await context.newPage();
  opened.on('request', (request) => asked.push(request.url()));
  opened.on('dialog', (dialog) => void dialog.dismiss());
  opened.on('popup', (popup) => asked.push(popup.url()));
  opened.on('pageerror', (error) => ran.push(String(error)));
  opened.on('console', (message) => ran.push(message.text()));
  await opened.goto(url);
  return { page: opened, context, ran, asked };
}

describe('the exported page', () => {
  it('runs nothing and asks for nothing, whatever was written in it', async () => {
    const url = await page(INJECTIONS.map(hostile), 'together');
    const { page: opened, context, ran, asked } = await watched(url);
    // What opens by itself has; now all else that a reader can open and point at.
    await opened.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await opened.mouse.move(200, 200);
    await opened.keyboard.press('Tab');
    await opened.waitForTimeout(300);
    expect(ran).toEqual([]);
    expect(asked).toEqual([url]);
    const elements = await opened.evaluate(() =>
      [...new Set(Array.from(document.querySelectorAll('*'), (element) => element.localName))].sort(),
    );
    // prettier-ignore
    expect(elements).toEqual([
      'a', 'article', 'b', 'body', 'code', 'details', 'div', 'footer', 'h1', 'h2', 'head', 'header', 'html', 'li', 'main',
      'meta', 'nav', 'ol', 'p', 'pre', 'section', 'style', 'summary', 'time', 'title',
    ]);
    const hrefs = await opened.evaluate(() =>
      Array.from(document.querySelectorAll('a'), (a) => a.getAttribute('href')),
    );
    expect(hrefs.every((href) => /^#(contents|c\d+)$/.test(href ?? ''))).toBe(true);
    const attributes = await opened.evaluate(() =>
      [...new Set(Array.from(document.querySelectorAll('body *'), (e) => e.getAttributeNames()).flat())].sort(),
    );
    expect(attributes).toEqual(['class', 'datetime', 'dir', 'href', 'id', 'open']);
    await context.close();
  });

  it('shows what was written, letter for letter', async () => {
    const text = 'a < b && c > "d" \'e\' <script>pwned()</script> &amp; &lt;';
    const { page: opened, context } = await watched(await page([hostile(text, 1)]));
    expect(await opened.locator('h1').textContent()).toBe(text);
    expect(await opened.locator('.user .text').textContent()).toBe(text);
    expect(await opened.title()).toBe(text);
    await context.close();
  });

  it('would not run a script even if one got in, nor one in an attribute, nor style or fetch anything', async () => {
    const url = await page([{ session: SESSION, turns: TURNS }]);
    const { page: opened, context, ran, asked } = await watched(url);
    const violations = await opened.evaluate(async () => {
      const seen: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'pwned()';
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      const holder = document.createElement('div');
      holder.innerHTML = '<img src="http://127.0.0.1:9/a.png" onerror="pwned()"><p style="color:red">x</p>';
      document.body.append(script, style, holder);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return [...new Set(seen)].sort();
    });
    expect(violations).toEqual(['img-src', 'script-src-attr', 'script-src-elem', 'style-src-attr', 'style-src-elem']);
    expect(ran.filter((line) => line === 'pwned')).toEqual([]);
    expect(asked.filter((address) => !address.startsWith('http://127.0.0.1:9/'))).toEqual([url]);
    await context.close();
  });

  it.each([
    ['light', 1280],
    ['light', 320],
    ['dark', 1280],
    ['dark', 320],
  ] as const)('has its own style in %s, and fits a window %d wide', async (colorScheme, width) => {
    const wide = { type: 'text' as const, text: `\`\`\`\n${'x'.repeat(400)}\n\`\`\`\n${'y'.repeat(400)}` };
    const turns = [...TURNS, { ...(TURNS[0] as Turn), id: 'wide', index: 6, parts: [wide] }];
    const url = await page(
      [
        { session: SESSION, turns },
        { session: { ...SESSION, title: 'Second' }, turns },
      ],
      'together',
    );
    const { page: opened, context, ran } = await watched(url, { colorScheme, viewport: { width, height: 900 } });
    expect(ran).toEqual([]);
    const background = await opened.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(background).toBe(colorScheme === 'dark' ? 'rgb(18, 23, 26)' : 'rgb(255, 255, 255)');
    expect(await opened.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(
      await opened
        .locator('.user .text')
        .nth(1)
        .evaluate((element) => getComputedStyle(element).direction),
    ).toBe('rtl');
    const shots = process.env['HOLDFAST_EXCHANGE_SHOTS'];
    if (shots) await opened.screenshot({ path: join(shots, `${colorScheme}-${width}.png`), fullPage: true });
    await context.close();
  });

  it('prints in black on white, without lines cut off', async () => {
    const { page: opened, context } = await watched(await page([{ session: SESSION, turns: TURNS }]), {
      colorScheme: 'dark',
    });
    await opened.emulateMedia({ media: 'print' });
    const style = await opened.evaluate(() => {
      const html = getComputedStyle(document.documentElement);
      return [html.backgroundColor, html.color, getComputedStyle(document.querySelector('pre') as Element).whiteSpace];
    });
    expect(style).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)', 'pre-wrap']);
    await context.close();
  });
});
