import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assetHandler } from '../../electron/protocol.ts';
import { contentSecurityPolicy, resolveAsset } from '../../src/server/index.ts';
import { keptLog } from './fakes.ts';

const SECRET = 'outside the page';
const PAGE = '<!doctype html><title>Holdfast</title>';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-protocol-'));
  await mkdir(join(folder, 'renderer/assets'), { recursive: true });
  await mkdir(join(folder, 'renderer-2'));
  await writeFile(join(folder, 'renderer/index.html'), PAGE);
  await writeFile(join(folder, 'renderer/assets/page.js'), 'export {};');
  await writeFile(join(folder, 'renderer/assets/page.js.map'), '{}');
  await writeFile(join(folder, 'secrets.json'), SECRET);
  await writeFile(join(folder, 'secrets.js'), SECRET);
  await writeFile(join(folder, 'renderer-2/page.js'), SECRET);
});
afterAll(() => rm(folder, { recursive: true }));

function handler() {
  const log = keptLog();
  const root = join(folder, 'renderer');
  const handle = assetHandler({
    resolve: (urlPath) => resolveAsset(root, urlPath),
    contentSecurityPolicy: contentSecurityPolicy([]),
    log,
  });
  // Not a `Request`, which would tidy the address before it comes to us.
  return { log, ask: (url: string, method = 'GET') => handle({ url, method }) };
}

describe('the page', () => {
  test('is at the entry and under its name', async () => {
    const { ask } = handler();
    for (const url of ['app://holdfast/', 'app://holdfast', 'app://holdfast/index.html', 'app://holdfast/?a=b#c']) {
      const response = await ask(url);
      expect([url, response.status, await response.text()]).toEqual([url, 200, PAGE]);
      expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    }
  });

  test('comes with its scripts, typed as such', async () => {
    const response = await handler().ask('app://holdfast/assets/page.js?v=1');
    expect([response.status, await response.text()]).toEqual([200, 'export {};']);
    expect(response.headers.get('content-type')).toMatch(/^text\/javascript/);
  });

  test('carries its policy on every answer, found or not', async () => {
    const { ask } = handler();
    for (const url of ['app://holdfast/', 'app://holdfast/assets/page.js', 'app://holdfast/none.js', 'app://other/']) {
      const { headers } = await ask(url);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  test('answers HEAD with the headers alone', async () => {
    const response = await handler().ask('app://holdfast/', 'HEAD');
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('content-length')).toBe(String(PAGE.length));
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('does not take %s', async (method) => {
    const response = await handler().ask('app://holdfast/', method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

test.each([
  'app://holdfast/../secrets.json',
  'app://holdfast/../secrets.js',
  'app://holdfast/assets/../../secrets.js',
  'app://holdfast/%2e%2e/secrets.js',
  'app://holdfast/%2E%2E%2Fsecrets.js',
  'app://holdfast/..%2fsecrets.js',
  'app://holdfast/assets/%2e%2e/%2e%2e/secrets.js',
  'app://holdfast/%252e%252e/secrets.js',
  'app://holdfast/..\\secrets.js',
  'app://holdfast/\\..\\secrets.js',
  'app://holdfast/..%5csecrets.js',
  'app://holdfast/%5c..%5csecrets.js',
  'app://holdfast//secrets.js',
  'app://holdfast/../renderer-2/page.js',
  'app://holdfast/%2e%2e/renderer-2/page.js',
  'app://holdfast/..%2frenderer-2%2fpage.js',
  'app://holdfast/assets/page.js%00',
  'app://holdfast/assets/page.js%00.html',
  'app://holdfast/%00',
  'app://holdfast/%',
  'app://holdfast/%ff%fe.js',
  'app://holdfast/C:/Windows/win.ini',
  'app://holdfast/assets',
  'app://holdfast/assets/',
  'app://holdfast/none.html',
  'app://holdfast/?/../secrets.js/..',
  'app://other/index.html',
  'app://holdfast.evil.example/index.html',
  'app://holdfast:80/index.html',
  'app://user@holdfast/index.html',
  'app:///index.html',
  'app:index.html',
  'file:///etc/passwd',
  'https://holdfast/index.html',
  'not a url',
  '',
])('%s leads to nothing outside the page', async (url) => {
  const response = await handler().ask(url);
  const body = await response.text();
  expect(body).not.toContain(SECRET);
  // Where tidying leaves an address of the page itself, that is all there is to have.
  if (response.status !== 404) expect([response.status, body]).toEqual([200, PAGE]);
});

test('an absolute path in the address is one inside the page', async () => {
  const { ask } = handler();
  for (const path of [`${folder}/secrets.js`, encodeURIComponent(`${folder}/secrets.js`)]) {
    const response = await ask(`app://holdfast/${path}`);
    expect([response.status, await response.text()]).toEqual([404, '']);
  }
});

test('a stranger’s address is logged without its path', async () => {
  const { ask, log } = handler();
  await ask('app://other/secret?key=1');
  expect(log.lines).toEqual([
    { level: 'warn', fields: { origin: 'app://other' }, message: 'An address outside the app was asked for' },
  ]);
});

test('a file of the page that cannot be read is missing, and logged', async () => {
  const log = keptLog();
  const handle = assetHandler({
    resolve: () => ({ path: join(folder, 'gone.js'), contentType: 'text/javascript' }),
    contentSecurityPolicy: "default-src 'none'",
    log,
  });
  expect((await handle({ url: 'app://holdfast/gone.js', method: 'GET' })).status).toBe(404);
  expect(log.lines.map((line) => line.level)).toEqual(['error']);
});
