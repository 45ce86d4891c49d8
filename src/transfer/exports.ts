import { EXPORT_WINDOW, failed, FILE_CHUNK_BYTES, ok } from '../contract/index.ts';
import type { ExportEvent, ExportFormat, Problem, Result } from '../contract/index.ts';
import { exportConversations, formats } from '../exchange/index.ts';
import type { ExportTarget } from '../exchange/index.ts';
import { allSessionIds, outgoing, ReadingFailed } from './conversations.ts';
import type { Conversations } from './conversations.ts';

export interface ExportRequest {
  readonly streamId: string;
  /** Absent: all. */
  readonly sessionIds?: readonly string[] | undefined;
  readonly format: ExportFormat;
  readonly timeZone?: string | undefined;
}

export interface Exports {
  /**
   * One file, in pieces, `EXPORT_WINDOW` of them beyond the last acknowledged one. To return from it early, or to abort,
   * cancels the export. Ends with a problem, or without one and without `done` when it was aborted.
   */
  stream(request: ExportRequest, signal: AbortSignal | undefined): AsyncGenerator<ExportEvent, Problem | undefined>;
  ack(streamId: string, chunks: number): void;
}

export interface ExportsPorts {
  readonly sessions: Conversations;
  /** Of Holdfast. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createExports({ sessions, version, now }: ExportsPorts): Exports {
  const windows = new Map<string, Window>();

  async function* stream(
    request: ExportRequest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ExportEvent, Problem | undefined> {
    const { format, sessionIds, timeZone, streamId } = request;
    if (timeZone !== undefined && !isTimeZone(timeZone)) return NO_SUCH_ZONE;
    const ids = sessionIds === undefined ? await allSessionIds(sessions) : ok([...new Set(sessionIds)]);
    if (!ids.ok) return ids.problem;
    const only = ids.value.length === 1 && sessionIds !== undefined;

    const cancel = new AbortController();
    const onAbort = () => cancel.abort();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) cancel.abort();
    const window = createWindow(cancel.signal);
    windows.set(streamId, window);

    const { mediaType } = formats[format];
    const done = { conversations: 0, turns: 0 };
    const target: ExportTarget = {
      taken: () => Promise.resolve([]),
      async open(name) {
        await window.put({ type: 'file', name, mediaType, conversations: ids.value.length });
        return {
          async write(text) {
            const bytes = Buffer.from(text);
            for (let at = 0; at < bytes.length; at += FILE_CHUNK_BYTES) {
              // A copy: a small buffer is a piece of a large one that others use as well.
              await window.put({
                type: 'chunk',
                bytes: new Uint8Array(bytes.subarray(at, at + FILE_CHUNK_BYTES)),
                ...done,
              });
            }
          },
          finish: () => Promise.resolve(),
          discard: () => Promise.resolve(),
        };
      },
      remove: () => Promise.resolve(),
    };
    const writing = exportConversations({
      conversations: outgoing(sessions, ids.value, sessionIds === undefined ? 'pass-over' : 'fail'),
      total: ids.value.length,
      format,
      // A file of one conversation is named after it.
      layout: only ? 'each' : 'together',
      target,
      head: { exportedAt: now(), app: version, timeZone },
      signal: cancel.signal,
      onProgress({ conversations, turns }) {
        done.conversations = conversations.done;
        done.turns = turns;
      },
    })
      .then(async (outcome): Promise<Result<void>> => {
        if (outcome.kind === 'failed') return failed(outcome.problem);
        if (outcome.kind === 'exported') {
          const sum = (of: 'conversations' | 'turns' | 'bytes') =>
            outcome.files.reduce((all, file) => all + file[of], 0);
          await window.put({
            type: 'done',
            conversations: sum('conversations'),
            turns: sum('turns'),
            bytes: sum('bytes'),
          });
        }
        return ok(undefined);
      })
      .catch((error: unknown): Result<void> => {
        if (error instanceof ReadingFailed) return failed(error.problem);
        if (cancel.signal.aborted) return ok(undefined);
        throw error;
      })
      .finally(() => window.end());
    // It is waited for below; until then nobody else would hear of it.
    writing.catch(() => undefined);
    try {
      yield* window.events();
      const written = await writing;
      return written.ok ? undefined : written.problem;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      cancel.abort();
      windows.delete(streamId);
    }
  }

  return {
    stream,
    ack: (streamId, chunks) => windows.get(streamId)?.ack(chunks),
  };
}

type Window = ReturnType<typeof createWindow>;

/** Between who writes and who reads: the writer waits while too many pieces have not been acknowledged. */
function createWindow(signal: AbortSignal) {
  let queue: ExportEvent[] = [];
  let sent = 0;
  let acked = 0;
  let ended = false;
  let wakeReader = () => {};
  let wakeWriter = () => {};
  signal.addEventListener('abort', () => {
    wakeReader();
    wakeWriter();
  });

  return {
    /** Rejects when the export is cancelled. */
    async put(event: ExportEvent): Promise<void> {
      while (event.type === 'chunk' && sent - acked >= EXPORT_WINDOW && !signal.aborted) {
        await new Promise<void>((resolve) => (wakeWriter = resolve));
      }
      signal.throwIfAborted();
      if (event.type === 'chunk') sent += 1;
      queue.push(event);
      wakeReader();
    },
    ack(chunks: number): void {
      // What was never sent cannot have been taken in.
      acked = Math.max(acked, Math.min(chunks, sent));
      wakeWriter();
    },
    end(): void {
      ended = true;
      wakeReader();
    },
    async *events(): AsyncGenerator<ExportEvent> {
      for (;;) {
        const events = queue;
        queue = [];
        yield* events;
        if (queue.length > 0) continue;
        if (ended || signal.aborted) return;
        await new Promise<void>((resolve) => (wakeReader = resolve));
      }
    },
  };
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const NO_SUCH_ZONE: Problem = {
  code: 'invalid_input',
  message: 'This is not a time zone that Holdfast knows. Leave it out, or give one like Europe/Berlin.',
  retry: 'never',
};
