import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveAsset } from '../../src/server/index.ts';
import { defaultDataDirectory, readOptions } from '../../src/server/options.ts';

describe('the command line', () => {
  it('has a default for everything', () => {
    expect(readOptions([], { XDG_CONFIG_HOME: '/home/ada/.config', APPDATA: 'C:\\Ada' })).toMatchObject({
      dataDir: defaultDataDirectory({ XDG_CONFIG_HOME: '/home/ada/.config', APPDATA: 'C:\\Ada' }),
      port: 0,
      open: true,
      json: false,
      help: false,
    });
  });

  it('takes what it is given, and the folder from the environment where none is', () => {
    const given = ['--data-dir', 'here', '--port', '8080', '--no-open', '--json'];
    expect(readOptions(given, { HOLDFAST_DATA_DIR: '/elsewhere' })).toEqual({
      dataDir: resolve('here'),
      port: 8080,
      open: false,
      json: true,
      help: false,
    });
    expect(readOptions([], { HOLDFAST_DATA_DIR: '/elsewhere' })).toMatchObject({ dataDir: resolve('/elsewhere') });
  });

  it.each([
    [['--frob'], '--frob'],
    [['-p', '1'], '-p'],
    [['now'], 'now'],
    [['--port'], '--port'],
    [['--port', '-1'], '--port'],
    [['--port=-1'], '-1'],
    [['--port', '65536'], '65536'],
    [['--port', '80.5'], '80.5'],
    [['--port', '0x50'], '0x50'],
    [['--port', ''], '--port'],
    [['--no-port'], '--no-port'],
    [['--json=yes'], '--json'],
    [['--data-dir', ''], '--data-dir'],
    [['--data-dir', '  '], '--data-dir'],
    [['--data-dir'], '--data-dir'],
  ])('%j is answered with one line that names what is wrong', (args, named) => {
    const read = readOptions(args, {});
    if (!('error' in read)) return expect.fail('This should have been refused');
    expect(read.error).toContain(named);
    expect(read.error).not.toContain('\n');
    expect(read.error).toMatch(/\.$/);
    expect(read.error.length).toBeLessThan(160);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--port', '--data-dir', '--', '--no-open'))),
        (args) => {
          readOptions(args, {});
        },
      ),
    );
  });

  it.each([
    ['linux', { XDG_CONFIG_HOME: '/x' }, /^\/x\/Holdfast$/],
    ['linux', {}, /\.config\/Holdfast$/],
    ['darwin', {}, /Library\/Application Support\/Holdfast$/],
    ['win32', { APPDATA: '/roaming' }, /^\/roaming\/Holdfast$/],
  ] as const)('puts conversations where %s keeps such things', (platform, env, expected) => {
    expect(defaultDataDirectory(env, platform).replaceAll('\\', '/')).toMatch(expected);
  });
});

describe('the path of an asset', () => {
  const root = resolve('/srv/renderer');

  it('stays within the folder, whatever the address says', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '%2e%2e', '%2E', '%2f', '%5c', '\\', '/', '//', '%00', '%', 'a.js', 'index.html', '~'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const asset = resolveAsset(root, `/${pieces.join('/')}`);
        if (asset === undefined) return;
        expect(asset.path.startsWith(`${root}/`)).toBe(true);
        expect(asset.path).not.toMatch(/\/\.|\\|%|\0/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is index.html at the top, and of a type that is served', () => {
    expect(resolveAsset(root, '/')?.path).toBe(resolve(root, 'index.html'));
    expect(resolveAsset(root, '/assets/a.js')).toEqual({
      path: resolve(root, 'assets/a.js'),
      contentType: 'text/javascript; charset=utf-8',
    });
    expect(resolveAsset(root, '/a.txt')).toBeUndefined();
    expect(resolveAsset(`${root}/`, '/a.css')?.path).toBe(resolve(root, 'a.css'));
  });
});
