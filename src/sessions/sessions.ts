import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UNTITLED } from '../archive/index.ts';
import type { Archive, SessionRecord } from '../archive/index.ts';
import { failed, ok } from '../contract/index.ts';
import type { CoreEvent, LinkState, Problem, Result, Session, Turn } from '../contract/index.ts';
import { openJournal, removeJournal } from '../journal/index.ts';
import type { Journal, OpenedJournal } from '../journal/index.ts';
import { createLink } from '../live/index.ts';
import type { Clock, Dial, Endpoint } from '../live/index.ts';
import { storageProblem } from '../storage/index.ts';
import { CLOSED, createConversation } from './conversation.ts';
import type { Conversation } from './conversation.ts';
import { historyContent, HISTORY_TURNS } from './history-content.ts';
import type { LiveStates } from './live-states.ts';
import { createSessionState } from './record.ts';

export interface SessionsPorts {
  /** Where the journals lie. */
  readonly directory: string;
  readonly archive: Archive;
  readonly liveStates: LiveStates;
  readonly endpoint: () => Promise<Endpoint>;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: () => number;
  readonly publish: (event: CoreEvent) => void;
  readonly notify: (problem: Problem) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
}

/** All sessions. Problems that a user or a disk can cause are values. */
export interface Sessions {
  list(query: {
    readonly status: 'open' | 'closed' | 'all';
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<Result<{ sessions: Session[]; nextCursor?: string }>>;
  create(sessionId: string | undefined, title: string | undefined): Promise<Result<Session>>;
  get(sessionId: string): Promise<Result<Session>>;
  open(sessionId: string): Promise<Result<Session>>;
  rename(sessionId: string, title: string): Promise<Result<Session>>;
  close(sessionId: string): Promise<Result<Session>>;
  delete(sessionId: string): Promise<Result<{ deleted: true }>>;
  send(sessionId: string, turnId: string, text: string): Promise<Result<Turn>>;
  stop(sessionId: string): Promise<Result<Turn>>;
  regenerate(sessionId: string, turnId: string): Promise<Result<Turn>>;
  page(
    sessionId: string,
    before: number | undefined,
    limit: number,
  ): Promise<Result<{ turns: Turn[]; hasMore: boolean }>>;
  reconnect(sessionId: string): Promise<Result<LinkState>>;
  /** Settings have changed: links connect anew at their next turn. */
  refreshLinks(): void;
  /** Goes on with what the last run left unfinished: cut answers are marked, waiting turns are sent. */
  resumeUnfinished(): Promise<void>;
  /** Ends all links and closes all files. */
  end(): Promise<void>;
}

interface Live {
  readonly conversation: Conversation;
  readonly journal: Journal;
}

/** The file of a session's journal. Session ids have no separators or dots, by their schema. */
export function journalPath(directory: string, sessionId: string): string {
  return join(directory, `${sessionId}.jsonl`);
}

export async function createSessions(ports: SessionsPorts): Promise<Sessions> {
  const { archive, liveStates, publish, clock } = ports;
  await mkdir(ports.directory, { recursive: true, mode: 0o700 });
  /** By session id; a promise, so that two callers at once share one opening. */
  const live = new Map<string, Promise<Live>>();
  let ending = false;

  const pathOf = (sessionId: string) => journalPath(ports.directory, sessionId);

  function bring(record: SessionRecord, underWay: readonly Turn[], { journal }: OpenedJournal): Live {
    const sessionId = record.id;
    const state = createSessionState(record, underWay, {
      journal,
      archive,
      archiveFailed: (error) => ports.notify(storageProblem(error)),
    });
    const conversation = createConversation({
      state,
      publish,
      after: clock.after,
      storageFailed: (error) => ports.notify(storageProblem(error)),
      link: (emit) =>
        createLink({
          endpoint: ports.endpoint,
          dial: ports.dial,
          clock,
          random: ports.random,
          emit,
          report: (what, facts) => ports.report(what, { ...facts, sessionId }),
          history: async () => historyContent(await archive.turns(sessionId, undefined, HISTORY_TURNS)),
          handles: {
            load: () => liveStates.get(sessionId),
            save: (handle, model) => liveStates.set(sessionId, { handle, model, seq: state.seq, at: clock.now() }),
            clear: () => liveStates.delete(sessionId),
          },
        }),
    });
    return { conversation, journal };
  }

  async function load(record: SessionRecord): Promise<Live> {
    const underWay = await archive.unfinished(record.id);
    let opened: OpenedJournal;
    try {
      opened = await openJournal(pathOf(record.id), { mode: 'continue', now: clock.now });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      opened = await beginAnew(record);
    }
    const brought = bring(record, underWay, opened);
    await brought.conversation.exclusively(() => settle(brought.conversation));
    return brought;
  }

  /** What the last use left unfinished: cut answers are marked, and turns that are safe to send again wait for it. */
  async function settle(conversation: Conversation): Promise<void> {
    const handleSeq = liveStates.get(conversation.session.id)?.seq ?? -1;
    for (const turn of conversation.underWay) {
      if (turn.status === 'streaming') {
        await conversation.record({ type: 'turn.ended', turnId: turn.id, status: 'interrupted', problem: CLOSED });
      } else if (turn.status === 'sent' && turn.rev > handleSeq) {
        // The newest handle is older than the sending: what it resumes does not know this turn.
        await conversation.record({ type: 'turn.asked-again', turnId: turn.id });
      } else if (turn.status === 'sent') {
        await conversation.record({ type: 'turn.ended', turnId: turn.id, status: 'failed', problem: UNCERTAIN });
      }
    }
    conversation.pump();
  }

  /** The journal is gone but the archive has the session: a new journal begins with all that the archive holds. */
  async function beginAnew(record: SessionRecord): Promise<OpenedJournal> {
    const turns = await archive.turns(record.id, undefined, Number.MAX_SAFE_INTEGER);
    const opened = await openJournal(pathOf(record.id), { mode: 'create', now: clock.now });
    const { bytes } = await opened.journal.append({ type: 'session.snapshot', session: record, turns });
    await archive.save(record, [], bytes);
    ports.notify({
      code: 'journal_damaged',
      message: `The record of “${record.title}” was missing from the data folder. It was written again from the archive.`,
      retry: 'never',
      context: { sessionId: record.id },
    });
    return opened;
  }

  async function find(sessionId: string): Promise<Result<Live>> {
    const known = live.get(sessionId);
    if (known !== undefined) return ok(await known);
    const record = await archive.session(sessionId);
    if (record === undefined) return failed(NO_SESSION);
    const again = live.get(sessionId);
    if (again !== undefined) return ok(await again);
    const loading = load(record);
    live.set(sessionId, loading);
    loading.catch(() => live.delete(sessionId));
    return ok(await loading);
  }

  /** Runs a change of a session in its turn, with storage errors as values. */
  async function change<T>(
    sessionId: string,
    task: (conversation: Conversation) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    try {
      if (ending) return failed(ENDING);
      const found = await find(sessionId);
      if (!found.ok) return found;
      const { conversation } = found.value;
      return await conversation.exclusively(() => task(conversation));
    } catch (error) {
      return failed(storageProblem(error));
    }
  }

  async function reading<T>(task: () => Promise<Result<T>>): Promise<Result<T>> {
    try {
      return await task();
    } catch (error) {
      return failed(storageProblem(error));
    }
  }

  async function withLink(record: SessionRecord): Promise<Session> {
    const known = live.get(record.id);
    if (known !== undefined) return (await known).conversation.session;
    const since = record.lastActivityAt;
    return { ...record, link: record.status === 'closed' ? { kind: 'closed', since } : { kind: 'idle', since } };
  }

  async function unload(sessionId: string): Promise<void> {
    const known = live.get(sessionId);
    if (known === undefined) return;
    const { conversation, journal } = await known;
    await conversation.end();
    live.delete(sessionId);
    await journal.close();
  }

  async function knownTurn(conversation: Conversation, turnId: string): Promise<Turn | undefined> {
    return (
      conversation.underWay.find(({ id }) => id === turnId) ?? (await archive.turn(conversation.session.id, turnId))
    );
  }

  const sessions: Sessions = {
    list: (query) =>
      reading(async () => {
        const page = await archive.sessions(query);
        const found = await Promise.all(page.sessions.map(withLink));
        return ok({ sessions: found, ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }) });
      }),

    create: (chosen, title) =>
      reading(async () => {
        if (ending) return failed(ENDING);
        const sessionId = chosen ?? randomUUID();
        const there = live.get(sessionId);
        if (there !== undefined) return ok((await there).conversation.session);
        const stored = await archive.session(sessionId);
        if (stored !== undefined) return ok(await withLink(stored));
        const meanwhile = live.get(sessionId);
        if (meanwhile !== undefined) return ok((await meanwhile).conversation.session);
        const making = (async () => {
          const opened = await openJournal(pathOf(sessionId), { mode: 'create', now: clock.now });
          const entry = {
            type: 'session.created' as const,
            sessionId,
            title: title ?? UNTITLED,
            titled: title !== undefined,
          };
          try {
            const { seq, at, bytes } = await opened.journal.append(entry);
            const record: SessionRecord = {
              id: sessionId,
              title: entry.title,
              titled: entry.titled,
              status: 'open',
              createdAt: at,
              lastActivityAt: at,
              turnCount: 0,
              rev: seq,
            };
            await archive.save(record, [], bytes);
            return bring(record, [], opened);
          } catch (error) {
            await opened.journal.close();
            await removeJournal(pathOf(sessionId)).catch(() => undefined);
            throw error;
          }
        })();
        live.set(sessionId, making);
        making.catch(() => live.delete(sessionId));
        const { conversation } = await making;
        publish({ type: 'session.changed', session: conversation.session });
        return ok(conversation.session);
      }),

    get: (sessionId) =>
      reading(async () => {
        const known = live.get(sessionId);
        if (known !== undefined) return ok((await known).conversation.session);
        const record = await archive.session(sessionId);
        return record === undefined ? failed(NO_SESSION) : ok(await withLink(record));
      }),

    open: (sessionId) =>
      change(sessionId, async (conversation) => {
        if (conversation.session.status === 'closed') await conversation.record({ type: 'session.opened' });
        conversation.pump();
        return ok(conversation.session);
      }),

    rename: (sessionId, title) =>
      change(sessionId, async (conversation) => {
        await conversation.record({ type: 'session.titled', title, titled: true });
        return ok(conversation.session);
      }),

    async close(sessionId) {
      const found = await change(sessionId, async (conversation) => {
        if (conversation.session.status === 'open') await conversation.record({ type: 'session.closed' });
        return ok(conversation);
      });
      if (!found.ok) return found;
      return reading(async () => {
        await unload(sessionId);
        const record = await archive.session(sessionId);
        if (record === undefined) return failed(NO_SESSION);
        const session = await withLink(record);
        publish({ type: 'session.changed', session });
        return ok(session);
      });
    },

    async delete(sessionId) {
      const marked = await change(sessionId, async (conversation) => {
        // From here on the session is gone: a crash in the middle of erasing is made up for at the next start.
        await conversation.record({ type: 'session.deleted' });
        return ok(true);
      });
      if (!marked.ok) return marked;
      return reading(async () => {
        await unload(sessionId);
        liveStates.delete(sessionId);
        await archive.remove(sessionId);
        await removeJournal(pathOf(sessionId));
        publish({ type: 'session.deleted', sessionId });
        return ok({ deleted: true });
      });
    },

    send: (sessionId, turnId, text) =>
      change(sessionId, async (conversation) => {
        const there = await knownTurn(conversation, turnId);
        if (there !== undefined) return ok(there);
        if (conversation.session.status === 'closed') await conversation.record({ type: 'session.opened' });
        const [turn] = await conversation.record({ type: 'turn.accepted', turnId, parts: [{ type: 'text', text }] });
        conversation.pump();
        return turn === undefined ? failed(NO_TURN) : ok(turn);
      }),

    stop: (sessionId) =>
      change(sessionId, async (conversation) => {
        const running = conversation.underWay.findLast(({ status }) => status !== 'queued') ?? conversation.underWay[0];
        if (running === undefined || !conversation.stop()) return failed(NOTHING_TO_STOP);
        return ok(running);
      }),

    regenerate: (sessionId, turnId) =>
      change(sessionId, async (conversation) => {
        const named = await knownTurn(conversation, turnId);
        const question =
          named?.role === 'model' && named.replyTo !== undefined ? await knownTurn(conversation, named.replyTo) : named;
        if (question?.role !== 'user') return failed(NO_TURN);
        if (question.status === 'queued' || question.status === 'sent') return ok(question);
        if (conversation.session.status === 'closed') await conversation.record({ type: 'session.opened' });
        conversation.take(question);
        const [turn] = await conversation.record({ type: 'turn.asked-again', turnId: question.id });
        conversation.pump();
        return turn === undefined ? failed(NO_TURN) : ok(turn);
      }),

    page: (sessionId, before, limit) =>
      reading(async () => {
        const known = live.get(sessionId);
        const underWay = known === undefined ? [] : (await known).conversation.underWay;
        const stored = await archive.turns(sessionId, before, limit + 1);
        if (stored.length === 0 && underWay.length === 0 && (await archive.session(sessionId)) === undefined) {
          return failed(NO_SESSION);
        }
        const newer = new Map(underWay.map((turn) => [turn.id, turn]));
        const turns = stored.map((turn) => newer.get(turn.id) ?? turn);
        return ok({ turns: turns.slice(-limit), hasMore: stored.length > limit });
      }),

    reconnect: (sessionId) =>
      change(sessionId, async (conversation) => {
        conversation.reconnect();
        return ok(conversation.session.link);
      }),

    refreshLinks() {
      for (const opening of live.values()) {
        void opening.then(
          ({ conversation }) => conversation.refresh(),
          () => undefined,
        );
      }
    },

    async resumeUnfinished() {
      for (const sessionId of await archive.sessionsWithUnfinished()) {
        const found = await reading(() => find(sessionId));
        if (!found.ok) ports.notify(found.problem);
      }
    },

    async end() {
      ending = true;
      await Promise.allSettled([...live.keys()].map(unload));
    },
  };
  return sessions;
}

const NO_SESSION: Problem = {
  code: 'session_not_found',
  message: 'This conversation is not here. It may have been deleted.',
  retry: 'never',
};
const NO_TURN: Problem = { code: 'turn_not_found', message: 'This message is not here any more.', retry: 'never' };
const NOTHING_TO_STOP: Problem = {
  code: 'nothing_to_stop',
  message: 'No answer is running that could be stopped.',
  retry: 'never',
};
const ENDING: Problem = { code: 'host_unreachable', message: 'Holdfast is closing.', retry: 'automatic' };
const UNCERTAIN: Problem = {
  code: 'connection_lost',
  message: 'Holdfast was closed before an answer came, and it is not certain that the server heard this. Ask again.',
  retry: 'user',
};
