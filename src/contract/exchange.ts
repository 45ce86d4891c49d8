import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { sessionIdSchema, timeSchema } from './ids.ts';
import { problemErrors, problemSchema } from './problems.ts';

/** Bytes of one piece of a file on its way, in either direction. */
export const FILE_CHUNK_BYTES = 256 * 1024;
/** How many pieces of an export may be under way before the core waits for an acknowledgement. */
export const EXPORT_WINDOW = 8;
/** What one import may bring: files, and bytes of all of them. */
export const IMPORT_FILES_MAX = 50;
export const IMPORT_BYTES_MAX = 4 * 1024 ** 3;

const bytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'Bytes are expected here');
const streamIdSchema = z.string().min(1).max(64);
const countSchema = z.number().int().nonnegative();

export const exportFormatSchema = z.enum(['markdown', 'json', 'html', 'text']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

export const exportEventSchema = z.discriminatedUnion('type', [
  /** First. `name` is good on every file system. */
  z.object({ type: z.literal('file'), name: z.string(), mediaType: z.string(), conversations: countSchema }),
  /** The next bytes of the file, and how far it is with them. */
  z.object({
    type: z.literal('chunk'),
    bytes: bytesSchema,
    conversations: countSchema,
    turns: countSchema,
  }),
  /** Last: without it the file is not whole. */
  z.object({ type: z.literal('done'), conversations: countSchema, turns: countSchema, bytes: countSchema }),
]);
export type ExportEvent = Readonly<z.infer<typeof exportEventSchema>>;

const reported = z.object({
  /** The file that it stands in; for one in an archive `archive › file`. */
  file: z.string(),
  title: z.string(),
  /** What became of it, in plain words. */
  message: z.string(),
});
export const importItemSchema = z.discriminatedUnion('outcome', [
  reported.extend({
    /** `partly`: `message` says what did not come along. */
    outcome: z.enum(['imported', 'partly']),
    sessionId: sessionIdSchema,
    turns: countSchema,
  }),
  /** It is here already; `changed`: with other words in it, and was kept as it is. */
  reported.extend({ outcome: z.literal('duplicate'), sessionId: sessionIdSchema, changed: z.boolean() }),
  reported.extend({ outcome: z.literal('skipped'), count: z.number().int().positive() }),
  reported.extend({ outcome: z.literal('unreadable') }),
]);
export type ImportItem = Readonly<z.infer<typeof importItemSchema>>;

/** In all but `imported` nothing has changed. */
export const importOutcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('imported') }),
  /** All of it is here already, or nothing in it can be taken. */
  z.object({ kind: z.literal('nothing-new') }),
  z.object({ kind: z.literal('failed'), problem: problemSchema }),
]);
export type ImportOutcome = Readonly<z.infer<typeof importOutcomeSchema>>;

export const importEventSchema = z.discriminatedUnion('type', [
  /** First: the core waits for the bytes, by `importChunk`. */
  z.object({ type: z.literal('ready') }),
  z.object({
    type: z.literal('reading'),
    file: z.string(),
    /** Of all files, those in archives unpacked. */
    bytes: z.object({ done: countSchema, total: countSchema }),
    conversations: countSchema,
    turns: countSchema,
  }),
  /** All is read and is being put in its place; from here on it cannot be cancelled. */
  z.object({ type: z.literal('keeping'), done: countSchema, total: countSchema }),
  /** Part of the report, in the order of the files. */
  z.object({ type: z.literal('items'), items: z.array(importItemSchema) }),
  /** Last. */
  z.object({ type: z.literal('done'), outcome: importOutcomeSchema }),
]);
export type ImportEvent = Readonly<z.infer<typeof importEventSchema>>;

export const exchangeContract = {
  /**
   * One file with conversations, in pieces. The core sends at most `EXPORT_WINDOW` pieces beyond the last one that was
   * acknowledged with `exportAck`. To end the stream early cancels it; what fails on the way is thrown as the problem.
   */
  export: oc
    .errors(problemErrors)
    .input(
      z.object({
        streamId: streamIdSchema,
        /** Absent: all, the newest activity first. */
        sessionIds: z.array(sessionIdSchema).min(1).max(1_000).optional(),
        format: exportFormatSchema,
        /** IANA name of the zone that times are written in, where the format is for people. */
        timeZone: z.string().max(100).optional(),
      }),
    )
    .output(eventIterator(exportEventSchema)),
  /** `chunks`: how many pieces have been taken in so far. */
  exportAck: oc
    .errors(problemErrors)
    .input(z.object({ streamId: streamIdSchema, chunks: countSchema }))
    .output(z.object({})),
  /**
   * Imports files, all or nothing. Their bytes follow `ready` by `importChunk`. To end the stream, or to lose the
   * connection, before `keeping` cancels the import and leaves everything as it was. One at a time.
   */
  import: oc
    .errors(problemErrors)
    .input(
      z.object({
        importId: streamIdSchema,
        files: z
          .array(
            z.object({
              name: z.string().min(1).max(500),
              size: z.number().int().nonnegative().max(IMPORT_BYTES_MAX),
              /** When the file was last changed: the date of conversations that have none of their own. */
              modifiedAt: timeSchema.optional(),
            }),
          )
          .min(1)
          .max(IMPORT_FILES_MAX),
        /** What to do with a conversation that is here with other words in it. */
        changed: z.enum(['skip', 'copy']).default('skip'),
        /** What to do with a file that cannot be read to its end: refuse all, or keep what came before. */
        damaged: z.enum(['refuse', 'keep']).default('refuse'),
      }),
    )
    .output(eventIterator(importEventSchema)),
  /** The next bytes of a file, in order; `file` is its place in the list. A piece that is there already changes nothing. */
  importChunk: oc
    .errors(problemErrors)
    .input(
      z.object({
        importId: streamIdSchema,
        file: z.number().int().nonnegative(),
        offset: z.number().int().nonnegative(),
        bytes: bytesSchema.refine(({ length }) => length <= FILE_CHUNK_BYTES, 'A piece is too large'),
      }),
    )
    .output(z.object({ received: countSchema })),
};
