import { describe, expect, test } from 'vitest';
import { denyPermissions, guardNavigation } from '../../electron/guards.ts';
import type { GuardedContents, GuardedSession } from '../../electron/guards.ts';
import { emitting, keptLog } from './fakes.ts';

type OpenHandler = Parameters<GuardedContents['setWindowOpenHandler']>[0];

function guarded() {
  let openHandler: OpenHandler | undefined;
  const log = keptLog();
  const contents = emitting<GuardedContents>({
    setWindowOpenHandler: (handler) => {
      openHandler = handler;
    },
  });
  guardNavigation(contents, log);
  const attempt = (event: string, url: string, isMainFrame = true): 'passed' | 'prevented' => {
    let outcome: 'passed' | 'prevented' = 'passed';
    contents.emit(event, { url, isMainFrame, preventDefault: () => (outcome = 'prevented') });
    return outcome;
  };
  return { attempt, log, open: (url: string) => openHandler?.({ url } as Parameters<OpenHandler>[0]) };
}

describe.each(['will-frame-navigate', 'will-redirect'])('%s', (event) => {
  test('the page may load itself again', () => {
    const { attempt, log } = guarded();
    expect(attempt(event, 'app://holdfast/')).toBe('passed');
    expect(attempt(event, 'app://holdfast/index.html?x#y')).toBe('passed');
    expect(log.lines).toEqual([]);
  });

  test.each([
    'https://example.com/',
    'http://holdfast/',
    'app://other/',
    'app://holdfast.evil.example/',
    'app://evil@holdfast/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,<script>1</script>',
    'about:blank',
    'blob:app://holdfast/1f6c',
    'not a url',
  ])('%s is refused', (url) => {
    expect(guarded().attempt(event, url)).toBe('prevented');
  });

  test('a frame inside the page goes nowhere, not even to us', () => {
    expect(guarded().attempt(event, 'app://holdfast/', false)).toBe('prevented');
  });

  test('what is refused is logged without its path and query', () => {
    const { attempt, log } = guarded();
    attempt(event, 'https://example.com/secret?key=1');
    expect(JSON.stringify(log.lines)).not.toMatch(/secret|key/);
    expect(log.lines[0]?.fields).toEqual({ to: 'https://example.com', mainFrame: true });
  });
});

test('no window is opened, for whatever address', () => {
  const { open } = guarded();
  for (const url of ['https://example.com/', 'app://holdfast/', 'about:blank', '']) {
    expect(open(url)).toEqual({ action: 'deny' });
  }
});

test('no webview is attached', () => {
  expect(guarded().attempt('will-attach-webview', 'app://holdfast/')).toBe('prevented');
});

test('every permission is denied, asked for or looked at', () => {
  const handlers: {
    request?: Parameters<GuardedSession['setPermissionRequestHandler']>[0];
    check?: Parameters<GuardedSession['setPermissionCheckHandler']>[0];
    device?: Parameters<GuardedSession['setDevicePermissionHandler']>[0];
  } = {};
  denyPermissions(
    {
      setPermissionRequestHandler: (handler) => void (handlers.request = handler),
      setPermissionCheckHandler: (handler) => void (handlers.check = handler),
      setDevicePermissionHandler: (handler) => void (handlers.device = handler),
    },
    keptLog(),
  );
  const { request, check, device } = handlers;
  if (!request || !check || !device) throw new Error('a handler is missing');
  const details = {} as never;
  for (const permission of ['media', 'geolocation', 'notifications', 'openExternal', 'clipboard-read'] as const) {
    const answers: boolean[] = [];
    request(details, permission, (granted) => answers.push(granted), details);
    expect(answers).toEqual([false]);
  }
  for (const permission of ['media', 'geolocation', 'hid', 'usb'] as const) {
    expect(check(null, permission, 'app://holdfast', details)).toBe(false);
  }
  expect(device(details)).toBe(false);
});
