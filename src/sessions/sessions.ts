import { UNTITLED } from '../archive/index.ts';
import type { SessionRecord } from '../archive/index.ts';
import { failed, ok } from '../contract/index.ts';
import type { LinkHealth, LinkState, Problem, Result, Session, Turn } from '../contract/index.ts';
import { storageProblem } from '../storage/index.ts';
import type { Conversation } from './conversation.ts';
import { createOpening } from './opening.ts';
import type { Live, SessionsPorts } from './opening.ts';

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
  pause(sessionId: string): Promise<Result<LinkState>>;
  resume(sessionId: string): Promise<Result<LinkState>>;
  startFresh(sessionId: string): Promise<Result<LinkState>>;
  health(sessionId: string): Promise<Result<LinkHealth>>;
  /** The network came or went, as far as this device knows. */
  network(online: boolean): void;
  /** The machine slept or its interfaces changed: links make sure of their connections. */
  wake(): void;
  /** Settings have changed: links connect anew at their next turn. */
  refreshLinks(): void;
  /** Goes on with what the last run left unfinished: cut answers are marked, waiting turns are sent. */
  resumeUnfinished(): Promise<void>;
  /** Ends all links and closes all files. */
  end(): Promise<void>;
}

export function createSessions(ports: SessionsPorts): Sessions {
  const { archive, journals, liveSessions, publish } = ports;
  /** By session id; a promise, so that two callers at once share one opening. */
  const live = new Map<string, Promise<Live>>();
  let ending = false;

  /** Those that are being looked for, and those that are being put away. */
  const finding = new Map<string, Promise<Result<Live>>>();
  const unloading = new Map<string, Promise<void>>();
  /** Those of them that are open by now. */
  const inUse = new Map<string, Conversation>();
  const opening = createOpening(ports);
  liveSessions.watch({
    busy: (sessionId) => inUse.get(sessionId)?.link.busy ?? false,
    expired: (sessionId) => inUse.get(sessionId)?.link.expire(),
  });

  /** Brings a session into use. Callers get it in the order in which they asked. */
  function find(sessionId: string): Promise<Result<Live>> {
    const known = finding.get(sessionId);
    if (known !== undefined) return known;
    const found = look(sessionId).finally(() => finding.delete(sessionId));
    finding.set(sessionId, found);
    return found;
  }

  async function look(sessionId: string): Promise<Result<Live>> {
    await unloading.get(sessionId);
    const known = live.get(sessionId);
    if (known !== undefined) return ok(await known);
    const record = await archive.session(sessionId);
    if (record === undefined) return failed(NO_SESSION);
    const again = live.get(sessionId);
    if (again !== undefined) return ok(await again);
    return ok(await keep(sessionId, opening.load(record)));
  }

  function keep(sessionId: string, opening: Promise<Live>): Promise<Live> {
    live.set(sessionId, opening);
    opening.then(
      ({ conversation }) => inUse.set(sessionId, conversation),
      () => live.delete(sessionId),
    );
    return opening;
  }

  /** Runs a change of a session in its turn, with storage errors as values. */
  async function change<T>(
    sessionId: string,
    task: (conversation: Conversation) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    try {
      for (;;) {
        if (ending) return failed(ENDING);
        const found = await find(sessionId);
        if (!found.ok) return found;
        const { conversation } = found.value;
        const done = await conversation.exclusively<Result<T> | typeof AGAIN>(async () =>
          conversation.ended ? AGAIN : task(conversation),
        );
        // It was put away meanwhile: whoever wants something of it brings it back.
        if (done !== AGAIN) return done;
      }
    } catch (error) {
      return failed(storageProblem(error));
    }
  }

  /** Does what touches nothing but the link: it need not wait for a disk that takes its time. */
  function atOnce<T>(sessionId: string, task: (conversation: Conversation) => Result<T>): Promise<Result<T>> {
    return reading(async () => {
      if (ending) return failed(ENDING);
      const found = await find(sessionId);
      return found.ok ? task(found.value.conversation) : found;
    });
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

  async function steer(sessionId: string, how: (link: Conversation['link']) => void): Promise<Result<LinkState>> {
    return atOnce(sessionId, ({ link, session }) => {
      if (session.status === 'open') how(link);
      return ok(link.state);
    });
  }

  function everyLink(how: (link: Conversation['link']) => void): void {
    for (const { link } of inUse.values()) how(link);
  }

  /** Ends a session's link and closes its file. */
  function unload(sessionId: string): Promise<void> {
    const known = live.get(sessionId);
    if (known === undefined) return unloading.get(sessionId) ?? Promise.resolve();
    live.delete(sessionId);
    inUse.delete(sessionId);
    const gone = known
      .then(async ({ conversation, journal }) => {
        await conversation.end();
        await journal.close();
      })
      .finally(() => unloading.delete(sessionId));
    unloading.set(sessionId, gone);
    return gone;
  }

  async function knownTurn(conversation: Conversation, turnId: string): Promise<Turn | undefined> {
    return conversation.turn(turnId) ?? (await archive.turn(conversation.session.id, turnId));
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
        const sessionId = chosen ?? ports.newId();
        const there = live.get(sessionId);
        if (there !== undefined) return ok((await there).conversation.session);
        const stored = await archive.session(sessionId);
        if (stored !== undefined) return ok(await withLink(stored));
        const meanwhile = live.get(sessionId);
        if (meanwhile !== undefined) return ok((await meanwhile).conversation.session);
        const making = (async () => {
          const opened = await journals.open(sessionId, 'create');
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
            return opening.begin(record, opened);
          } catch (error) {
            await opened.journal.close();
            await journals.remove(sessionId).catch(() => undefined);
            throw error;
          }
        })();
        const { conversation } = await keep(sessionId, making);
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
        await conversation.askWaiting();
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
        // Something was written to it in the same moment: that is what counts.
        if (record.status === 'open') await find(sessionId);
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
        liveSessions.end(sessionId);
        await archive.remove(sessionId);
        await journals.remove(sessionId);
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
        await conversation.askWaiting();
        return turn === undefined ? failed(NO_TURN) : ok(turn);
      }),

    stop: (sessionId) =>
      atOnce(sessionId, (conversation) => {
        const running = conversation.underWay.findLast(({ status }) => status !== 'queued') ?? conversation.underWay[0];
        if (running === undefined) return failed(NOTHING_TO_STOP);
        conversation.link.stop();
        return ok(running);
      }),

    regenerate: (sessionId, turnId) =>
      change(sessionId, async (conversation) => {
        const named = await knownTurn(conversation, turnId);
        const question =
          named?.role === 'model' && named.replyTo !== undefined ? await knownTurn(conversation, named.replyTo) : named;
        if (question?.role !== 'user') return failed(NO_TURN);
        // It is being asked, or answered: that is what is wanted.
        if (conversation.isInHand(question.id) || question.status === 'queued') return ok(question);
        if (conversation.session.status === 'closed') await conversation.record({ type: 'session.opened' });
        conversation.take(question);
        const [turn] = await conversation.record({ type: 'turn.asked-again', turnId: question.id });
        await conversation.askWaiting();
        return turn === undefined ? failed(NO_TURN) : ok(turn);
      }),

    page: (sessionId, before, limit) =>
      reading(async () => {
        const known = live.get(sessionId);
        const conversation = known === undefined ? undefined : (await known).conversation;
        const underWay = conversation?.underWay ?? [];
        // A question whose answer has begun is over, and the archive hears of it with the answer's end.
        const stored = (await archive.turns(sessionId, before, limit + 1)).map(
          (turn) => conversation?.turn(turn.id) ?? turn,
        );
        if (stored.length === 0 && underWay.length === 0 && (await archive.session(sessionId)) === undefined) {
          return failed(NO_SESSION);
        }
        // The archive is a little behind: what is under way is newer here, or not there yet.
        const newest = new Map([...stored, ...underWay].map((turn) => [turn.id, turn]));
        const turns = [...newest.values()]
          .filter(({ index }) => index < (before ?? Number.POSITIVE_INFINITY) && index >= (stored[0]?.index ?? 1))
          .sort((a, b) => a.index - b.index);
        return ok({ turns: turns.slice(-limit), hasMore: turns.length > limit });
      }),

    reconnect: (sessionId) => steer(sessionId, (link) => link.reconnect()),
    pause: (sessionId) => steer(sessionId, (link) => link.pause()),
    resume: (sessionId) => steer(sessionId, (link) => link.resume()),
    startFresh: (sessionId) => steer(sessionId, (link) => link.startFresh()),
    health: (sessionId) => change(sessionId, async (conversation) => ok(conversation.health)),

    network: (online) => everyLink((link) => link.network(online)),
    wake: () => everyLink((link) => link.wake()),
    refreshLinks: () => everyLink((link) => link.refresh()),

    async resumeUnfinished() {
      for (const sessionId of await archive.sessionsWithUnfinished()) {
        const found = await reading(() => find(sessionId));
        if (!found.ok) ports.notify(found.problem);
      }
      for (const sessionId of liveSessions.active()) {
        const found = await reading(() => find(sessionId));
        if (!found.ok || found.value.conversation.session.status === 'closed') continue;
        // Talked to a moment ago: it is live again before anything is typed.
        if (found.value.conversation.link.data.ladder.length > 0) found.value.conversation.link.reconnect();
      }
    },

    async end() {
      ending = true;
      await Promise.allSettled([...live.keys()].map(unload));
    },
  };
  return sessions;
}

const AGAIN = Symbol('again');

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
