import type { Session, WebContents } from 'electron';
import type { Logger } from '../src/log.ts';
import { isOwnUrl, originForLog } from './origin.ts';

/** A navigation as the contents tell of it, before it happens. */
export interface NavigationAttempt {
  readonly url: string;
  readonly isMainFrame: boolean;
}

/** The window shows its own page and no other: a reload passes, all else stays where it is. Frames go nowhere. */
export function isNavigationAllowed(attempt: NavigationAttempt): boolean {
  return attempt.isMainFrame && isOwnUrl(attempt.url);
}

export type GuardedContents = Pick<WebContents, 'on' | 'setWindowOpenHandler'>;

/** Keeps one `WebContents` on our page. For `web-contents-created`, so that none is without it. */
export function guardNavigation(contents: GuardedContents, log: Logger): void {
  const refuseForeign = (event: NavigationAttempt & { preventDefault(): void }): void => {
    if (isNavigationAllowed(event)) return;
    event.preventDefault();
    log.warn({ to: originForLog(event.url), mainFrame: event.isMainFrame }, 'A navigation was refused');
  };
  // `will-frame-navigate` comes for the main frame as well as for those inside it.
  contents.on('will-frame-navigate', refuseForeign);
  contents.on('will-redirect', refuseForeign);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    log.warn({ to: originForLog(url) }, 'A new window was refused');
    return { action: 'deny' };
  });
}

export type GuardedSession = Pick<
  Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
>;

/** Denies every permission, whether the page asks for it or merely looks. Electron's default is to grant. */
export function denyPermissions(session: GuardedSession, log: Logger): void {
  session.setPermissionRequestHandler((_contents, permission, callback) => {
    log.info({ permission }, 'A permission was denied');
    callback(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
}
