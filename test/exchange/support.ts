import { crc32, deflateRawSync } from 'node:zlib';
import type { Result, Turn } from '../../src/contract/index.ts';
import { bytesSource, importConversations } from '../../src/exchange/index.ts';
import type {
  ByteSource,
  ExportFile,
  ExportTarget,
  ImportOptions,
  ImportOutcome,
  IncomingConversation,
  OutgoingConversation,
} from '../../src/exchange/index.ts';

export const NOW = Date.UTC(2026, 10, 21, 9);
const DONE: Result<void> = { ok: true, value: undefined };

/** A sink that holds what was committed, and every call that it got. */
export function collectingSink() {
  const calls: string[] = [];
  let added: IncomingConversation[] = [];
  let committed: readonly IncomingConversation[] = [];
  return {
    calls,
    get committed() {
      return committed;
    },
    begin: () => {
      calls.push('begin');
      return Promise.resolve(DONE);
    },
    add: (conversation: IncomingConversation) => {
      calls.push('add');
      added.push(conversation);
      return Promise.resolve(DONE);
    },
    commit: () => {
      calls.push('commit');
      committed = added;
      return Promise.resolve(DONE);
    },
    abort: () => {
      calls.push('abort');
      added = [];
      return Promise.resolve();
    },
  };
}

export type Imported = ImportOutcome & {
  readonly conversations: readonly IncomingConversation[];
  readonly calls: readonly string[];
};

/** Imports into nothing, with nothing known, at `NOW`. */
export async function importing(
  sources: readonly ByteSource[],
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  const sink = collectingSink();
  const outcome = await importConversations({
    sources,
    sink,
    known: () => Promise.resolve(undefined),
    now: () => NOW,
    ...options,
  });
  return { ...outcome, conversations: sink.committed, calls: sink.calls };
}

export function jsonSource(value: unknown, name = 'conversations.json', modifiedAt = NOW): ByteSource {
  return bytesSource(name, Buffer.from(JSON.stringify(value)), modifiedAt);
}

export const importingJson = (value: unknown, options: Partial<ImportOptions> = {}) =>
  importing([jsonSource(value)], options);

/** Files in memory. */
export function memoryTarget(taken: readonly string[] = []): ExportTarget & { readonly files: Map<string, string> } {
  const files = new Map<string, string>();
  return {
    files,
    taken: () => Promise.resolve(taken),
    open: (name): Promise<ExportFile> => {
      const pieces: string[] = [];
      return Promise.resolve({
        write: (text) => {
          pieces.push(text);
          return Promise.resolve();
        },
        finish: () => {
          files.set(name, pieces.join(''));
          return Promise.resolve();
        },
        discard: () => Promise.resolve(),
      });
    },
    remove: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
  };
}

export async function* outgoing(
  ...conversations: readonly { session: OutgoingConversation['session']; turns: readonly Turn[] }[]
): AsyncGenerator<OutgoingConversation> {
  for (const { session, turns } of conversations) {
    yield { session, turns: pages(turns) };
  }
}

async function* pages(turns: readonly Turn[]): AsyncGenerator<readonly Turn[]> {
  for (let at = 0; at < turns.length; at += 2) yield turns.slice(at, at + 2);
}

export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array | string;
  /** What the archive says of it, where that is not so. */
  readonly claimedSize?: number;
  readonly claimedCrc?: number;
  readonly encrypted?: boolean;
}

/** A zip archive, good or bad: as PKWARE's APPNOTE 6.3.9 has it, without the parts that yauzl does not read. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, content, claimedSize, claimedCrc, encrypted } of entries) {
    const bytes = Buffer.from(content as string);
    const packed = deflateRawSync(bytes);
    const fileName = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800 | (encrypted === true ? 1 : 0), 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt16LE(0x5b75, 8);
    fields.writeUInt32LE(claimedCrc ?? crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claimedSize ?? bytes.length, 18);
    fields.writeUInt16LE(fileName.length, 22);
    locals.push(Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, fileName, packed]));
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), fields, rest, fileName]));
    offset += 30 + fileName.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\u0005\u0006'), end]);
}
