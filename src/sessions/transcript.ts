import { textOf } from '../contract/index.ts';
import type { Note, Problem, Turn } from '../contract/index.ts';
import type { JournalEntry } from '../journal/index.ts';
import type { AskForm, Endpoint, LinkFact, ToolResult } from '../live/index.ts';
import { coveredIndex } from './context.ts';
import type { SessionState } from './record.ts';

/** Words that came in one breath. */
export interface Words {
  readonly kind: 'text' | 'thought';
  readonly endpoint: Endpoint;
  readonly replyTo: string | undefined;
  text: string;
}

export interface Told {
  readonly fact: LinkFact;
  readonly endpoint: Endpoint | undefined;
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

export interface TranscriptPorts {
  readonly state: SessionState;
  /** Writes an entry and tells the clients; rejects with the disk's error. */
  readonly record: (entry: JournalEntry) => Promise<readonly Turn[]>;
  /** The same for entries that belong together, asking the disk until it takes them: all of them, in their order. */
  readonly keep: (...entries: readonly JournalEntry[]) => Promise<void>;
  readonly newId: () => string;
  readonly keepLadder: (fact: LinkFact & { type: 'ladder' }, covers: number) => void;
  readonly toolResult: (result: ToolResult) => void;
  readonly storageFailed: (error: unknown) => void;
  /** The program is ending: nothing is asked again by this run of it. */
  readonly closing: () => boolean;
}

/** What a link tells, as the entries of a journal: which answer belongs to which question, and how each ended. */
export interface Transcript {
  /** At once, while what comes is not on disk yet: the wish to go on may go out before the cut is there. */
  hear(fact: LinkFact): void;
  /** In order, one after the other. `last`: words that came right before the end of their answer. */
  follow(told: Told, last?: Words): Promise<void>;
  keepWords(words: Words): Promise<void>;
  /** What a question, or the wish to go on with its answer, is made of. */
  words(turnId: string, form: AskForm): string;
  /** Whether the link has this turn, or has told its end and the disk does not have it yet. */
  isInHand(turnId: string): boolean;
  /** The link is going to have this turn. */
  handOver(turn: Turn): Promise<void>;
  /** Turns of which the archive is about to have more words; `undefined` where more than that is on its way. */
  ahead(onTheirWay: readonly (Words | Told)[]): readonly Turn[] | undefined;
}

export function createTranscript(ports: TranscriptPorts): Transcript {
  const { state, record, keep } = ports;
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
  let lastLoss = false;

  function hear(fact: LinkFact): void {
    switch (fact.type) {
      case 'connection':
        lastLoss = fact.why === 'lost';
        return;
      case 'words':
        if (fact.kind === 'text') spoken += fact.text;
        return;
      case 'cut':
        if (fact.goesOn && fact.turnId !== undefined && spoken !== '') {
          partials.set(fact.turnId, { turnId: undefined, text: spoken });
        }
        spoken = '';
        return;
      case 'not-the-answer':
      case 'answered':
        spoken = '';
        return;
    }
  }

  /** Words as entries, with the beginning of their answer where they are its first. */
  function entriesOf({ kind, text, endpoint, replyTo }: Words): readonly JournalEntry[] {
    const known = currentAnswer(replyTo);
    const begun = known === undefined ? [beginAnswer(endpoint, replyTo)] : [];
    const parts = known?.parts ?? [];
    const last = parts.at(-1);
    const joins = last !== undefined && last.type === kind;
    const delta: JournalEntry = {
      type: 'turn.delta',
      turnId: answer!.turnId,
      part: joins ? parts.length - 1 : parts.length,
      kind,
      offset: joins ? last.text.length : 0,
      text,
    };
    return [...begun, delta];
  }

  async function startedAnswer(endpoint: Endpoint, replyTo: string | undefined): Promise<Turn> {
    const known = currentAnswer(replyTo);
    if (known !== undefined) return known;
    await keep(beginAnswer(endpoint, replyTo));
    return state.turn(answer!.turnId)!;
  }

  function beginAnswer(endpoint: Endpoint, replyTo: string | undefined): JournalEntry {
    const turnId = ports.newId();
    answer = { turnId, replyTo };
    const continues = replyTo === undefined ? undefined : partials.get(replyTo)?.turnId;
    return {
      type: 'turn.started',
      turnId,
      ...(replyTo !== undefined && { replyTo }),
      ...(continues !== undefined && { continues }),
      provider: endpoint.provider,
      model: endpoint.model,
    };
  }

  /** The answer under way to this question, once it is on disk. */
  function currentAnswer(replyTo: string | undefined): Turn | undefined {
    return answer?.replyTo === replyTo ? answer && state.turn(answer.turnId) : undefined;
  }

  async function follow({ fact, endpoint }: Told, last?: Words): Promise<void> {
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
        await answered(fact, last);
        return;
      case 'cut':
        await cut(fact, last);
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

  async function answered(fact: LinkFact & { type: 'answered' }, last: Words | undefined): Promise<void> {
    const words = last === undefined ? [] : entriesOf(last);
    lastPartial = fact.turnId === undefined ? undefined : partials.get(fact.turnId);
    if (fact.turnId !== undefined) partials.delete(fact.turnId);
    if (answer !== undefined) {
      await keep(...words, {
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

  async function cut(fact: LinkFact & { type: 'cut' }, last: Words | undefined): Promise<void> {
    const problem: Problem = {
      ...fact.problem,
      code: 'answer_cut',
      message: ports.closing() ? CLOSED.message : CUT,
      retry: 'user',
    };
    const { turnId } = fact;
    let again = fact.goesOn && !ports.closing() ? turnId : undefined;
    if (again !== undefined && state.turn(again) === undefined && !(await known(again))) again = undefined;
    const words = last === undefined ? [] : entriesOf(last);
    if (answer !== undefined) {
      await keep(...words, {
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
    ports.toolResult({ id: fact.id, name: fact.name, response });
    await keep({ type: 'turn.tool', turnId: turn.id, part, tool: { ...tool, result: response } });
  }

  return {
    hear,
    follow,
    keepWords: (words) => keep(...entriesOf(words)),
    words: (turnId, form) => (form === 'continuation' ? partials.get(turnId)?.text : questions.get(turnId)) ?? '',
    isInHand: (turnId) => questions.has(turnId),
    async handOver(turn) {
      const { id, continues } = turn;
      questions.set(id, textOf(turn));
      if (continues === undefined || partials.has(id)) return;
      const cutAnswer = await state.recall(continues);
      if (cutAnswer !== undefined) partials.set(id, { turnId: cutAnswer.id, text: textOf(cutAnswer) });
    },
    ahead(onTheirWay) {
      const turns: Turn[] = [];
      for (const item of onTheirWay) {
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
  };
}

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
