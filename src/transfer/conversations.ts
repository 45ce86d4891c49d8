import type { Archive, SessionRecord } from '../archive/index.ts';
import { failed, ok } from '../contract/index.ts';
import type { Problem, Result, Session, Turn } from '../contract/index.ts';
import { contentHash } from '../exchange/index.ts';
import type { OutgoingConversation } from '../exchange/index.ts';
import type { Sessions } from '../sessions/index.ts';

/** What of the sessions is read, while they may be in use. */
export type Conversations = Pick<Sessions, 'list' | 'get' | 'page'>;

/** The same where nobody uses them: as the archive has them. Rejects with its errors. */
export function storedConversations(archive: Pick<Archive, 'session' | 'sessions' | 'turns'>): Conversations {
  const withLink = (record: SessionRecord): Session => ({
    ...record,
    link: { kind: 'closed', since: record.lastActivityAt },
  });
  return {
    async list(query) {
      const { sessions, ...rest } = await archive.sessions(query);
      return ok({ sessions: sessions.map(withLink), ...rest });
    },
    async get(sessionId) {
      const record = await archive.session(sessionId);
      return record === undefined ? failed(NOT_HERE) : ok(withLink(record));
    },
    async page(sessionId, before, limit) {
      const turns = await archive.turns(sessionId, before, limit);
      return ok({ turns: [...turns], hasMore: (turns[0]?.index ?? 1) > 1 });
    },
  };
}

const NOT_HERE: Problem = {
  code: 'session_not_found',
  message: 'There is no session with this id.',
  retry: 'never',
};

/** Turns read at a time: long ones have a megabyte each. */
const PAGE_TURNS = 100;
const PAGE_SESSIONS = 500;

/** A problem on the way through an iterator, where there is no other place for it. */
export class ReadingFailed extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Ids of all sessions, the newest activity first. All at once: the list may be sorted anew while they are read. */
export async function allSessionIds(sessions: Conversations): Promise<Result<readonly string[]>> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await sessions.list({ status: 'all', limit: PAGE_SESSIONS, cursor });
    if (!page.ok) return page;
    for (const { id } of page.value.sessions) ids.add(id);
    cursor = page.value.nextCursor;
  } while (cursor !== undefined);
  return ok([...ids]);
}

/**
 * The conversations of these sessions as they are when each is begun, an answer under way with the words that it has so
 * far. Rejects with `ReadingFailed`. `missing`: what to do about one that is not there any more.
 */
export async function* outgoing(
  sessions: Conversations,
  ids: readonly string[],
  missing: 'fail' | 'pass-over',
): AsyncGenerator<OutgoingConversation> {
  for (const id of ids) {
    const found = await sessions.get(id);
    if (!found.ok && found.problem.code === 'session_not_found' && missing === 'pass-over') continue;
    if (!found.ok) throw new ReadingFailed(found.problem);
    const { link: _link, ...session } = found.value;
    yield { session, turns: turnPages(sessions, id, session.turnCount) };
  }
}

async function* turnPages(sessions: Conversations, id: string, count: number): AsyncGenerator<readonly Turn[]> {
  for (let from = 1; from <= count; from += PAGE_TURNS) {
    const before = Math.min(from + PAGE_TURNS, count + 1);
    const page = await sessions.page(id, before, PAGE_TURNS);
    if (!page.ok) throw new ReadingFailed(page.problem);
    // Where an index is missing, the page reaches back into the one before.
    yield page.value.turns.filter(({ index }) => index >= from);
  }
}

/** The hash of what was said in a session; `undefined` where there is no such session, or nothing was said in it. */
export async function contentHashIn(sessions: Conversations, id: string): Promise<Result<string | undefined>> {
  const found = await sessions.get(id);
  if (!found.ok) return found.problem.code === 'session_not_found' ? ok(undefined) : failed(found.problem);
  const hash = contentHash();
  for await (const page of turnPages(sessions, id, found.value.turnCount)) hash.add(page);
  return ok(hash.digest());
}
