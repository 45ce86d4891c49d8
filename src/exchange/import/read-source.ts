import type { DraftContext } from './draft.ts';
import type { ImportLimits } from './limits.ts';
import { readJson } from './read-json.ts';
import type { Found } from './read-json.ts';
import type { ByteSource } from './source.ts';
import { encodingOf, utf8Of } from './text-bytes.ts';
import { Unreadable } from './unreadable.ts';
import type { UnreadableReason } from './unreadable.ts';
import { openZip } from './zip.ts';
import type { ZipMember } from './zip.ts';

/** Bytes by which the kind of a file is told. */
const HEAD_BYTES = 4096;

export interface ReadOptions {
  readonly now: number;
  readonly limits: ImportLimits;
  readonly signal?: AbortSignal | undefined;
  onBytes(count: number): void;
  /** An archive was opened: it will come to this many bytes more than its own size. */
  onMoreBytes(count: number): void;
}

export type SourceFound =
  | (Found & { readonly file: string })
  | {
      readonly kind: 'unreadable';
      readonly file: string;
      readonly reason: UnreadableReason;
      readonly context: Readonly<Record<string, string | number>>;
    };

/** All that is found in a file or an archive. Rejects only when `signal` is aborted. */
export async function* readSource(source: ByteSource, options: ReadOptions): AsyncGenerator<SourceFound> {
  try {
    const head = await headOf(source);
    if (isZip(head)) yield* readArchive(source, options);
    else yield* named(source.name, readText(source, source.read(), options));
  } catch (error) {
    options.signal?.throwIfAborted();
    yield { kind: 'unreadable', file: source.name, ...reasonOf(error) };
  }
}

async function* readArchive(source: ByteSource, options: ReadOptions): AsyncGenerator<SourceFound> {
  const zip = await openZip(source, options.limits);
  try {
    options.onMoreBytes(zip.members.reduce((sum, { size }) => sum + size, -source.size));
    let known = false;
    let html = false;
    for (const member of zip.members) {
      const file = `${source.name} › ${member.name}`;
      // AI Studio's files have no ending: what is in them tells.
      let ours = /\.json$/i.test(member.name);
      try {
        for await (const found of readMember(member, options)) {
          known = true;
          ours = true;
          yield { ...found, file };
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        const unreadable = reasonOf(error);
        html ||= unreadable.reason === 'html';
        // An archive has more in it than conversations: settings, feedback, a page to read them in, a whole Drive.
        if (ours && !NOT_FOR_US.has(unreadable.reason)) {
          known = true;
          yield { kind: 'unreadable', file, ...unreadable };
        }
      }
    }
    if (!known) throw new Unreadable(html ? 'html' : 'zip-nothing-inside');
  } finally {
    zip.close();
  }
}

const NOT_FOR_US: ReadonlySet<UnreadableReason> = new Set(['empty', 'unknown-format', 'html', 'packed-otherwise']);

async function* readMember(member: ZipMember, options: ReadOptions): AsyncGenerator<Found> {
  yield* readText({ name: member.name, modifiedAt: member.modifiedAt }, await member.open(), options);
}

async function* readText(
  file: Pick<ByteSource, 'name' | 'modifiedAt'>,
  stream: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<Found> {
  const context: DraftContext = {
    now: options.now,
    fallbackTime: file.modifiedAt ?? options.now,
    fileTitle: titleOf(file.name),
  };
  const bytes = counted(stream, options);
  try {
    const first = await firstBytes(bytes);
    const head = Buffer.concat(first).subarray(0, HEAD_BYTES);
    const encoding = encodingOf(head);
    const begins = new TextDecoder(encoding).decode(head).trimStart();
    if (begins === '') throw new Unreadable('empty');
    if (begins.startsWith('<')) throw new Unreadable('html');
    if (isPackedOtherwise(head)) throw new Unreadable('packed-otherwise');
    if (!/^[[{]/.test(begins)) throw new Unreadable('unknown-format');
    yield* readJson(utf8Of(joined(first, bytes), encoding), context, options.limits);
  } finally {
    // Also where nothing or not all of it was read: it closes the file.
    await bytes.return(undefined);
  }
}

/** Ends the reading, and with it the stream, when the import is cancelled. */
async function* counted(
  stream: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, undefined> {
  for await (const chunk of stream) {
    options.signal?.throwIfAborted();
    options.onBytes(chunk.length);
    yield chunk;
  }
  return undefined;
}

async function firstBytes(stream: AsyncGenerator<Uint8Array>): Promise<readonly Uint8Array[]> {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await stream.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  return first;
}

async function* joined(first: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

async function headOf(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(0, Math.min(source.size, HEAD_BYTES))) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** An archive begins with a file or, when it is empty, with its end. */
function isZip([a, b, c, d]: Uint8Array): boolean {
  return a === 0x50 && b === 0x4b && ((c === 3 && d === 4) || (c === 5 && d === 6));
}

/** gzip (as in Takeout's .tgz), 7z, RAR, bzip2, xz. */
function isPackedOtherwise([a, b, c]: Uint8Array): boolean {
  return (
    (a === 0x1f && b === 0x8b) ||
    (a === 0x37 && b === 0x7a && c === 0xbc) ||
    (a === 0x52 && b === 0x61 && c === 0x72) ||
    (a === 0x42 && b === 0x5a && c === 0x68) ||
    (a === 0xfd && b === 0x37 && c === 0x7a)
  );
}

async function* named(file: string, found: AsyncIterable<Found>): AsyncGenerator<SourceFound> {
  for await (const one of found) yield { ...one, file };
}

function reasonOf(error: unknown): { reason: UnreadableReason; context: Readonly<Record<string, string | number>> } {
  if (error instanceof Unreadable) return { reason: error.reason, context: error.context };
  // Only the file system is left: all else that reading can meet is an `Unreadable`.
  if (error instanceof Error && 'code' in error && 'syscall' in error) {
    return { reason: 'disk', context: { error: error.message } };
  }
  throw error;
}

/** The name without its folders and its ending. */
function titleOf(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? name;
  return last.replace(/\.(json|txt)$/i, '');
}
