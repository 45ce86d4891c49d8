import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { executableName, fetchElectron, findElectron, rememberedFailure } from '../../scripts/bootstrap/electron.mjs';
import { pinnedNode } from '../../scripts/bootstrap/paths.mjs';
import { put, temporaryFolder } from './temporary.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VERSION = '99.1.0';
const ARCHIVE = `electron-v${VERSION}-${process.platform}-${process.arch}.zip`;
const IDLE_LIMIT_MS = 700;

/** An archive with files stored as they are: just enough of the format of PKWARE's APPNOTE.TXT, 4.3. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(0o100755 * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03'), common, rest, Buffer.from(name));
    bodies.push(body);
    offset += body.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(bodies.length, 4);
  end.writeUInt16LE(bodies.length, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, index, Buffer.from('PK\x05\x06'), end]);
}

const archive = zipOf({ version: VERSION, [executableName(process.platform)]: 'not really Electron' });

/** A checkout with a stand-in for the package `electron` and the real packages that fetch and unpack it. */
function checkout(): string {
  const checksum = createHash('sha256').update(archive).digest('hex');
  const root = temporaryFolder({
    'node_modules/electron/package.json': JSON.stringify({ name: 'electron', version: VERSION }),
    'node_modules/electron/checksums.json': JSON.stringify({ [ARCHIVE]: checksum }),
  });
  for (const name of ['@electron', '@electron-internal']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name), 'junction');
  }
  mkdirSync(join(pinnedNode(root), '..'), { recursive: true });
  symlinkSync(process.execPath, pinnedNode(root));
  vi.stubEnv('electron_config_cache', join(root, 'electron-cache'));
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', '');
  return root;
}

/** Answers in the place of Electron's own server. */
async function serve(answer: RequestListener): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('ELECTRON_MIRROR', `http://127.0.0.1:${port}/`);
  vi.stubEnv('NO_PROXY', '127.0.0.1');
}

afterEach(() => {
  vi.unstubAllEnvs();
});

it('fetches, checks and unpacks Electron, and then finds it', async () => {
  const root = checkout();
  await serve((request, response) => {
    expect(request.url).toBe(`/v${VERSION}/${ARCHIVE}`);
    response.writeHead(200, { 'content-length': archive.length }).end(archive);
  });
  expect(findElectron(root)).toBeUndefined();
  expect(await fetchElectron(root, { idleLimitMs: 10_000 })).toEqual({ ok: true });
  const path = findElectron(root);
  expect(readFileSync(String(path), 'utf8')).toBe('not really Electron');
  expect(rememberedFailure(root)).toBeUndefined();
});

it('gives up on a server that says nothing, and remembers it until it works', async () => {
  const root = checkout();
  await serve(() => undefined);
  const startedAt = Date.now();
  const fetched = await fetchElectron(root, { idleLimitMs: IDLE_LIMIT_MS });
  expect(fetched).toMatchObject({ ok: false, reason: expect.stringMatching(/no byte of it came/) });
  expect(Date.now() - startedAt).toBeLessThan(IDLE_LIMIT_MS + 5_000);
  expect(rememberedFailure(root)).toMatchObject({ version: VERSION, reason: expect.stringMatching(/no byte/) });

  await serve((_request, response) => response.end(archive));
  expect(await fetchElectron(root, { idleLimitMs: 10_000 })).toEqual({ ok: true });
  expect(rememberedFailure(root)).toBeUndefined();
});

it('gives up on a download that stands still, however much has come', async () => {
  const root = checkout();
  await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 4_000_000 });
    response.write(Buffer.alloc(1_500_000));
  });
  const fetched = await fetchElectron(root, { idleLimitMs: IDLE_LIMIT_MS });
  expect(fetched).toMatchObject({ ok: false, reason: expect.stringMatching(/stood still .* at \d\.\d MB/) });
  expect(existsSync(join(root, 'node_modules/.cache/holdfast/electron-download'))).toBe(false);
});

it('waits for a download that is slow but does not stand still', async () => {
  const root = checkout();
  await serve((_request, response) => {
    response.writeHead(200, { 'content-length': archive.length });
    const steps = 6;
    const size = Math.ceil(archive.length / steps);
    let at = 0;
    const timer = setInterval(() => {
      response.write(archive.subarray(at, (at += size)));
      if (at >= archive.length) response.end();
      if (at >= archive.length) clearInterval(timer);
    }, 400);
  });
  // In all it takes far longer than the limit for silence.
  expect(await fetchElectron(root, { idleLimitMs: 1_500 })).toEqual({ ok: true });
});

it.each([
  ['a refusal', (answer) => answer.writeHead(404).end(), /its server answered 404/],
  ['another file', (answer) => answer.end(zipOf({ version: 'x' })), /checksum/],
] satisfies [string, (answer: Parameters<RequestListener>[1]) => unknown, RegExp][])(
  'does not take %s for Electron',
  async (_what, answer, reason) => {
    const root = checkout();
    await serve((_request, response) => void answer(response));
    expect(await fetchElectron(root)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    expect(findElectron(root)).toBeUndefined();
  },
);

it('a failure of another version is not remembered', () => {
  const root = checkout();
  put(
    root,
    'node_modules/.cache/holdfast/electron-fetch.json',
    JSON.stringify({ version: '1.0.0', at: '', reason: 'x' }),
  );
  expect(rememberedFailure(root)).toBeUndefined();
});
