import { failed } from '../../contract/index.ts';
import type { Problem, Result } from '../../contract/index.ts';
import { idFrom } from '../content-hash.ts';
import type { IncomingConversation } from '../conversation.ts';
import { progressReporter } from '../progress.ts';
import type { LeftOut } from './left-out.ts';
import { IMPORT_LIMITS } from './limits.ts';
import type { ImportLimits } from './limits.ts';
import { readSource } from './read-source.ts';
import type { SourceFound } from './read-source.ts';
import { duplicateWords, importedWords, reportOf, skippedWords, unreadableWords } from './report.ts';
import type { ImportReport, ReportItem } from './report.ts';
import type { ByteSource } from './source.ts';

/**
 * Where conversations go. After `begin`, exactly one of `commit` and `abort` is called, last. What was added counts only
 * once `commit` has succeeded; `abort` undoes all of it, and a `commit` that failed has to have undone it as well.
 */
export interface ImportSink {
  begin(): Promise<Result<void>>;
  add(conversation: IncomingConversation): Promise<Result<void>>;
  commit(): Promise<Result<void>>;
  abort(): Promise<void>;
}

/** A conversation that is here already. */
export interface KnownConversation {
  readonly sessionId: string;
  /** `contentHashOf` its turns, where the caller knows it: tells whether the file has something new. */
  readonly contentHash?: string | undefined;
}

export interface ImportProgress {
  /** The file that is being read. */
  readonly file: string;
  /** Of all files, those in archives unpacked. */
  readonly bytes: { readonly done: number; readonly total: number };
  /** How many there will be is known only at the end. */
  readonly conversations: number;
  readonly turns: number;
}

export interface ImportOptions {
  readonly sources: readonly ByteSource[];
  readonly sink: ImportSink;
  /** Finds what is here already: by the id that it gets, or else by what was said in it, if anything was. */
  known(sessionId: string, contentHash: string | undefined): Promise<KnownConversation | undefined>;
  /** What to do with a conversation that is here with other words in it: default `skip`. */
  readonly changed?: 'skip' | 'copy';
  /** What to do with a file that cannot be read to its end: default `refuse` all; `keep` takes what came before. */
  readonly damaged?: 'refuse' | 'keep';
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits?: Partial<ImportLimits>;
  readonly signal?: AbortSignal;
  onProgress?(progress: ImportProgress): void;
}

/** In all but `imported` nothing has changed; the report says what there would have been. */
export type ImportOutcome =
  | { readonly kind: 'imported'; readonly report: ImportReport }
  /** All of it is here already, or nothing in it can be taken. */
  | { readonly kind: 'nothing-new'; readonly report: ImportReport }
  | { readonly kind: 'cancelled'; readonly report: ImportReport }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly report: ImportReport };

/**
 * Imports files of conversations, all or nothing. What is wrong with a file is in the outcome; it rejects only with what
 * `sink` and `known` reject with, after `sink.abort` where there is something to undo. A file is read in pieces, with pauses for others; a conversation is
 * made in one go, which for one of 100,000 turns takes about half a second.
 */
