import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { converse, expect, messages, test as base, textOf } from './support/fixtures.ts';

/** What the hostile page came to know, by what it tried. */
type Loot = Readonly<Record<string, string>>;

/** Runs in the hostile page. Every way to reach another origin that a page has; each ends with what it brought. */
async function attack(target: string): Promise<Loot> {
  const socketTarget = target.replace('http', 'ws');
  const patience = 3_000;
  const within = (run: (tell: (found: string) => void) => void) =>
    new Promise<string>((resolve) => {
      setTimeout(() => resolve('nothing'), patience);
      try {
        run(resolve);
      } catch (error) {
        resolve(`nothing: ${String(error)}`);
      }
    });
  const element = (tag: string, fields: Record<string, string>) =>
    within((tell) => {
      const made = document.createElement(tag);
      made.addEventListener('load', () => tell('LOADED'));
      made.addEventListener('error', () => tell('nothing: error'));
      Object.assign(made, fields);
      document.head.append(made);
    });
  const fetched = (path: string, init: RequestInit) =>
    within((tell) => {
      fetch(target + path, init).then(
        async (answer) => {
          const body = await answer.text().catch(() => '');
          tell(
            answer.type === 'opaque' && body === '' ? 'nothing: opaque' : `READ ${answer.status} ${body.slice(0, 80)}`,
          );
        },
        (error: unknown) => tell(`nothing: ${String(error)}`),
      );
    });
  const socket = (path: string) =>
    within((tell) => {
      const opened = new WebSocket(socketTarget + path);
      opened.addEventListener('open', () => tell('OPENED'));
      opened.addEventListener('close', () => tell('nothing: closed'));
    });
  const framed = (path: string) =>
    within((tell) => {
      const frame = document.createElement('iframe');
      frame.src = target + path;
      frame.addEventListener('load', () => {
        // A blocked frame loads an error page of the browser's own, which nobody can read either.
        try {
          const inner = frame.contentDocument;
          tell(inner === null ? 'nothing: out of reach' : `READ ${inner.documentElement.outerHTML.slice(0, 80)}`);
        } catch (error) {
          tell(`nothing: ${String(error)}`);
        }
      });
      document.body.append(frame);
    });
  const events = within((tell) => {
    const source = new EventSource(`${target}/session`, { withCredentials: true });
    source.addEventListener('message', () => tell('READ'));
    source.addEventListener('error', () => tell('nothing: error'));
  });
  const request = within((tell) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', `${target}/contract`);
    xhr.withCredentials = true;
    xhr.addEventListener('load', () => tell(`READ ${xhr.status}`));
    xhr.addEventListener('error', () => tell('nothing: error'));
    xhr.send('{"i":"1","p":{"u":"/sessions/create","b":{"json":{"title":"Stolen"}}}}');
  });
  const script = [...document.querySelectorAll('script')].map((one) => one.dataset['asset']).find(Boolean) ?? '/x.js';
  const include: RequestInit = { credentials: 'include' };
  const tried: Record<string, Promise<string>> = {
    'fetch page': fetched('/', include),
    'fetch session': fetched('/session', include),
    'fetch asset': fetched(script, include),
    'fetch without cors': fetched('/', { ...include, mode: 'no-cors' }),
    'fetch post': fetched('/contract', { ...include, method: 'POST', body: '{}', mode: 'no-cors' }),
    'fetch with a header': fetched('/', { ...include, headers: { 'X-Own': '1' } }),
    'event source': events,
    'XML request': request,
    'WebSocket contract': socket('/contract'),
    'WebSocket root': socket('/'),
    'script include': element('script', { src: target + script }),
    'module include': element('script', { src: target + script, type: 'module' }),
    'page as script': element('script', { src: `${target}/` }),
    'style include': element('link', { rel: 'stylesheet', href: `${target}/assets/index.css` }),
    'image include': element('img', { src: `${target}/assets/icon.png` }),
    frame: framed('/'),
    'framed session': framed('/session'),
    beacon: Promise.resolve(navigator.sendBeacon(`${target}/contract`, '{}') ? 'nothing: sent blindly' : 'nothing'),
  };
  const names = Object.keys(tried);
  const found = await Promise.all(names.map((name) => tried[name]!));
  return Object.fromEntries(names.map((name, at) => [name, found[at]!]));
}

interface Fixtures {
  /** Serves a page of the attacker's; gives the port. */
  readonly hostile: (body?: string) => Promise<number>;
}

const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from this pattern.
  hostile: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (body = '') => {
      const server = createServer((_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
        response.end(`<!doctype html><title>Hostile</title><body>${body}</body>`);
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    });
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  },
});

/** The browser tells of every refusal in the console; that is what is wanted here. */
test.beforeEach(({ complaints }) => complaints.expectAnything());

