import type { CoreEvent, LinkHealth, Session, Turn } from '../contract/index.ts';
import type { JournalEntry } from '../journal/index.ts';
import type { AskForm, Endpoint, Link, LinkFact } from '../live/index.ts';
import { createHealth } from './health.ts';
import type { SessionState } from './record.ts';
import { createTranscript } from './transcript.ts';
import type { Told, Words } from './transcript.ts';

/** The disk did not take what was received: how long until the next try. */
const STORAGE_RETRY_MS = 1_000;
const ODDITIES_TOLD = 10;

export interface LinkMaker {
  readonly emit: (fact: LinkFact, endpoint: Endpoint | undefined) => void;
  /** What a question, or the wish to go on with its answer, is made of. */
  readonly words: (turnId: string, form: AskForm) => string;
  readonly roundTrip: (ms: number) => void;
}

export interface ConversationPorts {
  readonly state: SessionState;
  /** Makes the link, with the conversation's ear to it. */
  readonly link: (maker: LinkMaker) => Link;
  readonly publish: (event: CoreEvent) => void;
  readonly newId: () => string;
  /** Everything that these handles stand for is on disk; `covers` is the index of the last turn of it. */
  readonly keepLadder: (fact: LinkFact & { type: 'ladder' }, covers: number) => void;
  /** Something was said or heard. */
  readonly active: () => void;
  /** What is being received cannot be kept at the moment. */
  readonly storageFailed: (error: unknown) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** A session that is in use: its state, its link, and what flows between the two. */
export interface Conversation {
  readonly session: Session;
  readonly underWay: readonly Turn[];
  readonly health: LinkHealth;
  readonly link: Link;
  /** Runs one change of the session after those before it. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
  /** Within `exclusively`: writes an entry, then tells the clients. */
  record(entry: JournalEntry): Promise<readonly Turn[]>;
  /** A turn that is under way or was touched lately. */
  turn(turnId: string): Turn | undefined;
  /** Within `exclusively`: makes an ended turn known, so that an entry can change it. */
  take(turn: Turn): void;
  /** Whether the link has this turn, so that to ask it again would be to ask it twice. */
  isInHand(turnId: string): boolean;
  /** Within `exclusively`: hands what waits to be sent to the link. */
  askWaiting(): Promise<void>;
  /**
   * Turns of which the archive does not have all the words yet, as it is going to have them. `undefined` where something
   * is on its way to the disk that changes more than that: then `settled` tells.
   */
  ahead(): readonly Turn[] | undefined;
  /** Waits until all that has come so far is on disk, then runs `task`. */
  settled<T>(task: () => Promise<T>): Promise<T>;
  /** It is over: nothing can be recorded in it any more. */
  readonly ended: boolean;
  /** Ends the link and waits until all that came from it is on disk. */
  end(): Promise<void>;
}

export function createConversation(ports: ConversationPorts): Conversation {
  const { state, publish } = ports;
  const health = createHealth(ports.now);
  /** What the link told and what is not on disk yet, in order; and what of it is on its way there. */
  const inbox: (Words | Told)[] = [];
  let underWay: readonly (Words | Told)[] = [];
  const oddities = new Map<string, number>();
  let draining = false;
  let closing = false;
  let ended = false;
  let tail: Promise<unknown> = Promise.resolve();
  const transcript = createTranscript({
    state,
    record,
    keep,
    newId: ports.newId,
    keepLadder: ports.keepLadder,
    toolResult: (result) => link.toolResult(result),
    storageFailed: ports.storageFailed,
    closing: () => closing,
  });
  const link = ports.link({ emit: onFact, words: transcript.words, roundTrip: health.roundTrip });

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
      if (turns.length > 0) publish({ type: 'turn.delta', delta: { ...delta, sessionId: before.id } });
      return turns;
    }
    for (const turn of turns) publish({ type: 'turn.changed', turn });
    if (state.session !== before) publish({ type: 'session.changed', session: session() });
    return turns;
  }

  /** What came from the server must be kept: a disk that does not take it is asked again until it does. */
  async function keep(...entries: readonly JournalEntry[]): Promise<void> {
    for (;;) {
      try {
        // Entries that are appended in the same breath are written together, and fail together.
        await Promise.all(entries.map(record));
        return;
      } catch (error) {
        if (closing) throw error;
        ports.storageFailed(error);
        await new Promise<void>((resolve) => ports.after(STORAGE_RETRY_MS, resolve));
      }
    }
  }

  /** Keeps what was there when it began: what comes meanwhile waits its turn behind whatever the user wants. */
  async function drain(): Promise<void> {
    for (let left = inbox.length; left > 0 && inbox.length > 0; left -= 1) {
      const next = inbox.shift()!;
      underWay = [next];
      if ('fact' in next) await transcript.follow(next);
      else {
        const [then] = inbox;
        if (then !== undefined && 'fact' in then && ENDS.has(then.fact.type)) {
          // The last words and the end of their answer go to the disk together.
          inbox.shift();
          left -= 1;
          underWay = [next, then];
          await transcript.follow(then, next);
        } else await transcript.keepWords(next);
      }
      underWay = [];
    }
  }

  function scheduleDrain(): void {
    if (draining) return;
    draining = true;
    exclusively(async () => {
      draining = false;
      await drain();
      if (inbox.length > 0) scheduleDrain();
    }).catch(ports.storageFailed);
  }

  /** A server that talks nonsense does so a thousand times: the first few are told, then every tenth power. */
  function reportOdd({ what, facts }: LinkFact & { type: 'odd' }): void {
    const count = (oddities.get(what) ?? 0) + 1;
    oddities.set(what, count);
    if (count <= ODDITIES_TOLD || Number.isInteger(Math.log10(count))) ports.report(what, { ...facts, count });
  }

  function onFact(fact: LinkFact, endpoint: Endpoint | undefined): void {
    transcript.hear(fact);
    switch (fact.type) {
      case 'state':
        publish({ type: 'link.changed', sessionId: state.session.id, link: link.state });
        return;
      case 'first-delta':
        health.firstDelta(fact.ms);
        return;
      case 'connection':
        health.connection(fact);
        return;
      case 'odd':
        reportOdd(fact);
        return;
      case 'words': {
        if (endpoint === undefined) return;
        const last = inbox.at(-1);
        // What comes while the disk is busy goes to it in one piece.
        if (last !== undefined && 'text' in last && last.kind === fact.kind && last.replyTo === fact.turnId) {
          last.text += fact.text;
        } else inbox.push({ kind: fact.kind, text: fact.text, endpoint, replyTo: fact.turnId });
        scheduleDrain();
        return;
      }
      case 'answered':
      case 'sent':
        ports.active();
        break;
    }
    inbox.push({ fact, endpoint });
    scheduleDrain();
  }

  return {
    get session() {
      return session();
    },
    get underWay() {
      return state.underWay;
    },
    get health() {
      return health.of(link);
    },
    link,
    exclusively,
    record,
    turn: state.turn,
    take: state.take,
    isInHand: transcript.isInHand,
    async askWaiting() {
      if (closing || state.session.status === 'closed') return;
      for (const turn of state.underWay) {
        if (turn.role !== 'user' || turn.status !== 'queued' || transcript.isInHand(turn.id)) continue;
        await transcript.handOver(turn);
        link.ask(turn.id, turn.continues !== undefined);
      }
    },
    ahead: () => transcript.ahead([...underWay, ...inbox]),
    settled: (task) =>
      exclusively(async () => {
        while (inbox.length > 0) await drain();
        return task();
      }),
    async end() {
      closing = true;
      await link.close();
      await exclusively(async () => {
        while (inbox.length > 0) await drain();
        ended = true;
      });
    },
    get ended() {
      return ended;
    },
  };
}

/** What ends an answer, so that no more words of it follow. */
const ENDS: ReadonlySet<LinkFact['type']> = new Set(['answered', 'cut']);
