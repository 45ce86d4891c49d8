import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';

const CHUNK_BYTES = 256 * 1024;

/** A file to import from, wherever it is. Reading rejects with the file system's errors. */
export interface ByteSource {
  /** As the user knows it, without a path. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When the file was last changed: the date of conversations that have none of their own. */
  readonly modifiedAt?: number;
  /** From `start` up to `end`, which is not part of it. Default: all. */
  read(start?: number, end?: number): Readable;
}

/** Rejects with the file system's error. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { size, mtimeMs } = await stat(path);
  return {
    name: basename(path),
    size,
    modifiedAt: Math.max(0, Math.trunc(mtimeMs)),
    read: (start = 0, end = size) =>
      end <= start ? Readable.from([]) : createReadStream(path, { start, end: end - 1, highWaterMark: CHUNK_BYTES }),
  };
}

/** What a page has sent. */
export function bytesSource(name: string, bytes: Uint8Array, modifiedAt?: number): ByteSource {
  return {
    name,
    size: bytes.length,
    ...(modifiedAt !== undefined && { modifiedAt }),
    read: (start = 0, end = bytes.length) => Readable.from(chunksOf(bytes.subarray(start, end)), { objectMode: false }),
  };
}

function* chunksOf(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(CHUNK_BYTES, bytes.length - at));
  }
}
