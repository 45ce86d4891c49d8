import type { CustomScheme } from 'electron';

/** The one place that the window's page comes from. `app://holdfast/` is its entry. */
export const APP_SCHEME = 'app';
export const APP_HOST = 'holdfast';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;
export const APP_ENTRY = `${APP_ORIGIN}/`;

/** Registered before Electron is ready, or Chromium treats the page as one without an origin. */
export const appScheme: CustomScheme = {
  scheme: APP_SCHEME,
  privileges: { standard: true, secure: true, supportFetchAPI: true },
};

/**
 * Is this an address of our own page? Compared part by part: to Node, `app:` is no special scheme, so `URL.origin`
 * is `"null"` for ours and for everyone else's alike.
 */
export function isOwnUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return (
    parsed !== null &&
    parsed.protocol === `${APP_SCHEME}:` &&
    parsed.host === APP_HOST &&
    parsed.username === '' &&
    parsed.password === ''
  );
}

/** What of an address may be logged: never its path or query, which can carry what a user typed. */
export function originForLog(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'not a URL' : `${parsed.protocol}//${parsed.host}`;
}
