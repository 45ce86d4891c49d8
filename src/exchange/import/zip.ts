import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import type { ImportLimits } from './limits.ts';
import type { ByteSource } from './source.ts';
import { Unreadable } from './unreadable.ts';

/** A file in an archive. Nothing is ever unpacked to the disk. */
export interface ZipMember {
  readonly name: string;
  /** In bytes, unpacked, as the archive states it; reading fails where that is not so. */
  readonly size: number;
  readonly modifiedAt: number;
  open(): Promise<Readable>;
}

/** Pictures, recordings and the like, which exports carry beside the conversations. They are not even looked at. */
const NO_TEXT =
  /\.(png|jpe?g|gif|webp|heic|bmp|svg|ico|wav|mp3|m4a|ogg|opus|flac|mp4|mov|webm|pdf|docx?|xlsx?|pptx?|zip|gz|dat|bin|csv|md|css|js)$/i;

/**
 * The files of an archive that may hold conversations. Names that point out of the archive, encryption, and sizes that
 * no export has are refused before anything is unpacked. Rejects with `Unreadable`.
 */
export async function openZip(
  source: ByteSource,
  limits: ImportLimits,
): Promise<{ members: readonly ZipMember[]; close(): void }> {
  const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
    autoClose: false,
    lazyEntries: true,
    validateEntrySizes: true,
  }).catch((error: unknown) => {
    throw asUnreadable(error);
  });
  try {
    const entries = await wantedEntries(zip, limits);
    return {
      members: entries.map((entry) => ({
        name: entry.fileName,
        size: entry.uncompressedSize,
        modifiedAt: Math.max(0, entry.getLastModDate().getTime() || 0),
        open: () => openMember(zip, entry),
      })),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw asUnreadable(error);
  }
}

/** yauzl ends a file that unpacks to more than it states, so what is stated can be relied on. */
async function wantedEntries(zip: ZipFile, limits: ImportLimits): Promise<readonly Entry[]> {
  if (zip.entryCount > limits.zipEntries) throw new Unreadable('zip-bomb', { files: zip.entryCount });
  const wanted: Entry[] = [];
  let encrypted = 0;
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/') || entry.uncompressedSize === 0 || NO_TEXT.test(entry.fileName)) continue;
    if (entry.isEncrypted()) {
      encrypted += 1;
      continue;
    }
    total += entry.uncompressedSize;
    const ratio = entry.uncompressedSize / Math.max(1, entry.compressedSize);
    if (total > limits.zipBytes || (ratio > limits.zipRatio && entry.uncompressedSize > limits.zipRatioFrom)) {
      throw new Unreadable('zip-bomb', { file: entry.fileName, bytes: entry.uncompressedSize });
    }
    wanted.push(entry);
  }
  if (wanted.length === 0 && encrypted > 0) throw new Unreadable('zip-encrypted');
  return wanted;
}

async function openMember(zip: ZipFile, entry: Entry): Promise<Readable> {
  const stream = await zip.openReadStreamPromise(entry).catch((error: unknown) => {
    throw asUnreadable(error);
  });
  let checksum = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      checksum = crc32(chunk, checksum);
      done(null, chunk);
    },
    // yauzl compares sizes and leaves this to its callers.
    flush: (done) => done(checksum === entry.crc32 ? null : new Unreadable('zip-damaged', { file: entry.fileName })),
  });
  stream.on('error', (error) => checked.destroy(asUnreadable(error)));
  checked.on('close', () => stream.destroy());
  return stream.pipe(checked);
}

/** yauzl tells what is wrong by words alone; that its file names are checked is documented under `validateFileName`. */
function asUnreadable(error: unknown): Error {
  if (error instanceof Unreadable) return error;
  if (error instanceof Error && 'syscall' in error) return error;
  const words = error instanceof Error ? error.message : String(error);
  const unsafe = /^(absolute path|invalid relative path|invalid characters in fileName)/.test(words);
  return new Unreadable(unsafe ? 'zip-unsafe-name' : 'zip-damaged', { error: words });
}

class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return this.#source.read(start, end);
  }
}
