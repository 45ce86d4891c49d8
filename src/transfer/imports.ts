import { open, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, IMPORT_BYTES_MAX, ok } from '../contract/index.ts';
import type { CoreEvent, ImportEvent, ImportItem, Problem, Result } from '../contract/index.ts';
import { fileSource, importConversations } from '../exchange/index.ts';
import type { ByteSource, ReportItem } from '../exchange/index.ts';
import type { Journals } from '../journal/index.ts';
import type { Conversations } from './conversations.ts';
import { importProblem, knownSession, onDisk, sessionSink } from './sink.ts';
import type { Staging } from './staging.ts';

/** Items of the report in one event. */
const ITEMS_AT_ONCE = 100;

export interface ImportRequest {
  readonly importId: string;
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly modifiedAt?: number | undefined;
  }[];
  readonly changed: 'skip' | 'copy';
  readonly damaged: 'refuse' | 'keep';
}

export interface Imports {
  /** As the contract has it. Ends with a problem where it cannot begin or its bytes cannot be kept. */
  stream(request: ImportRequest, signal: AbortSignal | undefined): AsyncGenerator<ImportEvent, Problem | undefined>;
  chunk(importId: string, file: number, offset: number, bytes: Uint8Array): Promise<Result<{ received: number }>>;
  /** Imports files that are on this machine, without a copy of them. */
  fromFiles(paths: readonly string[], options: LocalImport): Promise<Result<readonly ImportEvent[]>>;
  /** Cancels what is under way and waits for its end. */
  end(): Promise<void>;
}

export interface LocalImport {
  readonly changed: 'skip' | 'copy';
  readonly damaged: 'refuse' | 'keep';
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: ImportEvent) => void;
}

