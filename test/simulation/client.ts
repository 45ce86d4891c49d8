import { applyEntry } from '../../src/archive/index.ts';
import type { SessionRecord } from '../../src/archive/index.ts';
import { textOf } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import type { JournalEntry } from '../../src/journal/index.ts';
import {
  audioFrame,
  historyFrame,
  interruptFrame,
  nudgeFrame,
  setupFrame,
  toolResponseFrame,
  toolResultsFrame,
  userTurnFrame,
} from '../../src/live/frames.ts';
import {
  contextForm,
  contextFrom,
  defaultLinkConfig,
  linkState,
  NO_CONTEXT,
  readServerFrame,
  startLink,
  step,
  traitsOf,
} from '../../src/live/index.ts';
import type { Context, LinkData, LinkEffect, LinkFact, LinkInput, Plan, TimerName } from '../../src/live/index.ts';
import { continuationText } from '../../src/live/restore.ts';
import { coveredIndex, earlierQuestions, turnsToTell } from '../../src/sessions/context.ts';
import type { StoredRung } from '../../src/sessions/live-sessions.ts';
import { between } from './events.ts';
import type { Random, VirtualTime } from './events.ts';
import type { VirtualServer, VirtualSocket } from './server.ts';

const CONTEXT_TURNS = 400;
const UNDER_WAY = new Set<Turn['status']>(['queued', 'sent', 'streaming']);

/** What a conversation knows: folded from its journal, with the ladder beside it. */
interface Known {
  session: SessionRecord;
  readonly turns: Map<string, Turn>;
  ladder: readonly StoredRung[];
  tokens: LinkData['tokens'];
  epoch: number;
}

/** One program: a link, a conversation and a disk, from its start to its crash. */
export interface VirtualClient {
  readonly data: LinkData;
  readonly known: Known;
  /** Times of this run's dials. */
  readonly dials: readonly number[];
  readonly timers: ReadonlySet<TimerName>;
  readonly socket: VirtualSocket | undefined;
  readonly openSockets: number;
  send(text: string): string;
  input(input: LinkInput): void;
  /** The process is killed: what is on disk remains. */
  crash(): void;
}

export interface ClientOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly server: VirtualServer;
  readonly model: string;
  readonly trace: (line: () => string) => void;
  /** A turn is on disk: from here on it may not be lost. */
  readonly accepted: (turnId: string) => void;
  readonly failed: (turnId: string, code: string) => void;
  /** Something was done that may never be done. */
  readonly broken: (what: string) => void;
}

/** A disk that outlives its programs. */
export interface Disk {
  durable: Known;
}

export function emptyDisk(now: number): Disk {
  const session: SessionRecord = {
    id: 's',
    title: 'x',
    titled: true,
    status: 'open',
    createdAt: now,
    lastActivityAt: now,
    turnCount: 0,
    rev: 1,
  };
  return { durable: { session, turns: new Map(), ladder: [], tokens: undefined, epoch: 0 } };
}

let ids = 0;