for (const [kind, name] of [
  ['another port of the same address', '127.0.0.1'],
  ['another name', 'localhost'],
] as const) {
  test(`a hostile page on ${kind} gets nothing from the host`, async ({ page, context, host, hostile }) => {
    const { url, origin } = await host();
    await page.goto(url);
    await converse(page, 'A secret of my own');
    const asset = await page.locator('script[src]').first().getAttribute('src');
    const port = await hostile(`<script type="x" data-asset="${asset}"></script>`);

    const thief = await context.newPage();
    await thief.goto(`http://${name}:${port}/`);
    const loot = await thief.evaluate(attack, origin);
    expect(Object.keys(loot).length).toBeGreaterThan(15);
    for (const [way, found] of Object.entries(loot))
      expect([way, found]).toEqual([way, expect.stringMatching(/^nothing/)]);

    // Of its own origin the same page takes what there is: the ways that it tries do lead somewhere.
    const own = await thief.evaluate(attack, `http://${name}:${port}`);
    expect(own).toMatchObject({
      'fetch page': expect.stringMatching(/^READ 200/),
      frame: expect.stringMatching(/^READ <html>/),
      'script include': 'LOADED',
      'XML request': 'READ 200',
    });

    // Nothing was done to the owner's page either.
    await expect(page.getByTestId('session-tab')).toHaveCount(1);
    await expect(textOf(messages(page, 'user'))).toHaveText(['A secret of my own']);
    await converse(page, 'Count to 3');
  });

  test(`a window that a hostile page on ${kind} opens is out of its reach`, async ({
    page,
    context,
    host,
    hostile,
  }) => {
    const { url, origin } = await host();
    await page.goto(url);
    await converse(page, 'A secret of my own');
    const port = await hostile();
    const thief = await context.newPage();
    await thief.goto(`http://${name}:${port}/`);
    const opening = context.waitForEvent('page');
    await thief.evaluate((target) => {
      const scope = window as unknown as { victim: Window | null };
      scope.victim = window.open(`${target}/`, 'victim');
    }, origin);
    const victim = await opening;
    await victim.waitForLoadState();
    const reach = () =>
      thief.evaluate(() => {
        const { victim: other } = window as unknown as { victim: Window | null };
        if (other === null || other.closed) return 'nothing: severed';
        try {
          return `READ ${other.document.body.innerText.slice(0, 40)}`;
        } catch {
          return 'a window that is not its own';
        }
      });
    await expect.poll(reach).toBe('nothing: severed');
    expect(await victim.evaluate(() => window.opener as unknown)).toBeNull();
  });

  test(`a form that a hostile page on ${kind} sends changes nothing`, async ({ page, context, host, hostile }) => {
    const { url, origin } = await host();
    await page.goto(url);
    await converse(page, 'A secret of my own');
    for (const path of ['/', '/contract', '/session']) {
      const port = await hostile(
        `<form method="post" enctype="text/plain" action="${origin}${path}"><input name='{"i":"1","p":{"u":"/sessions/create"},"x":"' value='"}'></form>`,
      );
      const thief = await context.newPage();
      await thief.goto(`http://${name}:${port}/`);
      const answered = thief.waitForResponse((response) => response.url().startsWith(origin));
      await thief.evaluate(() => document.forms[0]!.submit());
      expect((await answered).status()).toBe(403);
      await thief.close();
    }
    await expect(page.getByTestId('session-tab')).toHaveCount(1);
  });
}

test('a name of the attacker’s that points here is refused (DNS rebinding)', async ({
  playwright,
  browserName,
  launchOptions,
  host,
}) => {
  const { url, port, origin } = await host();
  const browser = await playwright[browserName].launch({
    ...launchOptions,
    args: [...(launchOptions.args ?? []), '--host-resolver-rules=MAP attacker.example 127.0.0.1'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await expect(page.getByTestId('composer')).toBeVisible();
    for (const path of ['/', '/session', new URL(url).search]) {
      const answer = await page.goto(`http://attacker.example:${port}/${path.replace(/^\//, '')}`);
      expect([path, answer?.status()]).toEqual([path, 421]);
    }
    // From a page of that name, everything is of its own origin: only the host can say no.
    const found = await page.evaluate(async () => {
      const answer = await fetch('/session', { credentials: 'include' });
      const socket = await new Promise<string>((resolve) => {
        const opened = new WebSocket(`ws://${location.host}/contract`);
        opened.addEventListener('open', () => resolve('OPENED'));
        opened.addEventListener('error', () => resolve('nothing'));
      });
      return [answer.status, socket];
    });
    expect(found).toEqual([421, 'nothing']);
    expect(origin).toContain('127.0.0.1');
  } finally {
    await browser.close();
  }
});
