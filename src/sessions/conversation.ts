import { randomUUID } from 'node:crypto';
import { textOf } from '../contract/index.ts';
import type { CoreEvent, Problem, Session, Turn, TurnDelta } from '../contract/index.ts';
import type { JournalEntry } from '../journal/index.ts';
import type { Endpoint, Link, LinkEvent } from '../live/index.ts';
import type { SessionState } from './record.ts';

/** How often a turn is sent again by itself when the connection goes before an answer comes. */
const REPEATS_MAX = 3;
/** The disk did not take what was received: how long until the next try. */
const STORAGE_RETRY_MS = 1_000;

export interface ConversationPorts {
  readonly state: SessionState;
  /** Made once, with the conversation's ear to it. */
  readonly link: (emit: (event: LinkEvent) => void) => Link;
  readonly publish: (event: CoreEvent) => void;
  /** What is being received cannot be kept at the moment. */
  readonly storageFailed: (error: unknown) => void;
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** A session that is in use: its state, its link, and what flows between the two. */
export interface Conversation {
  readonly session: Session;
  readonly underWay: readonly Turn[];
  /** Runs one change of the session after those before it. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
  /** Within `exclusively`: writes an entry, then tells the clients. */
  record(entry: JournalEntry): Promise<readonly Turn[]>;
  /** Within `exclusively`: makes an ended turn known, so that an entry can change it. */
  take(turn: Turn): void;
  /** Within `exclusively`: sees to it that what waits to be sent is. */
  pump(): void;
  /** Stops the running answer, if there is one. */
  stop(): boolean;
  reconnect(): void;
  refresh(): void;
  /** Ends the link and waits until all that came from it is on disk. */
  end(): Promise<void>;
}

interface Words {
  readonly kind: 'text' | 'thought';
  readonly endpoint: Endpoint;
  /** The question that they answer. */
  readonly replyTo: string | undefined;
  text: string;
}

export function createConversation(ports: ConversationPorts): Conversation {
  const { state, publish } = ports;
  /** The question that the link has, the answer that comes, and how often the question went out in vain. */
  let asked: string | undefined;
  let answer: string | undefined;
  let repeats = 0;
  /** Received, not yet on disk. */
  let words: Words[] = [];
  let flushing = false;
  let closing = false;
  let tail: Promise<unknown> = Promise.resolve();
  const link = ports.link(onLinkEvent);

  function exclusively<T>(task: () => Promise<T>): Promise<T> {
    const run = tail.then(task);
    tail = run.catch(() => undefined);
    return run;
  }

  function session(): Session {
    return { ...state.session, link: link.state };
  }

  async function record(entry: JournalEntry): Promise<readonly Turn[]> {
    const before = state.session;
    const turns = await state.record(entry);
    if (entry.type === 'turn.delta') {
      const { type: _type, ...delta } = entry;
      if (turns.length > 0)
        publish({ type: 'turn.delta', delta: { ...delta, sessionId: before.id } satisfies TurnDelta });
      return turns;
    }
    for (const turn of turns) publish({ type: 'turn.changed', turn });
    if (state.session !== before) publish({ type: 'session.changed', session: session() });
    return turns;
  }

  /** What came from the server must be kept: a disk that does not take it is asked again until it does. */
  async function recordReceived(entry: JournalEntry): Promise<readonly Turn[]> {
    for (;;) {
      try {
        return await record(entry);
      } catch (error) {
        if (closing) throw error;
        ports.storageFailed(error);
        await new Promise<void>((resolve) => ports.after(STORAGE_RETRY_MS, resolve));
      }
    }
  }

  function pump(): void {
    if (asked !== undefined || closing || state.session.status === 'closed') return;
    const next = state.underWay.find((turn) => turn.role === 'user' && turn.status === 'queued');
    if (next === undefined) return;
    asked = next.id;
    link.ask(next.id, textOf(next));
  }

  async function flush(): Promise<void> {
    while (words.length > 0) {
      const taken = words;
      words = [];
      for (const { kind, text, endpoint, replyTo } of taken) {
        const turn = await startedAnswer(endpoint, replyTo);
        const last = turn.parts.at(-1);
        const joins = last !== undefined && last.type === kind;
        await recordReceived({
          type: 'turn.delta',
          turnId: turn.id,
          part: joins ? turn.parts.length - 1 : turn.parts.length,
          kind,
          offset: joins ? last.text.length : 0,
          text,
        });
      }
    }
  }

  async function startedAnswer(endpoint: Endpoint, replyTo: string | undefined): Promise<Turn> {
    const known = answer === undefined ? undefined : state.turn(answer);
    if (known !== undefined) return known;
    const turnId = randomUUID();
    await recordReceived({
      type: 'turn.started',
      turnId,
      ...(replyTo !== undefined && { replyTo }),
      provider: endpoint.provider,
      model: endpoint.model,
    });
    answer = turnId;
    return state.turn(turnId)!;
  }

  function onLinkEvent(event: LinkEvent): void {
    if (event.type === 'state') {
      publish({ type: 'link.changed', sessionId: state.session.id, link: event.state });
      return;
    }
    if (event.type === 'words') {
      const last = words.at(-1);
      // What comes while the disk is busy goes to it in one piece.
      if (last?.kind === event.kind && last.replyTo === event.turnId) last.text += event.text;
      else words.push({ kind: event.kind, text: event.text, endpoint: event.endpoint, replyTo: event.turnId });
      if (flushing) return;
      flushing = true;
      exclusively(async () => {
        flushing = false;
        await flush();
      }).catch(ports.storageFailed);
      return;
    }
    exclusively(async () => {
      await flush();
      await follow(event);
    }).catch(ports.storageFailed);
  }

  async function follow(event: Exclude<LinkEvent, { type: 'state' | 'words' }>): Promise<void> {
    switch (event.type) {
      case 'sent':
        await recordReceived({ type: 'turn.sent', turnId: event.turnId, epoch: event.epoch });
        return;
      case 'tool-call': {
        const turn = await startedAnswer(event.endpoint, event.turnId);
        const response = { error: `Holdfast has no tool named ${event.name}` };
        const tool = { type: 'tool' as const, callId: event.id, name: event.name, args: event.args };
        const part = turn.parts.length;
        await recordReceived({ type: 'turn.tool', turnId: turn.id, part, tool });
        // A call without a response leaves the model waiting for ever.
        link.answerTool(event.id, event.name, response);
        await recordReceived({ type: 'turn.tool', turnId: turn.id, part, tool: { ...tool, result: response } });
        return;
      }
      case 'tool-cancel':
        return;
      case 'ended':
        await ended(event);
        return;
      case 'lost':
        await lost(event);
        return;
    }
  }

  async function ended(event: LinkEvent & { type: 'ended' }): Promise<void> {
    if (answer !== undefined) {
      await recordReceived({
        type: 'turn.ended',
        turnId: answer,
        status: event.how,
        ...(event.usage && { usage: event.usage }),
      });
      answer = undefined;
    } else if (event.turnId !== undefined) {
      await recordReceived(
        event.how === 'stopped'
          ? { type: 'turn.ended', turnId: event.turnId, status: 'stopped' }
          : { type: 'turn.ended', turnId: event.turnId, status: 'failed', problem: NO_ANSWER },
      );
    }
    if (event.turnId === undefined || event.turnId === asked) {
      if (event.turnId !== undefined) asked = undefined;
      repeats = 0;
    }
    pump();
  }

  async function lost(event: LinkEvent & { type: 'lost' }): Promise<void> {
    asked = undefined;
    if (event.stage === 'answering') {
      if (answer !== undefined) {
        await recordReceived({
          type: 'turn.ended',
          turnId: answer,
          status: 'interrupted',
          problem: { ...event.problem, code: 'answer_cut', message: CUT, retry: 'user' },
        });
      } else {
        await recordReceived({ type: 'turn.ended', turnId: event.turnId, status: 'failed', problem: event.problem });
      }
      answer = undefined;
    } else if (event.stage === 'unanswered' && event.problem.retry === 'automatic' && repeats < REPEATS_MAX) {
      repeats += 1;
      await recordReceived({ type: 'turn.asked-again', turnId: event.turnId });
    } else {
      repeats = 0;
      await recordReceived({ type: 'turn.ended', turnId: event.turnId, status: 'failed', problem: event.problem });
    }
    if (event.problem.retry === 'user') {
      // What waits behind it would only run into the same wall.
      for (const turn of state.underWay.filter(({ status }) => status === 'queued')) {
        await recordReceived({ type: 'turn.ended', turnId: turn.id, status: 'failed', problem: event.problem });
      }
    }
    pump();
  }

  return {
    get session() {
      return session();
    },
    get underWay() {
      return state.underWay;
    },
    exclusively,
    record,
    take: state.take,
    pump,
    stop() {
      if (asked === undefined) return false;
      link.stop();
      return true;
    },
    reconnect: () => link.reconnect(),
    refresh: () => link.refresh(),
    async end() {
      closing = true;
      await link.close();
      await exclusively(async () => {
        await flush();
        if (answer !== undefined) {
          await record({ type: 'turn.ended', turnId: answer, status: 'interrupted', problem: CLOSED });
          answer = undefined;
        }
      });
    },
  };
}

const CUT = 'The connection was lost while this was being said. What had arrived is kept; ask again for the rest.';

/** Holdfast itself ended while an answer came in. */
export const CLOSED: Problem = {
  code: 'answer_cut',
  message: 'Holdfast was closed while this was being said. What had arrived is kept; ask again for the rest.',
  retry: 'user',
};

const NO_ANSWER: Problem = {
  code: 'not_known_yet',
  message: 'The model ended its turn without an answer. Ask again.',
  retry: 'user',
};