export function startClient(disk: Disk, options: ClientOptions): VirtualClient {
  const { time, random, server, model, trace } = options;
  const traits = traitsOf(model);
  let alive = true;
  const known: Known = { ...disk.durable, turns: new Map(disk.durable.turns) };
  let seq = known.session.rev;
  /** What is written and not yet on disk, in order. */
  const writing: { readonly write: (to: Known) => void; readonly done?: () => void }[] = [];
  let syncing = false;

  function sync(): void {
    if (syncing || writing.length === 0) return;
    syncing = true;
    const group = writing.length;
    time.after(between(random, 0.2, 8), () => {
      if (!alive) return;
      syncing = false;
      for (const item of writing.splice(0, group)) {
        item.write(disk.durable);
        item.done?.();
      }
      sync();
    });
  }

  function fold(to: Known, entry: JournalEntry, at: number, place: number): void {
    const projected = applyEntry(to.session, (id) => to.turns.get(id), { seq: place, at, entry });
    if (projected === undefined) return;
    to.session = projected.session;
    for (const turn of projected.turns) to.turns.set(turn.id, turn);
  }

  function record(entry: JournalEntry, done?: () => void): void {
    seq += 1;
    const place = seq;
    const at = time.now();
    fold(known, entry, at, place);
    writing.push({ write: (to) => fold(to, entry, at, place), ...(done && { done }) });
    sync();
  }

  const underWay = () => [...known.turns.values()].filter(({ status }) => UNDER_WAY.has(status));
  const byIndex = () => [...known.turns.values()].sort((a, b) => a.index - b.index);

  // --- the link -------------------------------------------------------------------------------------------------

  const [top] = known.ladder;
  let data = startLink({
    at: time.now(),
    ladder: known.ladder,
    tokens: known.tokens,
    lastAnswered: top !== undefined && top.covers >= known.session.turnCount ? top.after : `${top?.after}+`,
    said: byIndex()
      .filter(({ role }) => role === 'model')
      .map(textOf)
      .reverse(),
    lifetimes: {},
    epoch: known.epoch,
    online: true,
  });
  const timers = new Map<TimerName, () => void>();
  const dials: number[] = [];
  const sockets: VirtualSocket[] = [];
  const hungUp = new Map<VirtualSocket, number>();
  let prepared: { context: Context; plan: Plan; socket?: VirtualSocket } | undefined;
  let answer: { readonly turnId: string; readonly replyTo: string | undefined } | undefined;
  let lastAnswer: typeof answer;
  let lastPartial: { turnId: string | undefined; text: string } | undefined;
  const partials = new Map<string, { turnId: string | undefined; text: string }>();
  const questions = new Map<string, string>();
  let spoken = '';
  const inbox: LinkInput[] = [];
  let busy = false;

  function dispatch(input: LinkInput): void {
    if (!alive) return;
    inbox.push(input);
    if (busy) return;
    busy = true;
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      const before = data;
      const result = step(data, next, { at: time.now(), random: random() });
      data = result.data;
      trace(
        () =>
          `${JSON.stringify(next).slice(0, 160)} → ${before.phase.kind}/${before.connection?.stage ?? '-'} → ${data.phase.kind}/${data.connection?.stage ?? '-'} [${result.effects.map((effect) => (effect.type === 'tell' ? effect.fact.type : effect.type)).join(' ')}]`,
      );
      for (const effect of result.effects) perform(effect);
    }
    busy = false;
  }

  function contextOf(plan: Plan): Context {
    const waiting = new Set(data.outbox.filter(({ continuation }) => !continuation).map(({ turnId }) => turnId));
    const rung = plan.kind === 'handle' ? known.ladder.find(({ handle }) => handle === plan.rung.handle) : undefined;
    const summarised = plan.kind === 'summary' || rung?.summarised === true;
    const after = summarised ? 0 : (rung?.covers ?? 0);
    if (after >= known.session.turnCount) return NO_CONTEXT;
    const turns = byIndex()
      .filter(({ index }) => index > after)
      .slice(-CONTEXT_TURNS);
    const earlier = new Map<string, Turn>();
    if (after > 0) {
      for (const id of earlierQuestions(turns)) {
        const question = known.turns.get(id);
        if (question !== undefined) earlier.set(id, question);
      }
    }
    return contextFrom(
      turnsToTell(turns, earlier, waiting),
      summarised ? 'instruction' : contextForm(traits, plan.kind),
    );
  }

  function perform(effect: LinkEffect): void {
    const socket = prepared?.socket;
    switch (effect.type) {
      case 'prepare': {
        const { epoch, plan } = effect;
        time.after(between(random, 0, 5), () => {
          if (!alive || data.connection?.epoch !== epoch) return;
          prepared = { context: contextOf(plan), plan };
          dispatch({ type: 'prepared', epoch, model, contextTurns: prepared.context.turns });
        });
        return;
      }
      case 'dial': {
        const { epoch } = effect;
        dials.push(time.now());
        for (const other of sockets) {
          const hungUpAt = hungUp.get(other) ?? Number.POSITIVE_INFINITY;
          if (!other.ended && time.now() - hungUpAt < defaultLinkConfig.leaveGrace) {
            options.broken('dialled before the old connection was down');
          }
        }
        const dialled = server.dial({
          opened: () => dispatch({ type: 'opened', epoch }),
          frame(text) {
            for (const signal of readServerFrame(text)) dispatch({ type: 'signal', epoch, signal });
          },
          ended: (end) => dispatch({ type: 'ended', epoch, end }),
        });
        sockets.push(dialled);
        if (prepared !== undefined) prepared.socket = dialled;
        return;
      }
      case 'setup': {
        if (prepared === undefined) return;
        const { plan, context } = prepared;
        socket?.send(
          setupFrame({
            model,
            traits,
            withHistory: plan.kind !== 'handle' && context.contents.length > 0,
            ...(plan.kind === 'handle' && { handle: plan.rung.handle }),
            ...(context.instruction !== undefined && { systemInstruction: context.instruction }),
          }),
        );
        return;
      }
      case 'tell-context':
        if (prepared !== undefined && prepared.context.contents.length > 0) {
          socket?.send(historyFrame(prepared.context.contents, traits));
        }
        return;
      case 'ask': {
        const words = questions.get(effect.turnId) ?? '';
        if (effect.form === 'continuation') {
          socket?.send(userTurnFrame(continuationText(partials.get(effect.turnId)?.text ?? ''), traits));
        } else if (effect.form === 'nudge') socket?.send(nudgeFrame(traits) ?? userTurnFrame(words, traits));
        else {
          // Within one run of the program; a restart does not know where an answer was cut and asks anew.
          const begun = (partials.get(effect.turnId)?.text ?? '') !== '';
          if (begun) options.broken(`asked ${effect.turnId} again though its answer had begun`);
          socket?.send(userTurnFrame(words, traits));
        }
        return;
      }
      case 'interrupt': {
        const frame = interruptFrame(traits);
        if (frame !== undefined) socket?.send(frame);
        return;
      }
      case 'tool-response':
        socket?.send(toolResponseFrame(effect.result.id, effect.result.name, effect.result.response));
        return;
      case 'tell-results':
        socket?.send(toolResultsFrame(effect.results, traits));
        return;
      case 'audio':
        socket?.send(audioFrame(effect.base64));
        return;
      case 'hang-up': {
        const { epoch } = effect;
        if (socket === undefined) dispatch({ type: 'ended', epoch, end: { kind: 'closed', code: 1000, reason: '' } });
        else {
          hungUp.set(socket, time.now());
          socket.close();
        }
        return;
      }
      case 'start-timer': {
        timers.get(effect.name)?.();
        const { name } = effect;
        timers.set(
          name,
          time.after(effect.ms, () => {
            timers.delete(name);
            dispatch({ type: 'timer', name });
          }),
        );
        return;
      }
      case 'stop-timer':
        timers.get(effect.name)?.();
        timers.delete(effect.name);
        return;
      case 'tell':
        follow(effect.fact);
        return;
    }
  }

  // --- the conversation: what the facts come to in the journal ----------------------------------------------------

  function startedAnswer(replyTo: string | undefined): Turn {
    const there = answer?.replyTo === replyTo ? answer && known.turns.get(answer.turnId) : undefined;
    if (there !== undefined) return there;
    const turnId = `a${(ids += 1)}`;
    const continues = replyTo === undefined ? undefined : partials.get(replyTo)?.turnId;
    record({
      type: 'turn.started',
      turnId,
      ...(replyTo !== undefined && { replyTo }),
      ...(continues !== undefined && { continues }),
      provider: 'demo',
      model,
    });
    answer = { turnId, replyTo };
    return known.turns.get(turnId)!;
  }

  function follow(fact: LinkFact): void {
    switch (fact.type) {
      case 'sent':
        record({ type: 'turn.sent', turnId: fact.turnId, epoch: fact.epoch });
        return;
      case 'requeued':
        record({ type: 'turn.asked-again', turnId: fact.turnId });
        return;
      case 'failed':
        options.failed(fact.turnId, fact.problem.code);
        record({ type: 'turn.ended', turnId: fact.turnId, status: 'failed', problem: fact.problem });
        return;
      case 'words': {
        if (fact.kind === 'thought') return;
        spoken += fact.text;
        const turn = startedAnswer(fact.turnId);
        const length = textOf(turn).length;
        record({
          type: 'turn.delta',
          turnId: turn.id,
          part: 0,
          kind: 'text',
          offset: length,
          text: fact.text,
        });
        return;
      }
      case 'answered':
        spoken = '';
        lastPartial = fact.turnId === undefined ? undefined : partials.get(fact.turnId);
        if (fact.turnId !== undefined) partials.delete(fact.turnId);
        if (answer !== undefined) record({ type: 'turn.ended', turnId: answer.turnId, status: fact.how });
        else if (fact.turnId !== undefined) {
          record({ type: 'turn.ended', turnId: fact.turnId, status: fact.how === 'stopped' ? 'stopped' : 'failed' });
          if (fact.how !== 'stopped') options.failed(fact.turnId, 'no-answer');
        }
        lastAnswer = answer;
        answer = undefined;
        return;
      case 'cut':
        if (fact.goesOn && fact.turnId !== undefined && spoken !== '') {
          partials.set(fact.turnId, { turnId: answer?.turnId, text: spoken });
        }
        spoken = '';
        if (answer !== undefined) {
          record({ type: 'turn.ended', turnId: answer.turnId, status: 'interrupted', problem: fact.problem });
        } else if (!fact.goesOn && fact.turnId !== undefined) {
          options.failed(fact.turnId, fact.problem.code);
          record({ type: 'turn.ended', turnId: fact.turnId, status: 'failed', problem: fact.problem });
        }
        answer = undefined;
        if (fact.goesOn && fact.turnId !== undefined) record({ type: 'turn.asked-again', turnId: fact.turnId });
        return;
      case 'not-the-answer':
        {
          const taken = answer ?? (lastAnswer?.replyTo === fact.turnId ? lastAnswer : undefined);
          if (taken !== undefined) record({ type: 'turn.ended', turnId: taken.turnId, status: 'stopped' });
        }
        answer = undefined;
        lastAnswer = undefined;
        if (lastPartial !== undefined) partials.set(fact.turnId, lastPartial);
        spoken = '';
        return;
      case 'ladder': {
        const covers = coveredIndex(known.session.turnCount, underWay());
        const there = new Map(known.ladder.map((rung) => [rung.handle, rung]));
        const ladder = fact.ladder.map((rung) => there.get(rung.handle) ?? { ...rung, covers, seq });
        const { tokens } = fact;
        const { epoch } = data;
        known.ladder = ladder;
        writing.push({ write: (to) => Object.assign(to, { ladder, tokens, epoch }) });
        sync();
        return;
      }
      case 'tool-call':
        time.after(between(random, 1, 20_000), () =>
          dispatch({ type: 'tool-result', result: { id: fact.id, name: fact.name, response: { output: 'done' } } }),
        );
        return;
      case 'state':
      case 'restored':
      case 'context-lost':
      case 'connection':
      case 'first-delta':
      case 'odd':
      case 'tool-cancelled':
        return;
    }
  }

  // What the last run left: as `settle` in sessions.ts does it.
  for (const turn of underWay().sort((a, b) => a.index - b.index)) {
    if (turn.status === 'streaming') record({ type: 'turn.ended', turnId: turn.id, status: 'interrupted' });
    else if (turn.status === 'sent') record({ type: 'turn.asked-again', turnId: turn.id });
  }
  for (const turn of underWay().sort((a, b) => a.index - b.index)) {
    if (turn.role !== 'user') continue;
    questions.set(turn.id, textOf(turn));
    dispatch({ type: 'ask', turnId: turn.id });
  }

  return {
    get data() {
      return data;
    },
    known,
    dials,
    get timers() {
      return new Set(timers.keys());
    },
    get socket() {
      return prepared?.socket;
    },
    get openSockets() {
      return sockets.filter(({ ended }) => !ended).length;
    },
    send(text) {
      const turnId = `q${(ids += 1)}`;
      record({ type: 'turn.accepted', turnId, parts: [{ type: 'text', text }] }, () => {
        options.accepted(turnId);
        questions.set(turnId, text);
        dispatch({ type: 'ask', turnId });
      });
      return turnId;
    },
    input: dispatch,
    crash() {
      alive = false;
      for (const cancel of timers.values()) cancel();
      for (const socket of sockets) if (!socket.ended) socket.close();
      trace(() => `crash, in state ${linkState(data).kind}`);
    },
  };
}