export interface ImportsPorts {
  readonly sessions: Conversations;
  readonly journals: Journals;
  readonly staging: Staging;
  /** A folder on the disk that imports go to. */
  readonly dataDir: string;
  readonly forgetLive: (sessionId: string) => void;
  readonly publish: (event: CoreEvent) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A file that comes in, as far as it has come. */
interface Upload {
  readonly path: string;
  readonly size: number;
  readonly handle: FileHandle;
  received: number;
  /** Pieces are written one after the other. */
  writing: Promise<unknown>;
}

interface Running {
  readonly importId: string;
  readonly cancel: AbortController;
  readonly uploads: Upload[];
  /** The bytes could not be kept. */
  problem: Problem | undefined;
  wake: () => void;
  ended: Promise<unknown>;
}

export function createImports(ports: ImportsPorts): Imports {
  const { sessions, journals, staging, now } = ports;
  let running: Running | undefined;

  /** Takes the one place for an import, runs it there, and leaves nothing of it that does not count. */
  async function alone<T>(
    importId: string,
    signal: AbortSignal | undefined,
    task: (mine: Running, place: Awaited<ReturnType<Staging['begin']>>) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    // One that was cancelled is about to be gone: whoever cancelled it may begin the next at once.
    while (running?.cancel.signal.aborted === true) await running.ended;
    if (running !== undefined) return failed(ANOTHER);
    const cancel = new AbortController();
    const onAbort = () => {
      cancel.abort();
      mine.wake();
    };
    let leave: () => void = () => undefined;
    const mine: Running = {
      importId,
      cancel,
      uploads: [],
      problem: undefined,
      wake: () => undefined,
      ended: new Promise<void>((resolve) => (leave = resolve)),
    };
    running = mine;
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) cancel.abort();
    try {
      return await onDisk(async () => {
        await staging.recover();
        return task(mine, await staging.begin());
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      for (const { handle, writing } of mine.uploads) {
        await writing.catch(() => undefined);
        await handle.close().catch(() => undefined);
      }
      // Without effect where it was committed. What cannot be removed now is at the next import or the next start.
      await staging.recover().catch(() => undefined);
      running = undefined;
      leave();
    }
  }

  /** Reads the files into the sink; `emit` hears how far it is, and what came of it. */
  async function read(
    sources: readonly ByteSource[],
    staged: Journals,
    { changed, damaged }: Pick<ImportRequest, 'changed' | 'damaged'>,
    cancel: AbortSignal,
    emit: (event: ImportEvent) => void,
  ): Promise<Result<void>> {
    let kept = false;
    const sink = sessionSink({
      sessions,
      journals,
      staging,
      staged,
      forgetLive: ports.forgetLive,
      publish: ports.publish,
      keeping(done, total) {
        kept = true;
        emit({ type: 'keeping', done, total });
      },
    });
    const outcome = await importConversations({
      sources,
      sink,
      known: (id) => knownSession(sessions, id),
      changed,
      damaged,
      now,
      signal: cancel,
      onProgress({ file, bytes, conversations, turns }) {
        // Once more at the end, when it is old news.
        if (!kept) emit({ type: 'reading', file, bytes, conversations, turns });
      },
    });
    if (outcome.kind === 'cancelled') return ok(undefined);
    const items = outcome.report.items.map(itemOf);
    for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
      emit({ type: 'items', items: items.slice(at, at + ITEMS_AT_ONCE) });
    }
    const { imported, duplicates, skipped, turns } = outcome.report;
    ports.report('Conversations were imported', { outcome: outcome.kind, imported, duplicates, skipped, turns });
    emit({
      type: 'done',
      outcome: outcome.kind === 'failed' ? { kind: 'failed', problem: outcome.problem } : { kind: outcome.kind },
    });
    return ok(undefined);
  }

  async function receive(
    { files }: ImportRequest,
    mine: Running,
    folder: string,
    emit: (event: ImportEvent) => void,
  ): Promise<Result<readonly ByteSource[]>> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > IMPORT_BYTES_MAX) return failed(TOO_LARGE);
    const { bavail, bsize } = await statfs(ports.dataDir);
    if (bavail * bsize < total) return failed(importProblem({ code: 'ENOSPC' }));
    for (const [index, { size }] of files.entries()) {
      const path = join(folder, String(index));
      const handle = await open(path, 'wx', 0o600);
      mine.uploads.push({ path, size, handle, received: 0, writing: Promise.resolve() });
    }
    emit({ type: 'ready' });
    while (mine.uploads.some(({ received, size }) => received < size)) {
      if (mine.problem !== undefined) return failed(mine.problem);
      if (mine.cancel.signal.aborted) return ok([]);
      await new Promise<void>((resolve) => (mine.wake = resolve));
    }
    return ok(
      await Promise.all(
        mine.uploads.map(async ({ path }, index): Promise<ByteSource> => {
          const { name, modifiedAt } = files[index]!;
          const { modifiedAt: _copied, ...source } = await fileSource(path);
          return { ...source, name, ...(modifiedAt !== undefined && { modifiedAt }) };
        }),
      ),
    );
  }

  async function* stream(
    request: ImportRequest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ImportEvent, Problem | undefined> {
    const cancel = new AbortController();
    const queue = eventQueue();
    /** Told when the place is free again, so that whoever hears it can begin the next. */
    let last: ImportEvent | undefined;
    const emit = (event: ImportEvent) => {
      if (event.type === 'done') last = event;
      else queue.put(event);
    };
    const ended = alone(
      request.importId,
      AbortSignal.any([cancel.signal, ...(signal ? [signal] : [])]),
      async (mine, place) => {
        const sources = await receive(request, mine, place.files, emit);
        if (!sources.ok) return sources;
        if (mine.cancel.signal.aborted) return ok(undefined);
        return read(sources.value, place.journals, request, mine.cancel.signal, emit);
      },
    ).finally(queue.end);
    ended.catch(() => undefined);
    try {
      yield* queue.events();
      const done = await ended;
      if (last !== undefined) yield last;
      return done.ok ? undefined : done.problem;
    } finally {
      cancel.abort();
      await ended.catch(() => undefined);
    }
  }

  async function keep(mine: Running, upload: Upload, offset: number, bytes: Uint8Array): Promise<void> {
    // Asked again after an answer that was not heard.
    const fresh = bytes.subarray(Math.max(0, upload.received - offset));
    let done = 0;
    while (done < fresh.length) {
      const { bytesWritten } = await upload.handle.write(fresh, done, fresh.length - done, upload.received + done);
      if (bytesWritten === 0) throw Object.assign(new Error('The disk took no more bytes'), { code: 'ENOSPC' });
      done += bytesWritten;
    }
    upload.received += fresh.length;
    mine.wake();
  }

  return {
    stream,
    async chunk(importId, file, offset, bytes) {
      const mine = running?.importId === importId ? running : undefined;
      const upload = mine?.uploads[file];
      if (mine === undefined || upload === undefined || mine.cancel.signal.aborted) return failed(NOT_RUNNING);
      const kept = upload.writing.then(async (): Promise<Result<{ received: number }>> => {
        if (mine.problem !== undefined) return failed(mine.problem);
        if (offset > upload.received || offset + bytes.length > upload.size) return failed(NOT_THE_NEXT);
        try {
          await keep(mine, upload, offset, bytes);
          return ok({ received: upload.received });
        } catch (error) {
          mine.problem = importProblem(error);
          mine.wake();
          return failed(mine.problem);
        }
      });
      upload.writing = kept;
      return kept;
    },
    async fromFiles(paths, { changed, damaged, signal, onEvent }) {
      const events: ImportEvent[] = [];
      const done = await alone('', signal, async (mine, place) => {
        const sources: ByteSource[] = [];
        for (const path of paths) {
          try {
            sources.push(await fileSource(path));
          } catch (error) {
            return failed(notReadable(path, error));
          }
        }
        return read(sources, place.journals, { changed, damaged }, mine.cancel.signal, (event) => {
          if (event.type === 'items' || event.type === 'done') events.push(event);
          onEvent?.(event);
        });
      });
      return done.ok ? ok(events) : done;
    },
    async end() {
      running?.cancel.abort();
      running?.wake();
      await running?.ended;
    },
  };
}

