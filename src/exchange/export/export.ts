import type { Problem } from '../../contract/index.ts';
import type { OutgoingConversation } from '../conversation.ts';
import { fileNames } from '../file-names.ts';
import { progressReporter } from '../progress.ts';
import type { FileHead, FormatWriter } from './format.ts';
import { formats } from './formats.ts';
import type { ExportFormat } from './formats.ts';
import type { ExportFile, ExportTarget } from './target.ts';
import { onDisk, writeProblem } from './write-problem.ts';

/** How much text is collected before it is written, in UTF-16 code units. */
const WRITE_AT = 64 * 1024;

export interface ExportProgress {
  readonly conversations: { readonly done: number; readonly total: number | undefined };
  readonly turns: number;
  readonly bytes: number;
}

export interface ExportOptions {
  /** Each conversation's turns are read to their end before the next conversation is asked for. */
  readonly conversations: AsyncIterable<OutgoingConversation>;
  /** How many there are, where it is known. */
  readonly total?: number;
  readonly format: ExportFormat;
  /** `together`: all in one file. `each`: a file a conversation, named after its title. */
  readonly layout: 'together' | 'each';
  readonly target: ExportTarget;
  readonly head: FileHead;
  readonly signal?: AbortSignal;
  onProgress?(progress: ExportProgress): void;
}

export interface ExportedFile {
  readonly name: string;
  readonly conversations: number;
  readonly turns: number;
  /** Of UTF-8. */
  readonly bytes: number;
}

/** In all but `exported` no file of the export is left. */
export type ExportOutcome =
  | { readonly kind: 'exported'; readonly files: readonly ExportedFile[] }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly problem: Problem };

interface OpenFile {
  readonly name: string;
  readonly file: ExportFile;
  readonly writer: FormatWriter;
  buffered: string;
  conversations: number;
  turns: number;
  bytes: number;
}

/**
 * Writes conversations to files, turn by turn: memory does not grow with their length. What the disk does is in the
 * outcome; it rejects only with what reading the conversations rejects with, after it has removed what it wrote.
 */
export async function exportConversations(options: ExportOptions): Promise<ExportOutcome> {
  const { conversations, format, layout, target, head, signal } = options;
  const { extension, writer } = formats[format];
  const names = fileNames();
  const files: ExportedFile[] = [];
  const done = { conversations: 0, turns: 0, bytes: 0 };
  let current: OpenFile | undefined;
  const progress = progressReporter<ExportProgress>(options.onProgress?.bind(options), () => ({
    conversations: { done: done.conversations, total: options.total },
    turns: done.turns,
    bytes: done.bytes,
  }));

  try {
    for (const name of await onDisk(() => target.taken())) names.mark(name);
    if (layout === 'together') current = await begin('Conversations', undefined);
    for await (const { session, turns } of conversations) {
      signal?.throwIfAborted();
      const file = current ?? (await begin(session.title, session.title));
      current = file;
      await put(file, file.writer.open(session));
      for await (const page of turns) {
        for (const turn of page) {
          await put(file, file.writer.turn(turn));
          file.turns += 1;
          done.turns += 1;
        }
        signal?.throwIfAborted();
        progress.soon();
      }
      await put(file, file.writer.close());
      file.conversations += 1;
      done.conversations += 1;
      if (layout === 'each') await finish(file);
      progress.soon();
    }
    signal?.throwIfAborted();
    if (current !== undefined) await finish(current);
    progress.now();
    return { kind: 'exported', files };
  } catch (error) {
    await removeAll();
    if (signal?.aborted === true) return { kind: 'cancelled' };
    const problem = writeProblem(error);
    if (problem === undefined) throw error;
    return { kind: 'failed', problem };
  }

  async function begin(nameFrom: string, title: string | undefined): Promise<OpenFile> {
    const name = names.name(nameFrom, extension);
    const file = await onDisk(() => target.open(name));
    const made = { name, file, writer: writer(head, title), buffered: '', conversations: 0, turns: 0, bytes: 0 };
    current = made;
    await put(made, made.writer.begin());
    return made;
  }

  async function put(file: OpenFile, text: string): Promise<void> {
    file.buffered += text;
    if (file.buffered.length >= WRITE_AT) await flush(file);
  }

  async function flush(file: OpenFile): Promise<void> {
    const text = file.buffered;
    file.buffered = '';
    const bytes = Buffer.byteLength(text);
    await onDisk(() => file.file.write(text));
    file.bytes += bytes;
    done.bytes += bytes;
  }

  async function finish(open: OpenFile): Promise<void> {
    open.buffered += open.writer.end();
    await flush(open);
    await onDisk(() => open.file.finish());
    const { name, conversations: count, turns, bytes } = open;
    files.push({ name, conversations: count, turns, bytes });
    current = undefined;
  }

  async function removeAll(): Promise<void> {
    // What cannot be removed now can be removed by nobody but the user; the first error is the one to tell.
    await current?.file.discard().catch(() => undefined);
    for (const { name } of files) await target.remove(name).catch(() => undefined);
  }
}
