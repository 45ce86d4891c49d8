import { existsSync } from 'node:fs';
import { chromium } from 'playwright';
import type { Browser } from 'playwright';

const DEBIANS_CHROMIUM = '/usr/bin/chromium';

/** The browser that `HOLDFAST_CHROMIUM` names, else the system's, else Playwright's own. */
export function launchChromium(): Promise<Browser> {
  const named = process.env['HOLDFAST_CHROMIUM'] ?? (existsSync(DEBIANS_CHROMIUM) ? DEBIANS_CHROMIUM : undefined);
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({
    ...(named !== undefined && { executablePath: named }),
    args: ['--disable-gpu', '--disable-quic', '--disable-background-networking', '--no-first-run', ...asRoot],
  });
}
