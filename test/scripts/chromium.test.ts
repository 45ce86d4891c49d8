import { expect, it } from 'vitest';
import { chromiumPlaces } from '../../scripts/bootstrap/chromium.mjs';

it('Playwright’s own Chromium comes before the system’s', () => {
  const places = chromiumPlaces({ platform: 'linux', env: { PATH: '/usr/bin' }, playwrights: '/cache/chrome' });
  expect(places[0]).toBe('/cache/chrome');
  expect(places).toContain('/usr/bin/chromium');
  expect(places.indexOf('/usr/bin/chromium')).toBeLessThan(places.indexOf('/usr/bin/google-chrome'));
});

it('every folder of PATH is looked into, empty ones left out', () => {
  const places = chromiumPlaces({ platform: 'linux', env: { PATH: '/a::/b' }, playwrights: undefined });
  expect(places).toContain('/a/chromium');
  expect(places).toContain('/b/chromium');
  expect(places.every((place: string) => place.startsWith('/a/') || place.startsWith('/b/'))).toBe(true);
});

it('macOS and Windows keep theirs in places of their own', () => {
  expect(chromiumPlaces({ platform: 'darwin', env: { HOME: '/Users/x' }, playwrights: undefined })).toEqual(
    expect.arrayContaining([
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Users/x/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    ]),
  );
  const windows = chromiumPlaces({ platform: 'win32', env: { PROGRAMFILES: 'P' }, playwrights: undefined });
  expect(windows.some((place: string) => /^P.*chrome\.exe$/.test(place))).toBe(true);
  expect(windows.some((place: string) => /^P.*msedge\.exe$/.test(place))).toBe(true);
});
