import { existsSync } from 'node:fs';
import { chromium } from 'playwright';
import type { Page } from 'playwright';
import type { HostProcess } from './processes.ts';
import type { Sample } from './stream.ts';

const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

function findChromium(): string | undefined {
  const places = [process.env['HOLDFAST_CHROMIUM'], chromium.executablePath(), '/usr/bin/chromium'];
  return places.find((place) => place !== undefined && place !== '' && existsSync(place));
}

/** What the page writes down of a stream. Times are milliseconds since the epoch. */
interface Written {
  /** Characters of deltas as they came over the WebSocket. */
  readonly wire: Sample[];
  /** Characters of the last answer as they stood in the document at each frame that was drawn. */
  readonly shown: Sample[];
}

export interface PageStream extends Written {
  readonly events: number;
}

export interface BenchPage {
  /** Says something in the session that is open, and writes down its answer until it is complete. */
  record(text: string, total: number): Promise<PageStream>;
  close(): Promise<void>;
}

/** The built renderer in a real Chromium; `undefined` where there is none. */
export async function openPage({ url }: HostProcess): Promise<BenchPage | undefined> {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: [...QUIET, ...sandbox] });
  const page = await browser.newPage();
  await page.addInitScript(watchWire);
  await page.goto(url);
  await page.getByTestId('new-session').click();
  await page.locator('[data-testid="session-tab"][aria-selected="true"]').waitFor();
  return {
    record: (text, total) => record(page, text, total),
    close: () => browser.close(),
  };
}

/** Runs in the page before its own scripts. */
function watchWire(): void {
  const written: Written = { wire: [], shown: [] };
  (window as unknown as { written: Written }).written = written;
  let chars = 0;
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      this.addEventListener('message', ({ data }) => {
        const message = String(data);
        if (!message.includes('"turn.delta"')) return;
        const found = /"text":"((?:[^"\\]|\\.)*)"/.exec(message);
        chars += found?.[1]?.length ?? 0;
        written.wire.push({ at: performance.timeOrigin + performance.now(), chars });
      });
    }
  };
}

async function record(page: Page, text: string, total: number): Promise<PageStream> {
  await page.evaluate(() => {
    const { written } = window as unknown as { written: Written };
    const look = () => {
      const answers = document.querySelectorAll('[data-testid="message"][data-role="model"]');
      const words = answers[answers.length - 1]?.querySelector('[data-testid="message-text"]');
      if (words)
        written.shown.push({ at: performance.timeOrigin + performance.now(), chars: words.textContent.length });
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('send').click();
  // Looked for from outside and seldom: looking is work for the page too.
  const deadline = Date.now() + 300_000;
  for (;;) {
    const shown = await page.evaluate(
      () => (window as unknown as { written: Written }).written.shown.at(-1)?.chars ?? 0,
    );
    if (shown >= total) break;
    if (Date.now() > deadline) throw new Error(`The page showed ${shown} of ${total} characters and no more`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const written = await page.evaluate(() => (window as unknown as { written: Written }).written);
  return { ...written, events: written.wire.length };
}
