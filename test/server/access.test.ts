import { networkInterfaces } from 'node:os';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAccess, newSecret } from '../../src/server/access.ts';
import { ask, cookieOf, open, startHost, upgrade } from './browser.ts';

describe('the token', () => {
  it('is exchanged for a cookie that no script and no other site can use, and leaves the address', async () => {
    const host = await startHost();
    const answer = await ask(host.port, `/?token=${host.token}`);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['set-cookie']).toHaveLength(1);
    const [pair, ...attributes] = answer.headers['set-cookie']![0]!.split('; ');
    expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/']));
    expect(attributes.some((attribute) => attribute.startsWith('Domain'))).toBe(false);
    expect(pair).not.toContain(host.token);
    expect((await ask(host.port, '/', { Cookie: pair })).status).toBe(200);
  });

  it('cannot be guessed: it has 256 bits and is new at each start', async () => {
    const first = await startHost();
    const second = await startHost();
    expect(Buffer.from(first.token, 'base64url')).toHaveLength(32);
    expect(second.token).not.toBe(first.token);
  });

  it.each([
    ['a wrong one', () => 'wrong'],
    ['an empty one', () => ''],
    ['the beginning of the right one', (token: string) => token.slice(0, -1)],
    ['the right one and more', (token: string) => `${token}x`],
    ['the right one in another case', (token: string) => token.toUpperCase()],
  ])('lets nobody in that has %s', async (_name, made) => {
    const host = await startHost();
    const answer = await ask(host.port, `/?token=${encodeURIComponent(made(host.token))}`);
    expect(answer.status).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is taken at the front door alone', async () => {
    const host = await startHost();
    for (const path of ['/index.html', '/assets/app-1a2b.js', '/session', '/contract', '/nothing']) {
      const answer = await ask(host.port, `${path}?token=${host.token}`);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await ask(host.port, '/', { Authorization: `Bearer ${host.token}` })).status).toBe(401);
    expect((await ask(host.port, '/', { Cookie: `token=${host.token}` })).status).toBe(401);
    expect((await ask(host.port, `/?token=${host.token}`, {}, 'POST')).status).toBe(405);
    const socket = await upgrade(host.port, `/contract?token=${host.token}`, { Origin: host.origin });
    expect(socket).toMatchObject({ kind: 'refused', status: 401 });
  });
});

