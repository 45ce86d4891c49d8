/** Where a link dials. Asked anew for each connection, so that a new key or model counts from the next one on. */
export interface Endpoint {
  /** With the key in it: never logged. */
  readonly url: string;
  readonly provider: 'gemini' | 'demo';
  /** Without the `models/` prefix. */
  readonly model: string;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `ms` milliseconds. Returns its undo. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * What a handle is good for: one model at one server. A handle of the demo means nothing to Google, and none of the
 * business of whoever is behind another base URL.
 */
export function identityOf({ provider, url, model }: Endpoint): string {
  const { host } = new URL(url);
  // The demo's server listens on another port at each start and remembers nothing from before.
  return `${provider} ${host} ${model}`;
}
