import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../support/wait.ts';
import { ask, cookieOf, LARGE_ASSET, OUTSIDE, sendRaw, startHost, upgrade } from './browser.ts';
import type { TestHost } from './browser.ts';

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

function expectSecured(headers: Readonly<Record<string, unknown>>, { origin }: TestHost): void {
  expect(headers).toMatchObject(HEADERS);
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain(`connect-src 'self' ${origin.replace('http', 'ws')};`);
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  const cors = Object.keys(headers).filter((name) => name.toLowerCase().startsWith('access-control-'));
  expect(cors).toEqual([]);
}

/** The head of a raw answer. */
function readHead(raw: string): { readonly status: number; readonly headers: Record<string, string> } {
  const [first = '', ...lines] = raw.split('\r\n\r\n', 1)[0]!.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers) };
}

describe('every answer', () => {
  it('carries the policy and its companions, and never a CORS header', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    const cases: readonly [number, Parameters<typeof ask>[1], Record<string, string>, string?][] = [
      [200, '/', { Cookie: cookie }],
      [200, '/assets/app-1a2b.js', { Cookie: cookie }],
      [204, '/session', { Cookie: cookie }],
      [303, `/?token=${host.token}`, {}],
      [400, '//attacker.example/', { Cookie: cookie }],
      [401, '/', {}],
      [401, '/session', {}],
      [403, '/?token=wrong', {}],
      [403, '/', { Origin: 'https://attacker.example' }],
      [404, '/nothing', { Cookie: cookie }],
      [405, '/', { Cookie: cookie }, 'POST'],
      [405, '/', { Cookie: cookie, 'Access-Control-Request-Method': 'POST' }, 'OPTIONS'],
      [421, '/', { Host: 'attacker.example' }],
    ];
    for (const [status, path, headers, method] of cases) {
      const answer = await ask(host.port, path, headers, method);
      expect([path, method, answer.status]).toEqual([path, method, status]);
      expectSecured(answer.headers, host);
    }
    const refused = await upgrade(host.port, '/contract', { Origin: 'https://attacker.example' });
    expect(refused).toMatchObject({ kind: 'refused', status: 403 });
    if (refused.kind === 'refused') expectSecured(refused.headers, host);
  });

  it('carries them even where the request could not be read', async () => {
    const host = await startHost();
    const broken: readonly [number, string][] = [
      [400, 'nonsense\r\n\r\n'],
      [400, 'GET / HTTP/9.9\r\n\r\n'],
      [400, 'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n'],
      [400, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nBad Header\r\n\r\n`],
      [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
      [421, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
      [421, 'GET / HTTP/1.0\r\n\r\n'],
      [431, `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\n\r\n`],
      [431, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nCookie: ${'a'.repeat(100_000)}\r\n\r\n`],
    ];
    for (const [status, text] of broken) {
      const { status: found, headers } = readHead(await sendRaw(host.port, text));
      expect([text.slice(0, 40), found]).toEqual([text.slice(0, 40), status]);
      expectSecured(headers, host);
    }
    expect((await ask(host.port, '/')).status).toBe(401);
  });

  it('is never kept by a cache, but for files whose name changes with their content', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    const cacheOf = async (path: string) => (await ask(host.port, path, { Cookie: cookie })).headers['cache-control'];
    expect(await cacheOf('/')).toBe('no-store');
    expect(await cacheOf('/nothing')).toBe('no-store');
    expect(await cacheOf('/session')).toBe('no-store');
    expect(await cacheOf('/assets/app-1a2b.js')).toMatch(/^private.*immutable$/);
  });
});

