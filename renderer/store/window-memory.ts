import { z } from 'zod';
import type { PendingSend, State } from './state.ts';

/** What of the browser's `Storage` is used. */
export type StoragePort = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

const ACTIVE = 'holdfast:active';
const THEME = 'holdfast:theme';
const DISMISSED = 'holdfast:dismissed';
const DRAFT = 'holdfast:draft:';
const PENDING = 'holdfast:pending:';
const DISMISSED_MAX = 200;

const pendingSchema = z.object({ turnId: z.string(), text: z.string(), draft: z.string(), at: z.number() });
const dismissedSchema = z.array(z.string());

type Remembered = Pick<State, 'activeId' | 'drafts' | 'pending' | 'dismissed'>;

/** What this window remembers over a reload. A storage that is full or denied only costs the remembering. */
export interface WindowMemory {
  read(): Remembered;
  writeChanges(before: Remembered, after: Remembered): void;
  readTheme(): string | null;
  writeTheme(theme: string): void;
}

export function createWindowMemory(storage: StoragePort): WindowMemory {
  const get = (key: string): string | null => {
    try {
      return storage.getItem(key);
    } catch {
      return null;
    }
  };
  const set = (key: string, value: string | null) => {
    try {
      if (value === null) storage.removeItem(key);
      else storage.setItem(key, value);
    } catch {
      // See above: the text is still in the window.
    }
  };
  const entries = (prefix: string): [string, string][] => {
    const found: [string, string][] = [];
    try {
      for (let at = 0; at < storage.length; at += 1) {
        const key = storage.key(at);
        if (key?.startsWith(prefix)) found.push([key.slice(prefix.length), storage.getItem(key) ?? '']);
      }
    } catch {
      // As above.
    }
    return found;
  };

  return {
    read() {
      const pending: Record<string, PendingSend> = {};
      for (const [sessionId, text] of entries(PENDING)) {
        const parsed = pendingSchema.safeParse(parse(text));
        if (parsed.success) pending[sessionId] = { ...parsed.data, state: 'unreached' };
      }
      const dismissed = dismissedSchema.safeParse(parse(get(DISMISSED) ?? '[]'));
      return {
        activeId: get(ACTIVE),
        drafts: Object.fromEntries(entries(DRAFT)),
        pending,
        dismissed: new Set(dismissed.success ? dismissed.data : []),
      };
    },
    writeChanges(before, after) {
      if (before.activeId !== after.activeId) set(ACTIVE, after.activeId);
      if (before.dismissed !== after.dismissed) {
        set(DISMISSED, JSON.stringify([...after.dismissed].slice(-DISMISSED_MAX)));
      }
      for (const [id, draft] of changes(before.drafts, after.drafts))
        set(DRAFT + id, draft === '' ? null : (draft ?? null));
      for (const [id, pending] of changes(before.pending, after.pending)) {
        if (pending === undefined) set(PENDING + id, null);
        else {
          const { state: _, ...kept } = pending;
          set(PENDING + id, JSON.stringify(kept));
        }
      }
    },
    readTheme: () => get(THEME),
    writeTheme: (theme) => set(THEME, theme),
  };
}

function changes<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): [string, T | undefined][] {
  if (before === after) return [];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