export async function importConversations(options: ImportOptions): Promise<ImportOutcome> {
  const { sources, sink, signal } = options;
  const items: ReportItem[] = [];
  /** What this import has added: content by id, and id by content. */
  const seen = new Map<string, string | undefined>();
  const hashes = new Map<string, string>();
  const bytes = { done: 0, total: sources.reduce((sum, { size }) => sum + size, 0) };
  let file = sources[0]?.name ?? '';
  let turns = 0;
  const progress = progressReporter<ImportProgress>(options.onProgress?.bind(options), () => ({
    file,
    bytes: { ...bytes },
    conversations: seen.size,
    turns,
  }));

  const begun = await sink.begin();
  if (!begun.ok) return { kind: 'failed', problem: begun.problem, report: reportOf(items) };
  let problem: Problem | undefined;
  try {
    problem = await readAll();
  } catch (error) {
    await sink.abort();
    if (signal?.aborted === true) return { kind: 'cancelled', report: reportOf(items) };
    throw error;
  }
  if (problem === undefined && signal?.aborted !== true && seen.size > 0) {
    const committed = await sink.commit();
    if (!committed.ok) return { kind: 'failed', problem: committed.problem, report: reportOf(items) };
    progress.now();
    return { kind: 'imported', report: reportOf(items) };
  }
  await sink.abort();
  const report = reportOf(items);
  if (signal?.aborted === true) return { kind: 'cancelled', report };
  return problem === undefined ? { kind: 'nothing-new', report } : { kind: 'failed', problem, report };

  async function readAll(): Promise<Problem | undefined> {
    for (const source of sources) {
      file = source.name;
      const reading = readSource(source, {
        now: options.now(),
        limits: { ...IMPORT_LIMITS, ...options.limits },
        signal,
        onBytes(count) {
          bytes.done += count;
          progress.soon();
        },
        onMoreBytes: (count) => (bytes.total += count),
      });
      for await (const found of reading) {
        signal?.throwIfAborted();
        const taken = await take(found);
        if (!taken.ok) return taken.problem;
        progress.soon();
      }
    }
    return undefined;
  }

  async function take(found: SourceFound): Promise<Result<void>> {
    switch (found.kind) {
      case 'conversation':
        return takeConversation(found.file, found.conversation, found.leftOut);
      case 'skipped': {
        const { reason, count, title } = found;
        items.push({
          file: found.file,
          title,
          outcome: 'skipped',
          reason,
          count,
          message: skippedWords(reason, count),
        });
        return DONE;
      }
      case 'unreadable': {
        const message = unreadableWords(found.reason, found.file);
        items.push({ file: found.file, title: found.file, outcome: 'unreadable', reason: found.reason, message });
        if (options.damaged === 'keep') return DONE;
        const context = { ...found.context, file: found.file, reason: found.reason };
        return failed({ code: codeOf(found.reason), message, retry: 'user', context });
      }
    }
  }

  async function takeConversation(
    from: string,
    conversation: IncomingConversation,
    leftOut: LeftOut,
    isCopy = false,
  ): Promise<Result<void>> {
    const { source } = conversation;
    const { id, title } = conversation.session;
    const before = await whereIsIt(conversation);
    if (before !== undefined) {
      const { changed, sessionId } = before;
      // One id twice in what is imported is no reason to lose either; what is here already is the user's to decide.
      if (changed && !isCopy && (options.changed === 'copy' || seen.has(id))) {
        return takeConversation(from, copyOf(conversation), leftOut, true);
      }
      const message = duplicateWords(changed);
      items.push({ file: from, title, outcome: 'duplicate', source, sessionId, changed, message });
      return DONE;
    }
    const added = await sink.add(conversation);
    if (!added.ok) return added;
    seen.set(id, conversation.contentHash);
    if (conversation.contentHash !== undefined) hashes.set(conversation.contentHash, id);
    turns += conversation.turns.length;
    items.push({
      file: from,
      title,
      outcome: Object.keys(leftOut).length === 0 ? 'imported' : 'partly',
      source,
      sessionId: id,
      turns: conversation.turns.length,
      leftOut,
      message: importedWords(leftOut),
    });
    return DONE;
  }

  async function whereIsIt({
    session,
    contentHash,
  }: IncomingConversation): Promise<{ sessionId: string; changed: boolean } | undefined> {
    if (seen.has(session.id)) return { sessionId: session.id, changed: seen.get(session.id) !== contentHash };
    const sameContent = contentHash === undefined ? undefined : hashes.get(contentHash);
    if (sameContent !== undefined) return { sessionId: sameContent, changed: false };
    const here = await options.known(session.id, contentHash);
    if (here === undefined) return undefined;
    const changed = here.contentHash !== undefined && here.contentHash !== contentHash;
    return { sessionId: here.sessionId, changed };
  }
}

const DONE: Result<void> = { ok: true, value: undefined };

/** The same conversation under an id that follows from what was said in it. */
function copyOf(conversation: IncomingConversation): IncomingConversation {
  const id = idFrom(conversation.source, conversation.session.id, conversation.contentHash ?? '');
  return {
    ...conversation,
    session: { ...conversation.session, id },
    turns: conversation.turns.map((turn) => ({ ...turn, sessionId: id })),
  };
}

function codeOf(reason: Extract<SourceFound, { kind: 'unreadable' }>['reason']): Problem['code'] {
  switch (reason) {
    case 'disk':
      return 'disk_failed';
    case 'too-large':
    case 'zip-bomb':
      return 'too_large';
    default:
      return 'invalid_input';
  }
}
