import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'playwright/test';
import type { BrowserContext, Locator, Page } from 'playwright/test';
import { startSimulator } from '../../../src/simulator/index.ts';
import type { Simulator, SimulatorOptions } from '../../../src/simulator/index.ts';
import { startHost } from './host.ts';
import type { HostStart, RunningHost } from './host.ts';

/** An answer of the demo is paced like speech. */
export const ANSWER_WITHIN_MS = 30_000;

interface Fixtures {
  /** Starts a host, by default on a data directory of its own. All are ended after the test. */
  readonly host: (start?: Partial<HostStart>) => Promise<RunningHost>;
  /** Starts a simulator of the Gemini Live server outside the host. */
  readonly simulator: (options?: SimulatorOptions) => Promise<Simulator>;
  /** What no page of a test may do: write errors to its console, throw, or run into the policy. */
  readonly complaints: Complaints;
}

export interface Complaints {
  /** From now on a host that cannot be reached is part of the test: the browser itself writes that to the console. */
  expectLostHost(): void;
  /** From now on the host refuses the page: the same. */
  expectRefusal(): void;
  /** For pages that are not ours. */
  expectAnything(): void;
}

const LOST_HOST = /net::ERR_|WebSocket (connection to|is closed)/;
const REFUSED = /status of 40[13] |WebSocket connection to/;

export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from this pattern.
  host: async ({}, use) => {
    const hosts: RunningHost[] = [];
    const folders: string[] = [];
    await use(async (start = {}) => {
      const dataDir = start.dataDir ?? mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
      if (start.dataDir === undefined) folders.push(dataDir);
      const host = await startHost({ ...start, dataDir });
      hosts.push(host);
      return host;
    });
    for (const host of hosts) await host.kill();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  },

  // eslint-disable-next-line no-empty-pattern -- as above.
  simulator: async ({}, use) => {
    const simulators: Simulator[] = [];
    await use(async (options) => {
      const simulator = await startSimulator({ audio: 'brief', pace: 10, ...options });
      simulators.push(simulator);
      return simulator;
    });
    for (const simulator of simulators) await simulator.close();
  },

  complaints: [
    async ({ context }, use) => {
      const found: string[] = [];
      const expected: RegExp[] = [];
      watch(context, (complaint) => {
        if (!expected.some((pattern) => pattern.test(complaint))) found.push(complaint);
      });
      await use({
        expectLostHost: () => void expected.push(LOST_HOST),
        expectRefusal: () => void expected.push(REFUSED),
        expectAnything: () => void expected.push(/(?:)/),
      });
      expect(found, 'the console is free of errors and nothing ran into the policy').toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

function watch(context: BrowserContext, complain: (complaint: string) => void): void {
  context.on('console', (message) => {
    if (message.type() === 'error' || /Content.Security.Policy|Trusted/i.test(message.text())) {
      complain(`${message.type()}: ${message.text()}`);
    }
  });
  context.on('weberror', (thrown) => complain(`thrown: ${thrown.error().message}`));
}

export const messages = (page: Page, role: 'user' | 'model'): Locator =>
  page.getByTestId('message').and(page.locator(`[data-role="${role}"]`));

export const textOf = (message: Locator): Locator => message.getByTestId('message-text');

/** Writes a message and sends it, as a person with a mouse does. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('send').click();
}

/** Says something and waits until the whole answer is there. */
export async function converse(page: Page, text: string): Promise<string> {
  const before = await messages(page, 'model').count();
  await say(page, text);
  const answer = messages(page, 'model').nth(before);
  await expect(answer).toHaveAttribute('data-status', 'complete', { timeout: ANSWER_WITHIN_MS });
  return textOf(answer).innerText();
}

/** Waits for this much of the answer that comes, and gives it. */
export async function someOf(answer: Locator, length: number): Promise<string> {
  await expect
    .poll(async () => ((await textOf(answer).count()) > 0 ? (await textOf(answer).innerText()).length : 0), {
      timeout: ANSWER_WITHIN_MS,
    })
    .toBeGreaterThan(length);
  return textOf(answer).innerText();
}