describe('a request', () => {
  it('gets the page and its files with their types; HEAD gets their heads', async () => {
    const host = await startHost();
    const headers = { Cookie: await cookieOf(host) };
    const page = await ask(host.port, '/', headers);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body).toContain('<title>Holdfast</title>');
    const script = await ask(host.port, '/assets/app-1a2b.js?v=1', headers);
    expect(script).toMatchObject({ status: 200, body: 'export {};' });
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    const head = await ask(host.port, '/assets/app-1a2b.js', headers, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe('10');
    expect((await ask(host.port, '/assets/large-3c4d.js', headers)).body).toBe(LARGE_ASSET);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'with %s changes nothing',
    async (method) => {
      const host = await startHost();
      const answer = await ask(host.port, '/', { Cookie: await cookieOf(host) }, method);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe('GET, HEAD');
    },
  );

  it('cannot use the host as a proxy', async () => {
    const host = await startHost();
    const answer = await sendRaw(host.port, `CONNECT example.com:80 HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\n\r\n`);
    expect(answer).not.toMatch(/^HTTP\/1\.1 2/);
  });

  const ways = [
    '/../outside.js',
    '/assets/../../outside.js',
    '/./../outside.js',
    '/..%2foutside.js',
    '/..%2Foutside.js',
    '/%2e%2e/outside.js',
    '/%2e%2e%2foutside.js',
    '/.%2e/outside.js',
    '/%252e%252e/outside.js',
    '/%252e%252e%252foutside.js',
    '/..%5coutside.js',
    '/..\\outside.js',
    '/assets/..%5c..%5coutside.js',
    '/%c0%ae%c0%ae/outside.js',
    '/%c0%ae%c0%ae%c0%afoutside.js',
    '/..%c0%afoutside.js',
    '/%uff0e%uff0e/outside.js',
    '/．．/outside.js',
    '/....//outside.js',
    '/..;/outside.js',
    '/assets/app-1a2b.js/../../../outside.js',
    '/assets/app-1a2b.js%00.html',
    '/index.html%00',
    '/%00/outside.js',
    '//outside.js',
    '///etc/passwd',
    '//etc/passwd',
    '/etc/passwd',
    '/.hidden.js',
    '/assets/.hidden.js',
    '/%2ehidden.js',
    '/notes.txt',
    '/assets',
    '/assets/',
    '/assets/app-1a2b.js/',
    '/index.html/x',
    '/C:/outside.js',
    '/C:%5coutside.js',
    '/~/outside.js',
    '/con',
    '/%',
    '/%zz',
    '/?/../outside.js#x',
    '/outside.js',
    '/renderer/../outside.js',
    '/assets/%2e%2e/%2e%2e/outside.js',
    '/assets//../..//outside.js',
    '/index.html%2f..%2f..%2foutside.js',
  ].map((path) => encodeURI(path).replaceAll('%25', '%'));

  it.each(ways)('for %s does not get out of the folder', async (path) => {
    const host = await startHost();
    const raw = await sendRaw(
      host.port,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nCookie: ${await cookieOf(host)}\r\nConnection: close\r\n\r\n`,
    );
    expect(raw).not.toContain(OUTSIDE);
    expect(raw).not.toContain('root:');
    expect([200, 400, 404]).toContain(readHead(raw).status);
    // The only page that may come is our own.
    if (readHead(raw).status === 200) expect(raw).toMatch(/<title>Holdfast<\/title>$|export \{\};$/);
  });

  it.each(['http://attacker.example/', 'http://127.0.0.1:1/assets/app-1a2b.js', 'ftp://x/', '*', 'assets/app-1a2b.js'])(
    'with the target %s gets nothing',
    async (target) => {
      const host = await startHost();
      const raw = await sendRaw(
        host.port,
        `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nCookie: ${await cookieOf(host)}\r\nConnection: close\r\n\r\n`,
      );
      expect(readHead(raw).status).toBe(400);
      expect(raw).not.toContain('export');
    },
  );

  it('with a long address or many headers gets an answer, and the host goes on', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    expect((await ask(host.port, `/${'a/'.repeat(6_000)}`, { Cookie: cookie })).status).toBe(404);
    expect((await ask(host.port, `/?token=${'t'.repeat(12_000)}`)).status).toBe(403);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`X-${at}`, 'y']));
    expect((await ask(host.port, '/', { ...many, Cookie: cookie })).status).toBe(200);
    expect((await ask(host.port, '/', { Cookie: cookie })).status).toBe(200);
  });

  it('that goes away in the middle of a file leaves no file open', async (context) => {
    if (process.platform !== 'linux') return context.skip('Open files can be counted on Linux alone.');
    const host = await startHost();
    const cookie = await cookieOf(host);
    const openFiles = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).endsWith('large-3c4d.js');
        } catch {
          return false;
        }
      }).length;
    for (let round = 0; round < 20; round += 1) {
      await new Promise<void>((resolve) => {
        const socket = connect(host.port, '127.0.0.1', () => {
          socket.write(
            `GET /assets/large-3c4d.js HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nCookie: ${cookie}\r\n\r\n`,
          );
        });
        socket.once('data', () => socket.destroy());
        socket.on('close', () => resolve());
      });
    }
    await until('all files to be closed', () => openFiles() === 0);
  });

  it('that is never finished blocks nobody and does not hold up the end', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    const halves = [
      '',
      'GET',
      'GET / HTTP/1.1\r\n',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nX-Slow: `,
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nContent-Length: 1000000\r\n\r\nabc`,
      // An upgrade that is refused, by a client that does not hang up.
      `GET /contract HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    ];
    const sockets = await Promise.all(
      Array.from({ length: 120 }, async (_, at) => {
        const socket = connect({ host: '127.0.0.1', port: host.port, allowHalfOpen: true });
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.write(halves[at % halves.length]!);
        return socket;
      }),
    );
    expect((await ask(host.port, '/', { Cookie: cookie })).status).toBe(200);
    const begun = performance.now();
    await host.close();
    expect(performance.now() - begun).toBeLessThan(3_000);
    for (const socket of sockets) socket.destroy();
  });
});
