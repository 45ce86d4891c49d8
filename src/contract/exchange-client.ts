import { randomId } from './client.ts';
import type { CoreClient } from './client.ts';
import { FILE_CHUNK_BYTES } from './exchange.ts';
import type { ExportFormat, ImportItem, ImportOutcome } from './exchange.ts';

export interface ExportWish {
  /** Absent: all. */
  readonly sessionIds?: readonly string[];
  readonly format: ExportFormat;
  /** IANA name. */
  readonly timeZone?: string;
}

export interface ExportSteps {
  readonly signal?: AbortSignal;
  /** Takes the next bytes of the file; the core waits for it. */
  readonly onChunk: (bytes: Uint8Array) => void | Promise<void>;
  readonly onProgress?: (conversations: number, total: number) => void;
}

export interface ExportedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly conversations: number;
}

/** Fetches an export piece by piece. Rejects as calls do, and with the abort's reason. */
export async function fetchExport(client: CoreClient, wish: ExportWish, steps: ExportSteps): Promise<ExportedFile> {
  const { signal, onChunk, onProgress } = steps;
  const streamId = randomId();
  const { sessionIds, ...rest } = wish;
  const events = await client.exchange.export(
    { streamId, ...rest, ...(sessionIds && { sessionIds: [...sessionIds] }) },
    { ...(signal && { signal }) },
  );
  let file: { name: string; mediaType: string; conversations: number } | undefined;
  let chunks = 0;
  for await (const event of events) {
    signal?.throwIfAborted();
    switch (event.type) {
      case 'file':
        file = event;
        break;
      case 'chunk':
        await onChunk(event.bytes);
        chunks += 1;
        onProgress?.(event.conversations, file?.conversations ?? 0);
        // A lost acknowledgement is made good by the next; a lost transport ends the stream itself.
        client.exchange.exportAck({ streamId, chunks }).catch(() => undefined);
        break;
      case 'done':
        if (file === undefined) throw new Error('An export without a file');
        return { name: file.name, mediaType: file.mediaType, conversations: event.conversations };
    }
  }
  signal?.throwIfAborted();
  throw new Error('The export ended before the file was whole');
}

/** A file to import, wherever the client has it. A browser's `File` fits with a line of code. */
export interface ImportFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt?: number;
  /** From `start` up to `end`, which is not part of it. */
  read(start: number, end: number): Promise<Uint8Array>;
}

export type ImportProgress =
  | { readonly phase: 'sending' | 'reading'; readonly done: number; readonly total: number }
  | { readonly phase: 'keeping'; readonly done: number; readonly total: number };

export interface ImportSteps {
  readonly changed?: 'skip' | 'copy';
  readonly damaged?: 'refuse' | 'keep';
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportResult {
  readonly outcome: ImportOutcome;
  readonly items: readonly ImportItem[];
}

/** Sends files and has them imported. Rejects as calls do, and with the abort's reason; then nothing has changed. */
export async function sendImport(
  client: CoreClient,
  files: readonly ImportFile[],
  steps: ImportSteps = {},
): Promise<ImportResult> {
  const { changed, damaged, onProgress } = steps;
  const importId = randomId();
  // Ends the stream, and with it the import, when sending fails.
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, ...(steps.signal ? [steps.signal] : [])]);
  const events = await client.exchange.import(
    {
      importId,
      files: files.map(({ name, size, modifiedAt }) => ({
        name,
        size,
        ...(modifiedAt !== undefined && { modifiedAt }),
      })),
      ...(changed && { changed }),
      ...(damaged && { damaged }),
    },
    { signal },
  );
  const items: ImportItem[] = [];
  let sent = false;
  const onSent = (progress: ImportProgress) => {
    // The last piece's answer may come after the news that reading has begun.
    if (!sent) onProgress?.(progress);
  };
  let sending: Promise<unknown> = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const event of events) {
      switch (event.type) {
        case 'ready':
          sending = sendBytes(client, importId, files, signal, onSent).catch((error: unknown) => {
            // The core says in the stream why it takes no more; only what it does not know of ends the stream here.
            if (signal.aborted) return;
            failure = { error };
            ended.abort();
          });
          break;
        case 'reading':
          sent = true;
          onProgress?.({ phase: 'reading', ...event.bytes });
          break;
        case 'keeping':
          onProgress?.({ phase: 'keeping', done: event.done, total: event.total });
          break;
        case 'items':
          items.push(...event.items);
          break;
        case 'done':
          return { outcome: event.outcome, items };
      }
    }
    steps.signal?.throwIfAborted();
    throw new Error('The import ended without an outcome');
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    throw error;
  } finally {
    ended.abort();
    await sending;
  }
}

async function sendBytes(
  client: CoreClient,
  importId: string,
  files: readonly ImportFile[],
  signal: AbortSignal,
  onProgress: (progress: ImportProgress) => void,
): Promise<void> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const [file, source] of files.entries()) {
    for (let offset = 0; offset < source.size; offset += FILE_CHUNK_BYTES) {
      signal.throwIfAborted();
      const bytes = await source.read(offset, Math.min(source.size, offset + FILE_CHUNK_BYTES));
      await client.exchange.importChunk({ importId, file, offset, bytes }, { signal });
      done += bytes.length;
      onProgress({ phase: 'sending', done, total });
    }
  }
}
