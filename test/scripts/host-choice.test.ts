import { describe, expect, it } from 'vitest';
import { chooseHost, desktopObstacle, whyElectronDidNotStart } from '../../scripts/bootstrap/host-choice.mjs';

const given = {
  wish: 'either' as const,
  flags: [],
  electronIsThere: false,
  askAgain: false,
  failure: undefined,
  obstacle: undefined,
};
const failure = { at: '2026-02-03T04:05:06.000Z', reason: 'no byte of it came for 10 s' };

describe('npm start', () => {
  it('runs Electron where it is, and fetches it where it is not', () => {
    expect(chooseHost({ ...given, electronIsThere: true })).toEqual({ kind: 'desktop' });
    expect(chooseHost(given)).toEqual({ kind: 'fetch' });
  });

  it('remembers that fetching failed, and says how to ask again', () => {
    const choice = chooseHost({ ...given, failure });
    expect(choice).toMatchObject({
      kind: 'browser',
      why: expect.stringMatching(/2026-02-03 because no byte of it came for 10 s .*npm run desktop/),
    });
  });

  it('fetches again when asked', () => {
    expect(chooseHost({ ...given, failure, askAgain: true })).toEqual({ kind: 'fetch' });
    expect(chooseHost({ ...given, wish: 'desktop', failure })).toEqual({ kind: 'fetch' });
  });

  it.each(['--port', '--port=80', '--json', '--no-open'])('takes %s as the wish for the browser host', (flag) => {
    expect(chooseHost({ ...given, flags: [flag], electronIsThere: true }).kind).toBe('browser');
  });

  it('neither fetches nor runs Electron where it cannot run', () => {
    const obstacle = 'there is no display for a desktop window';
    expect(chooseHost({ ...given, electronIsThere: true, obstacle })).toEqual({ kind: 'browser', why: obstacle });
    expect(chooseHost({ ...given, obstacle })).toEqual({ kind: 'browser', why: obstacle });
  });
});

it('npm run web asks for nothing else', () => {
  expect(chooseHost({ ...given, wish: 'browser', electronIsThere: true })).toEqual({ kind: 'browser', why: undefined });
});

it('only Linux can lack a display or forbid root', () => {
  expect(desktopObstacle({ platform: 'linux', env: {}, isRoot: false })).toMatch(/display/);
  expect(desktopObstacle({ platform: 'linux', env: { DISPLAY: ':0' }, isRoot: true })).toMatch(/root/);
  expect(desktopObstacle({ platform: 'linux', env: { WAYLAND_DISPLAY: 'w' }, isRoot: false })).toBeUndefined();
  expect(desktopObstacle({ platform: 'darwin', env: {}, isRoot: true })).toBeUndefined();
});

it.each([
  [
    { code: 127, signal: null },
    'electron: error while loading shared libraries: libnss3.so: cannot open',
    /libnss3\.so/,
  ],
  [{ code: null, signal: 'SIGTRAP' }, 'FATAL: The SUID sandbox helper binary was found, but', /sandbox/],
  [{ code: 1, signal: null }, 'Missing X server or $DISPLAY', /window/],
  [{ code: null, signal: 'SIGSEGV' }, '', /SIGSEGV/],
  [{ code: null, signal: null, error: 'spawn EACCES' }, '', /EACCES/],
  [{ code: 0, signal: null }, 'Missing X server', undefined],
  [{ code: 1, signal: null }, 'The data directory cannot be written to.', undefined],
  [{ code: null, signal: 'SIGTERM' }, '', undefined],
])('an Electron that ended with %j after “%s”', (ended, stderr, why) => {
  const found = whyElectronDidNotStart(ended, stderr);
  if (why === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(why);
});
