import type { SessionRecord } from '../archive/index.ts';
import { failed, ok } from '../contract/index.ts';
import type { CoreEvent, Problem, Result } from '../contract/index.ts';
import type { ImportSink, IncomingConversation, KnownConversation } from '../exchange/index.ts';
import type { Journals } from '../journal/index.ts';
import { storageProblem } from '../storage/index.ts';
import { contentHashIn, ReadingFailed } from './conversations.ts';
import type { Conversations } from './conversations.ts';
import type { Staging } from './staging.ts';

export interface SinkPorts {
  readonly sessions: Conversations;
  readonly journals: Journals;
  readonly staging: Staging;
  /** The folder and the journals that the staging area was begun with. */
  readonly staged: Journals;
  /** Whatever a link once kept under this id is of another conversation. */
  readonly forgetLive: (sessionId: string) => void;
  readonly publish: (event: CoreEvent) => void;
  /** How many of the sessions are in their place. */
  readonly keeping: (done: number, total: number) => void;
}

/** Brings conversations in as sessions like any other: closed, each with a journal of its own, all of them or none. */
export function sessionSink(ports: SinkPorts): ImportSink {
  const { sessions, journals, staging, staged } = ports;
  const added: string[] = [];

  async function add({ session, turns }: IncomingConversation): Promise<void> {
    const { journal } = await staged.open(session.id, 'create');
    try {
      const closed: SessionRecord = { ...session, status: 'closed', rev: 1 };
      await journal.append({ type: 'session.snapshot', session: closed, turns });
      added.push(session.id);
    } finally {
      await journal.close();
    }
  }

  async function commit(): Promise<Result<void>> {
    const withJournal = new Set(await journals.ids());
    for (const id of added) {
      const there = await sessions.get(id);
      if (there.ok) return failed(MEANWHILE);
      if (there.problem.code !== 'session_not_found') return failed(there.problem);
      ports.forgetLive(id);
      // A record that no session could be made of; what is imported takes its place.
      if (withJournal.has(id)) await journals.setAside(id);
    }
    ports.keeping(0, added.length);
    await staging.commit(added, (done) => ports.keeping(done, added.length));
    ports.publish({ type: 'sessions.imported', sessionIds: added });
    return ok(undefined);
  }

  return {
    // The place is made by whoever makes the sink.
    begin: () => Promise.resolve(ok(undefined)),
    add: (conversation) => onDisk(async () => ok(await add(conversation))),
    async commit() {
      const done = await onDisk(commit);
      // Not to discard: what could not be taken back has to stay in the staging area's list.
      if (!done.ok) await staging.recover().catch(() => undefined);
      return done;
    },
    abort: () => staging.discard(),
  };
}

/** Finds a conversation that is here by its id. What was said in it is read only then: that is what it costs. */
export async function knownSession(sessions: Conversations, sessionId: string): Promise<KnownConversation | undefined> {
  const found = await sessions.get(sessionId);
  if (!found.ok && found.problem.code === 'session_not_found') return undefined;
  if (!found.ok) throw new ReadingFailed(found.problem);
  const hash = await contentHashIn(sessions, sessionId);
  if (!hash.ok) throw new ReadingFailed(hash.problem);
  return { sessionId, contentHash: hash.value };
}

/** What the disk does to an import, in words that fit one. */
export async function onDisk<T>(step: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await step();
  } catch (error) {
    return failed(importProblem(error));
  }
}

export function importProblem(error: unknown): Problem {
  if (error instanceof ReadingFailed) return error.problem;
  const problem = storageProblem(error);
  return { ...problem, message: DISK_WORDS[problem.code as keyof typeof DISK_WORDS] ?? problem.message };
}

const DISK_WORDS = {
  disk_full: 'The disk is full, so nothing was imported. Free some space and import the file again.',
  disk_read_only:
    'Holdfast may not write to its data folder, so nothing was imported. Check the folder’s permissions, then import the file again.',
  disk_failed: 'The disk reported an error, so nothing was imported. Try again; if it happens again, check the disk.',
};

const MEANWHILE: Problem = {
  code: 'busy',
  message:
    'A conversation of this file came to be here while it was being imported. Nothing was imported; import it again.',
  retry: 'user',
};