describe('without the cookie', () => {
  it('nothing is to be had but the words that say so', async () => {
    const host = await startHost();
    for (const path of ['/', '/index.html', '/assets/app-1a2b.js', '/nothing', '/session', '/contract']) {
      const answer = await ask(host.port, path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.body).not.toContain('export');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const socket = await upgrade(host.port, '/contract', { Origin: host.origin });
    expect(socket).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('a page can ask whether it is let in', async () => {
    const host = await startHost();
    expect((await ask(host.port, '/session', {}, 'HEAD')).status).toBe(401);
    expect((await ask(host.port, '/session', { Cookie: await cookieOf(host) }, 'HEAD')).status).toBe(204);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['separators alone', ';;;=;'],
    ['an equals sign', '='],
    ['the right form with a wrong name', 'holdfast-000000000000=x'],
    ['thousands of letters', `a=${'x'.repeat(8_000)}`],
    ['letters beyond ASCII', 'holdfast-\u00ff=\u00ff'],
    ['encoded zeros', '%00=%00; \t'],
  ])('a cookie of %s is no way in either', async (_name, cookie) => {
    const host = await startHost();
    expect((await ask(host.port, '/', { Cookie: cookie })).status).toBe(401);
  });

  it('the right cookie among others, and one of the same name that is wrong, are told apart', async () => {
    const host = await startHost();
    const right = await cookieOf(host);
    const name = right.split('=')[0]!;
    expect((await ask(host.port, '/', { Cookie: `a=b; ${name}=wrong; ${right}; c=d` })).status).toBe(200);
    expect((await ask(host.port, '/', { Cookie: `${name}=wrong` })).status).toBe(401);
    expect((await ask(host.port, '/', { Cookie: `x${right}` })).status).toBe(401);
    expect((await ask(host.port, '/', { Cookie: `${right}x` })).status).toBe(401);
  });
});

describe('a sender from elsewhere', () => {
  const rebound = (port: number) => [
    `attacker.example:${port}`,
    'attacker.example',
    `localhost:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `127.0.0.1.:${port}`,
    `127.1:${port}`,
    `2130706433:${port}`,
    `127.0.0.1:${port}@attacker.example`,
    `attacker.example#127.0.0.1:${port}`,
    `127.0.0.1:0${port}`,
    ` `,
  ];

  it('gets nothing under another Host, even with the token and the cookie (DNS rebinding)', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    for (const name of rebound(host.port)) {
      for (const path of ['/', `/?token=${host.token}`, '/session', '/assets/app-1a2b.js']) {
        const answer = await ask(host.port, path, { Host: name, Cookie: cookie });
        expect([name, path, answer.status]).toEqual([name, path, 421]);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
      const socket = await upgrade(host.port, '/contract', { Host: name, Origin: host.origin, Cookie: cookie });
      expect([name, socket]).toMatchObject([name, { kind: 'refused', status: 421 }]);
    }
  });

  const foreign = (port: number) => [
    'https://attacker.example',
    `http://localhost:${port}`,
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port + 1}`,
    'http://127.0.0.1',
    `http://127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.attacker.example`,
    `HTTP://127.0.0.1:${port}`,
    `http://[::1]:${port}`,
    'null',
    'file://',
    '',
  ];

  it('gets nothing under another Origin, even with the cookie', async () => {
    const host = await startHost();
    const cookie = await cookieOf(host);
    for (const origin of foreign(host.port)) {
      for (const path of ['/', `/?token=${host.token}`, '/session', '/assets/app-1a2b.js']) {
        const answer = await ask(host.port, path, { Origin: origin, Cookie: cookie });
        expect([origin, path, answer.status]).toEqual([origin, path, 403]);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
      const socket = await upgrade(host.port, '/contract', { Origin: origin, Cookie: cookie });
      expect([origin, socket]).toMatchObject([origin, { kind: 'refused', status: 403 }]);
    }
  });

  it('gets no WebSocket without an Origin: every browser sends one', async () => {
    const host = await startHost();
    const made = await upgrade(host.port, '/contract', { Cookie: await cookieOf(host) });
    expect(made).toMatchObject({ kind: 'refused', status: 403 });
  });

  it('gets a WebSocket at no other path', async () => {
    const host = await startHost();
    const headers = { Origin: host.origin, Cookie: await cookieOf(host) };
    for (const path of ['/', '/contract/', '/contract/x', '/CONTRACT', '//contract', '/session', '/%63ontract']) {
      expect([path, await upgrade(host.port, path, headers)]).toMatchObject([path, { kind: 'refused', status: 404 }]);
    }
    (await open(host)).terminate();
  });

  it.each(['cross-site', 'same-site'])(
    'gets nothing embedded in a %s page, though the browser sends the cookie',
    async (site) => {
      const host = await startHost();
      const cookie = await cookieOf(host);
      const embedded = [
        ['no-cors', 'script'],
        ['no-cors', 'image'],
        ['no-cors', 'style'],
        ['cors', 'empty'],
        ['websocket', 'websocket'],
        ['navigate', 'iframe'],
        ['navigate', 'object'],
        ['navigate', 'embed'],
      ];
      for (const [mode, dest] of embedded) {
        for (const path of ['/', '/assets/app-1a2b.js', '/session']) {
          const headers = { Cookie: cookie, 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode, 'Sec-Fetch-Dest': dest };
          expect([mode, dest, path, (await ask(host.port, path, headers)).status]).toEqual([mode, dest, path, 403]);
        }
      }
      const socket = await upgrade(host.port, '/contract', {
        Origin: host.origin,
        Cookie: cookie,
        'Sec-Fetch-Site': site,
        'Sec-Fetch-Mode': 'websocket',
      });
      expect(socket).toMatchObject({ kind: 'refused', status: 403 });
      // A person may follow a link.
      const link = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
      expect((await ask(host.port, `/?token=${host.token}`, link)).status).toBe(303);
    },
  );

  it('does not reach the host from the network', async () => {
    const host = await startHost();
    const elsewhere = Object.values(networkInterfaces())
      .flat()
      .flatMap((face) => (face === undefined || face.address === '127.0.0.1' ? [] : [face.address]));
    for (const address of new Set(['::1', '127.0.0.2', ...elsewhere])) {
      const outcome = await new Promise<string>((resolve) => {
        const socket = connect({ host: address, port: host.port }, () => resolve('connected'));
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        socket.setTimeout(2_000, () => resolve('no answer'));
        socket.on('close', () => socket.destroy());
      });
      expect([address, outcome]).not.toEqual([address, 'connected']);
    }
  });
});

describe('the cookie', () => {
  it('outlives a restart of the host on the same port; the old token does not', async () => {
    const first = await startHost();
    const cookie = await cookieOf(first);
    await first.close();
    const second = await startHost({ ...first.options, port: first.port });
    expect((await ask(second.port, '/', { Cookie: cookie })).status).toBe(200);
    expect((await ask(second.port, `/?token=${first.token}`)).status).toBe(403);
  });

  it('of one host is nothing to another, and both can be held at once', async () => {
    const one = await startHost();
    const other = await startHost();
    const [mine, theirs] = [await cookieOf(one), await cookieOf(other)];
    expect(mine.split('=')[0]).not.toBe(theirs.split('=')[0]);
    expect((await ask(other.port, '/', { Cookie: mine })).status).toBe(401);
    // A browser sends the cookies of 127.0.0.1 to every port of it.
    for (const host of [one, other]) {
      expect((await ask(host.port, '/', { Cookie: `${mine}; ${theirs}` })).status).toBe(200);
    }
  });

  it('says nothing of its secret by its name, and takes no secret but its own', () => {
    const secret = newSecret();
    const access = createAccess(secret);
    const [pair] = access.setCookie.split(';');
    expect(pair!.split('=')[0]).not.toContain(secret.slice(0, 6));
    expect(access.hasCookie({ cookie: pair })).toBe(true);
    expect(access.hasCookie({ cookie: pair!.replace(secret, newSecret()) })).toBe(false);
    expect(access.hasCookie({})).toBe(false);
  });
});
