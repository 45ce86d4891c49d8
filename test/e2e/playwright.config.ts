import { defineConfig } from 'playwright/test';

/** A Chromium that talks to nobody but the page under test: no updates, no reports, no synchronisation. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

const chromium = process.env['HOLDFAST_CHROMIUM'];
const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  outputDir: '../../test-results',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  workers: process.env['CI'] ? 1 : 2,
  // A test that passes only when tried again has found something.
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  use: {
    browserName: 'chromium',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      args: isRoot ? [...QUIET, '--no-sandbox'] : QUIET,
      ...(chromium !== undefined && { executablePath: chromium }),
    },
  },
});
