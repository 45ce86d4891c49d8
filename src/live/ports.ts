import type { Content } from '@google/genai';

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

/** The newest resumption handle of a session, kept outside the process. Handles are secrets: never logged. */
export interface HandleStore {
  load(): { readonly handle: string; readonly model: string } | undefined;
  save(handle: string, model: string): void;
  clear(): void;
}

/** What was said so far, newest last, within a budget; for a server that does not know it. */
export type History = () => Promise<readonly Content[]>;
