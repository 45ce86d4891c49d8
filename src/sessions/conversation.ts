import { textOf } from '../contract/index.ts';
import type { CoreEvent, LinkHealth, Note, Problem, Session, Turn } from '../contract/index.ts';
import type { JournalEntry } from '../journal/index.ts';
import type { AskForm, Endpoint, Link, LinkFact } from '../live/index.ts';
import { coveredIndex } from './context.ts';
import { createHealth } from './health.ts';
import type { SessionState } from './record.ts';

/** The disk did not take what was received: how long until the next try. */
const STORAGE_RETRY_MS = 1_000;

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
  /** Ends the link and waits until all that came from it is on disk. */
  end(): Promise<void>;
}

interface Told {
  readonly fact: LinkFact;
  readonly endpoint: Endpoint | undefined;
}

interface Words {
  readonly kind: 'text' | 'thought';
  readonly endpoint: Endpoint;
  readonly replyTo: string | undefined;
  text: string;
}

/** The part of an answer that came before it was cut, and its turn once that is on disk. */
interface PartialAnswer {
  readonly turnId: string | undefined;
  readonly text: string;
}

/** An answer under way, as far as it is on disk. */
interface Answer {
  readonly turnId: string;
  readonly replyTo: string | undefined;
}

export function createConversation(ports: ConversationPorts): Conversation {
  const { state, publish } = ports;
  const health = createHealth(ports.now);
  let answer: Answer | undefined;
  /** The one before, which may turn out to have been none. */
  let lastAnswer: Answer | undefined;
  let lastPartial: PartialAnswer | undefined;
  /** The words of the questions that the link has, or has told the end of that is not on disk yet. */
  const questions = new Map<string, string>();
  /** Questions whose answer was cut: the answer so far and its turn. */
  const partials = new Map<string, PartialAnswer>();
  /** What has come of the answer under way, on disk or not. */
  let spoken = '';
  /** What the link told and what is not on disk yet, in order; and what of it is on its way there. */
  const inbox: (Words | Told)[] = [];
  let underWay: readonly (Words | Told)[] = [];
  let draining = false;
  let closing = false;
  let lastLoss = false;
  let tail: Promise<unknown> = Promise.resolve();
  const link = ports.link({ emit: onFact, words: wordsOf, roundTrip: health.roundTrip });

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
  async function keep(entry: JournalEntry): Promise<readonly Turn[]> {
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

  function wordsOf(turnId: string, form: AskForm): string {
    return (form === 'continuation' ? partials.get(turnId)?.text : questions.get(turnId)) ?? '';
  }

  /** Keeps what was there when it began: what comes meanwhile waits its turn behind whatever the user wants. */
  async function drain(): Promise<void> {
    for (let left = inbox.length; left > 0 && inbox.length > 0; left -= 1) {
      const next = inbox.shift()!;
      underWay = [next];
      if ('fact' in next) await follow(next.fact, next.endpoint);
      else {
        const [then] = inbox;
        if (then !== undefined && 'fact' in then && ENDS.has(then.fact.type)) {
          // The last words and the end of their answer go to the disk together.
          inbox.shift();
          left -= 1;
          underWay = [next, then];
          await Promise.all([keepWords(next), follow(then.fact, then.endpoint)]);
        } else await keepWords(next);
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

  /** Hands words to the journal before it first waits, so that what is recorded next comes after them. */
  async function keepWords({ kind, text, endpoint, replyTo }: Words): Promise<void> {
    const known = currentAnswer(replyTo);
    if (known !== undefined) return keepDelta(known, kind, text);
    // The first words go to the disk together with the beginning of their turn.
    const begun = beginAnswer(endpoint, replyTo);
    const { turnId } = answer!;
    const first = record({ type: 'turn.delta', turnId, part: 0, kind, offset: 0, text });
    const [, said] = await Promise.allSettled([begun, first]);
    if (said.status === 'fulfilled' && said.value.length > 0) return;
    const turn = state.turn(turnId) ?? (await state.recall(turnId));
    if (turn === undefined) return;
    state.take(turn);
    await keepDelta(turn, kind, text);
  }

  async function keepDelta({ id, parts }: Turn, kind: Words['kind'], text: string): Promise<void> {
    const last = parts.at(-1);
    const joins = last !== undefined && last.type === kind;
    await keep({
      type: 'turn.delta',
      turnId: id,
      part: joins ? parts.length - 1 : parts.length,
      kind,
      offset: joins ? last.text.length : 0,
      text,
    });
  }

  async function startedAnswer(endpoint: Endpoint, replyTo: string | undefined): Promise<Turn> {
    const known = currentAnswer(replyTo);
    if (known !== undefined) return known;
    await beginAnswer(endpoint, replyTo);
    return state.turn(answer!.turnId)!;
  }

  function beginAnswer(endpoint: Endpoint, replyTo: string | undefined): Promise<unknown> {
    const turnId = ports.newId();
    answer = { turnId, replyTo };
    const continues = replyTo === undefined ? undefined : partials.get(replyTo)?.turnId;
    return keep({
      type: 'turn.started',
      turnId,
      ...(replyTo !== undefined && { replyTo }),
      ...(continues !== undefined && { continues }),
      provider: endpoint.provider,
      model: endpoint.model,
    });
  }

  /** The answer under way to this question, once it is on disk. */
  function currentAnswer(replyTo: string | undefined): Turn | undefined {
    return answer?.replyTo === replyTo ? answer && state.turn(answer.turnId) : undefined;
  }

  function onFact(fact: LinkFact, endpoint: Endpoint | undefined): void {
    switch (fact.type) {
      case 'state':
        publish({ type: 'link.changed', sessionId: state.session.id, link: link.state });
        return;
      case 'first-delta':
        health.firstDelta(fact.ms);
        return;
      case 'connection':
        lastLoss = fact.why === 'lost';
        health.connection(fact);
        return;
      case 'odd':
        ports.report(fact.what, fact.facts);
        return;
      case 'words': {
        if (endpoint === undefined) return;
        if (fact.kind === 'text') spoken += fact.text;
        const last = inbox.at(-1);
        // What comes while the disk is busy goes to it in one piece.
        if (last !== undefined && 'text' in last && last.kind === fact.kind && last.replyTo === fact.turnId) {
          last.text += fact.text;
        } else inbox.push({ kind: fact.kind, text: fact.text, endpoint, replyTo: fact.turnId });
        scheduleDrain();
        return;
      }
      case 'cut':
        // Known at once: the wish to go on may go out before the cut is on disk.
        if (fact.goesOn && fact.turnId !== undefined && spoken !== '') {
          partials.set(fact.turnId, { turnId: undefined, text: spoken });
        }
        spoken = '';
        break;
      case 'not-the-answer':
        spoken = '';
        break;
      case 'answered':
        spoken = '';
        ports.active();
        break;
      case 'sent':
        ports.active();
        break;
    }
    inbox.push({ fact, endpoint });
    scheduleDrain();
  }

  async function follow(fact: LinkFact, endpoint: Endpoint | undefined): Promise<void> {
    switch (fact.type) {
      case 'sent':
        // Nothing waits for it: without it a restart would only send the turn again, to a server that does not know it.
        record({ type: 'turn.sent', turnId: fact.turnId, epoch: fact.epoch }).catch(ports.storageFailed);
        return;
      case 'requeued':
        await askedAgain(fact.turnId);
        return;
      case 'failed':
        await keep({ type: 'turn.ended', turnId: fact.turnId, status: 'failed', problem: fact.problem });
        questions.delete(fact.turnId);
        return;
      case 'answered':
        await answered(fact);
        return;
      case 'cut':
        await cut(fact);
        return;
      case 'not-the-answer':
        await disown(fact.turnId);
        return;
      case 'tool-call':
        if (endpoint !== undefined) await toolCall(fact, endpoint);
        return;
      case 'restored':
        if (fact.how === 'new' || (fact.how === 'resumed' && (!lastLoss || fact.turns === 0))) return;
        await note(fact.how, fact.turns);
        return;
      case 'context-lost':
        await note('context-lost', 0);
        return;
      case 'ladder':
        ports.keepLadder(fact, coveredIndex(state.session.turnCount, state.underWay));
        return;
      case 'state':
      case 'words':
      case 'first-delta':
      case 'connection':
      case 'odd':
      case 'tool-cancelled':
        return;
    }
  }

  /** What stands as the answer to a question was something else; the answer is still to come. */
  async function disown(turnId: string): Promise<void> {
    const taken = answer ?? (lastAnswer?.replyTo === turnId ? lastAnswer : undefined);
    answer = undefined;
    lastAnswer = undefined;
    if (lastPartial !== undefined) partials.set(turnId, lastPartial);
    const asked = await known(turnId);
    // It is in the link's hands again.
    if (asked) questions.set(turnId, textOf(state.turn(turnId)!));
    if (taken === undefined || !(await known(taken.turnId))) return;
    await keep({ type: 'turn.ended', turnId: taken.turnId, status: 'stopped', ...(asked && { asksAgain: turnId }) });
  }

  async function note(kind: Note, turns: number): Promise<void> {
    await keep({ type: 'link.noted', turnId: ports.newId(), note: kind, turns });
  }

  async function answered(fact: LinkFact & { type: 'answered' }): Promise<void> {
    lastPartial = fact.turnId === undefined ? undefined : partials.get(fact.turnId);
    if (fact.turnId !== undefined) partials.delete(fact.turnId);
    if (answer !== undefined) {
      await keep({
        type: 'turn.ended',
        turnId: answer.turnId,
        status: fact.how,
        ...(fact.usage && { usage: fact.usage }),
      });
      lastAnswer = answer;
      answer = undefined;
    } else if (fact.turnId !== undefined) {
      await keep(
        fact.how === 'stopped'
          ? { type: 'turn.ended', turnId: fact.turnId, status: 'stopped' }
          : { type: 'turn.ended', turnId: fact.turnId, status: 'failed', problem: NO_ANSWER },
      );
    }
    if (fact.turnId !== undefined) questions.delete(fact.turnId);
  }

  async function cut(fact: LinkFact & { type: 'cut' }): Promise<void> {
    const problem: Problem = {
      ...fact.problem,
      code: 'answer_cut',
      message: closing ? CLOSED.message : CUT,
      retry: 'user',
    };
    const { turnId } = fact;
    let again = fact.goesOn && !closing ? turnId : undefined;
    // Without a wait where it can be: the last words are on their way to the disk, and this goes with them.
    if (again !== undefined && state.turn(again) === undefined && !(await known(again))) again = undefined;
    if (answer !== undefined) {
      await keep({
        type: 'turn.ended',
        turnId: answer.turnId,
        status: 'interrupted',
        problem,
        ...(again !== undefined && { asksAgain: again }),
      });
      const partial = turnId === undefined ? undefined : partials.get(turnId);
      if (partial !== undefined && again !== undefined) partials.set(again, { ...partial, turnId: answer.turnId });
      answer = undefined;
    } else if (again !== undefined) await keep({ type: 'turn.asked-again', turnId: again });
    else if (!fact.goesOn && turnId !== undefined)
      await keep({ type: 'turn.ended', turnId, status: 'failed', problem });
    if (turnId !== undefined && !fact.goesOn) questions.delete(turnId);
  }

  async function askedAgain(turnId: string): Promise<void> {
    if (await known(turnId)) await keep({ type: 'turn.asked-again', turnId });
  }

  /** Makes a turn known, so that an entry can change it; whether there is one. */
  async function known(turnId: string): Promise<boolean> {
    const turn = state.turn(turnId) ?? (await state.recall(turnId));
    if (turn !== undefined) state.take(turn);
    return turn !== undefined;
  }

  async function toolCall(fact: LinkFact & { type: 'tool-call' }, endpoint: Endpoint): Promise<void> {
    const turn = await startedAnswer(endpoint, fact.turnId);
    const response = { error: `Holdfast has no tool named ${fact.name}` };
    const tool = { type: 'tool' as const, callId: fact.id, name: fact.name, args: fact.args };
    const part = turn.parts.length;
    await keep({ type: 'turn.tool', turnId: turn.id, part, tool });
    // A call without a response leaves the model waiting for ever.
    link.toolResult({ id: fact.id, name: fact.name, response });
    await keep({ type: 'turn.tool', turnId: turn.id, part, tool: { ...tool, result: response } });
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
    isInHand: (turnId) => questions.has(turnId),
    async askWaiting() {
      if (closing || state.session.status === 'closed') return;
      for (const turn of state.underWay) {
        if (turn.role !== 'user' || turn.status !== 'queued' || questions.has(turn.id)) continue;
        const { id, continues } = turn;
        questions.set(id, textOf(turn));
        const cutAnswer = continues === undefined || partials.has(id) ? undefined : await state.recall(continues);
        if (cutAnswer !== undefined) partials.set(id, { turnId: cutAnswer.id, text: textOf(cutAnswer) });
        link.ask(id, continues !== undefined);
      }
    },
    ahead() {
      const turns: Turn[] = [];
      for (const item of [...underWay, ...inbox]) {
        if ('text' in item) continue;
        const { fact } = item;
        if (fact.type === 'sent' || fact.type === 'requeued') continue;
        if (fact.type !== 'cut' || fact.turnId === undefined) return undefined;
        const partial = partials.get(fact.turnId);
        const begun = answer?.replyTo === fact.turnId ? state.turn(answer.turnId) : undefined;
        if (partial === undefined || begun === undefined) return undefined;
        turns.push({ ...begun, parts: [{ type: 'text', text: partial.text }] });
      }
      return turns;
    },
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
      });
    },
  };
}

/** What ends an answer, so that no more words of it follow. */
const ENDS: ReadonlySet<LinkFact['type']> = new Set(['answered', 'cut']);

const CUT = 'The connection was lost while this was being said. What had arrived is kept.';

/** Holdfast itself ended while an answer came in. */
export const CLOSED: Problem = {
  code: 'answer_cut',
  message: 'Holdfast was closed while this was being said. What had arrived is kept; ask again for the rest.',
  retry: 'user',
};

export const CLOSED_GOES_ON =
  'Holdfast ended while this was being said. What had arrived is kept, and the rest is asked for.';

const NO_ANSWER: Problem = {
  code: 'not_known_yet',
  message: 'The model ended its turn without an answer. Ask again.',
  retry: 'user',
};
