import type { App } from 'electron';
import type { Logger } from '../src/log.ts';

/** Whoever quits wants to be gone; what is accepted is on disk already, so waiting longer saves nothing. */
export const QUIT_WAIT_MS = 5_000;

export interface QuitOptions {
  readonly app: Pick<App, 'on' | 'exit'>;
  readonly close: () => Promise<void>;
  readonly log: Logger;
}

/** Holds the app's end, after its windows have closed, until `close` is done or has had its time. */
export function closeBeforeQuit({ app, close, log }: QuitOptions): void {
  let closing = false;
  app.on('will-quit', (event) => {
    // `app.exit` does not come this way again; a second wish to quit while closing does.
    event.preventDefault();
    if (closing) return;
    closing = true;
    void closeInTime(close, log).then((code) => {
      log.flush?.();
      app.exit(code);
    });
  });
}

async function closeInTime(close: () => Promise<void>, log: Logger): Promise<0 | 1> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, QUIT_WAIT_MS, 'late');
  });
  try {
    const outcome = await Promise.race([close(), late]);
    if (outcome !== 'late') return 0;
    log.error({ waitedMs: QUIT_WAIT_MS }, 'The core did not close in time');
    return 1;
  } catch (error) {
    log.error({ err: error }, 'The core did not close cleanly');
    return 1;
  } finally {
    clearTimeout(timer);
  }
}