/** What was told, for who comes to hear it. How far it is, is told only as it is now. */
function eventQueue() {
  const held: ImportEvent[] = [];
  let ended = false;
  let wake = () => {};
  return {
    put(event: ImportEvent): void {
      const replaces = (event.type === 'reading' || event.type === 'keeping') && held.at(-1)?.type === event.type;
      if (replaces) held.pop();
      held.push(event);
      wake();
    },
    end(): void {
      ended = true;
      wake();
    },
    async *events(): AsyncGenerator<ImportEvent> {
      for (;;) {
        const next = held.shift();
        if (next !== undefined) yield next;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function itemOf(item: ReportItem): ImportItem {
  const { file, title, message } = item;
  const base = { file, title, message };
  switch (item.outcome) {
    case 'imported':
    case 'partly':
      return { ...base, outcome: item.outcome, sessionId: item.sessionId, turns: item.turns };
    case 'duplicate':
      return { ...base, outcome: 'duplicate', sessionId: item.sessionId, changed: item.changed };
    case 'skipped':
      return { ...base, outcome: 'skipped', count: item.count };
    case 'unreadable':
      return { ...base, outcome: 'unreadable' };
  }
}

function notReadable(path: string, error: unknown): Problem {
  return {
    code: 'invalid_input',
    message: `${path} cannot be read. Check that it is there and that you may open it. Nothing was imported.`,
    retry: 'user',
    context: { path, error: String(error) },
  };
}

const ANOTHER: Problem = {
  code: 'busy',
  message: 'Another import is running. Wait for its end, or cancel it there, then import again.',
  retry: 'user',
};
const NOT_RUNNING: Problem = {
  code: 'invalid_input',
  message: 'This import is not running any more. Begin it again.',
  retry: 'user',
};
const NOT_THE_NEXT: Problem = {
  code: 'invalid_input',
  message: 'This is not the next piece of the file. Begin the import again.',
  retry: 'never',
};
const TOO_LARGE: Problem = {
  code: 'too_large',
  message: 'This is more than Holdfast imports at once. Import fewer files at a time.',
  retry: 'user',
};
