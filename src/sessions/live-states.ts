import { z } from 'zod';
import { writeChecked } from '../storage/index.ts';
import type { KeyValueFile } from '../storage/index.ts';

/** What is kept of a link beyond its process. */
const liveStateSchema = z.object({
  handle: z.string(),
  model: z.string(),
  /** The journal's last line when the handle came: the handle knows nothing of what came after. */
  seq: z.number().int(),
  at: z.number(),
});
export type LiveState = z.infer<typeof liveStateSchema>;

/** The live state of each session. Losing it costs nothing but a rebuild from the history. */
export interface LiveStates {
  get(sessionId: string): LiveState | undefined;
  set(sessionId: string, state: LiveState): void;
  delete(sessionId: string): void;
}

/** Keeps live states in one key-value file; entries that cannot be read are dropped, and `warn` is told of failed writes. */
export function openLiveStates(file: KeyValueFile, warn: (error: unknown) => void): LiveStates {
  let states: Record<string, LiveState> = {};
  for (const [id, value] of Object.entries(file.store)) {
    const parsed = liveStateSchema.safeParse(value);
    if (parsed.success) states[id] = parsed.data;
  }
  function replace(next: Record<string, LiveState>): void {
    const before = states;
    states = next;
    try {
      writeChecked(file, next, before);
    } catch (error) {
      warn(error);
    }
  }
  return {
    get: (sessionId) => states[sessionId],
    set: (sessionId, state) => replace({ ...states, [sessionId]: state }),
    delete(sessionId) {
      if (states[sessionId] === undefined) return;
      const { [sessionId]: _gone, ...rest } = states;
      replace(rest);
    },
  };
}
