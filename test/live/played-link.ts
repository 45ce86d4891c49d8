import { expect } from 'vitest';
import type {
  ConnectionEnd,
  LinkData,
  LinkEffect,
  LinkFact,
  LinkInput,
  Plan,
  Rung,
  TimerName,
} from '../../src/live/index.ts';
import { defaultLinkConfig, linkState, startLink, step } from '../../src/live/index.ts';
import type { AskForm, ServerSignal } from '../../src/live/index.ts';

export const START = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const MODEL = 'gemini-3.8-live';

/** What a dial comes to: a connection that is set up at once, or an end, or nothing until the test says more. */
export type DialOutcome = 'ready' | 'nothing' | ConnectionEnd | { readonly inSetup: ConnectionEnd };

export interface World {
  readonly ladder?: readonly Rung[];
  readonly tokens?: LinkData['tokens'];
  readonly lastAnswered?: string;
  readonly online?: boolean;
  /** In [0, 1); by default 0.5. */
  readonly random?: () => number;
  model?: string;
  dial?: (dialled: number) => DialOutcome;
  /** Whether a socket that we hang up on says so. */
  closes?: boolean;
  contextTurns?: (plan: Plan) => number;
  preparation?: 'fails';
  readonly goOn?: boolean;
  readonly setupWaits?: boolean;
  /** What a connection is told is at hand at once, unless the test says when. */
  gathering?: 'by hand';
}

/** A link that is played by hand: its machine, virtual timers, and sockets that do what the test wants. */
export interface PlayedLink {
  readonly data: LinkData;
  readonly state: ReturnType<typeof linkState>;
  readonly world: World;
  readonly now: number;
  readonly effects: readonly LinkEffect[];
  readonly facts: readonly LinkFact[];
  readonly plans: readonly Plan[];
  readonly asks: readonly { readonly turnId: string; readonly form: AskForm; readonly epoch: number }[];
  /** When the link dialled. */
  readonly dials: readonly number[];
  readonly timers: ReadonlyMap<TimerName, number>;
  /** Sockets that are open now. */
  readonly open: number;
  /** The most that were open at once. */
  readonly openAtMost: number;
  input(...inputs: readonly LinkInput[]): void;
  /** What the server says on the connection that is. */
  says(...signals: readonly ServerSignal[]): void;
  /** A whole answer, with the handle that covers it. */
  answers(text: string, handle?: string): void;
  ends(end: ConnectionEnd): void;
  pass(ms: number): void;
  /** The device's clock is set; timers do not care. */
  setClock(byMs: number): void;
  factsOf<Type extends LinkFact['type']>(type: Type): (LinkFact & { type: Type })[];
}

export const lost: ConnectionEnd = { kind: 'closed', code: 1006, reason: '' };
export const unavailable: ConnectionEnd = {
  kind: 'closed',
  code: 1011,
  reason: 'The service is currently unavailable.',
};
export const invalid: ConnectionEnd = { kind: 'closed', code: 1007, reason: 'Request contains an invalid argument.' };

export const ask = (turnId: string): LinkInput => ({ type: 'ask', turnId });

export const rung = (handle: string, change: Partial<Rung> = {}): Rung => ({
  handle,
  model: MODEL,
  at: START - SECOND,
  after: undefined,
  pending: undefined,
  summarised: false,
  ...change,
});

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

export function playLink(world: World = {}): PlayedLink {
  /** Time that passes, and by how much the device's clock is off. */
  let passed = 0;
  let skew = 0;
  const at = () => START + passed + skew;
  let data = frozen(
    startLink({
      at: at(),
      ladder: world.ladder ?? [],
      tokens: world.tokens,
      lastAnswered: world.lastAnswered,
      said: [],
      lifetimes: {},
      epoch: 0,
      online: world.online ?? true,
    }),
  );
  const effects: LinkEffect[] = [];
  const facts: LinkFact[] = [];
  const plans: Plan[] = [];
  const asks: { turnId: string; form: AskForm; epoch: number }[] = [];
  const dials: number[] = [];
  const timers = new Map<TimerName, number>();
  const sockets = new Set<number>();
  let openAtMost = 0;
  const inbox: LinkInput[] = [];
  let busy = false;

  function input(...inputs: readonly LinkInput[]): void {
    inbox.push(...inputs);
    if (busy) return;
    busy = true;
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      const moment = frozen({ at: at(), random: world.random?.() ?? 0.5 });
      // What goes in is frozen, so a step that changes it throws; and it is made twice, so it must be the same.
      const config = { ...defaultLinkConfig, goOn: world.goOn ?? true };
      const result = step(data, frozen(next), moment, config);
      expect(step(data, next, moment, config)).toEqual(result);
      data = frozen(result.data);
      for (const effect of result.effects) perform(effect);
    }
    busy = false;
  }

  function perform(effect: LinkEffect): void {
    effects.push(effect);
    switch (effect.type) {
      case 'prepare':
        plans.push(effect.plan);
        if (world.preparation === 'fails') {
          const problem = { code: 'internal', message: 'Not prepared.', retry: 'automatic' } as const;
          input({ type: 'unprepared', epoch: effect.epoch, problem });
          return;
        }
        input(
          { type: 'prepared', epoch: effect.epoch, model: world.model ?? MODEL, setupWaits: world.setupWaits ?? true },
          ...(world.gathering === 'by hand' ? [] : [context(effect.epoch, effect.plan)]),
        );
        return;
      case 'dial': {
        dials.push(passed);
        sockets.add(effect.epoch);
        openAtMost = Math.max(openAtMost, sockets.size);
        const outcome = world.dial?.(dials.length) ?? 'ready';
        if (outcome === 'nothing') return;
        if (outcome === 'ready' || 'inSetup' in outcome) input({ type: 'opened', epoch: effect.epoch });
        else down(effect.epoch, outcome);
        return;
      }
      case 'setup': {
        const outcome = world.dial?.(dials.length) ?? 'ready';
        if (outcome === 'ready') says({ kind: 'setup-complete' });
        else if (typeof outcome === 'object' && 'inSetup' in outcome) down(effect.epoch, outcome.inSetup);
        return;
      }
      case 'ask':
        asks.push({ turnId: effect.turnId, form: effect.form, epoch: effect.epoch });
        return;
      case 'hang-up':
        if (world.closes !== false) down(effect.epoch, { kind: 'closed', code: 1000, reason: '' });
        return;
      case 'start-timer':
        timers.set(effect.name, passed + effect.ms);
        return;
      case 'stop-timer':
        timers.delete(effect.name);
        return;
      case 'tell':
        facts.push(effect.fact);
        return;
      default:
        return;
    }
  }

  function context(epoch: number, plan: Plan): LinkInput {
    const turns = world.contextTurns?.(plan) ?? 0;
    return { type: 'context', epoch, turns, asFrame: turns > 0 };
  }

  function down(epoch: number, end: ConnectionEnd): void {
    sockets.delete(epoch);
    input({ type: 'ended', epoch, end });
  }

  function says(...signals: readonly ServerSignal[]): void {
    for (const signal of signals) {
      // A step may replace the connection; what is said then goes to the one that said it.
      input({ type: 'signal', epoch: data.epoch, signal });
    }
  }

  return {
    world,
    input,
    says,
    get data() {
      return data;
    },
    get state() {
      return linkState(data);
    },
    get now() {
      return at();
    },
    effects,
    facts,
    plans,
    asks,
    dials,
    timers,
    get open() {
      return sockets.size;
    },
    get openAtMost() {
      return openAtMost;
    },
    answers(text, handle) {
      says({ kind: 'text', text }, { kind: 'generation-complete' }, { kind: 'turn-complete' });
      if (handle !== undefined) says({ kind: 'handle', handle, consumed: undefined });
    },
    ends: (end) => down(data.epoch, end),
    pass(ms) {
      const end = passed + ms;
      for (;;) {
        const due = [...timers].filter(([, time]) => time <= end).sort(([, a], [, b]) => a - b)[0];
        if (due === undefined) break;
        const [name, time] = due;
        timers.delete(name);
        passed = Math.max(passed, time);
        input({ type: 'timer', name });
      }
      passed = end;
    },
    setClock(byMs) {
      skew += byMs;
    },
    factsOf: <Type extends LinkFact['type']>(type: Type) =>
      facts.filter((fact): fact is LinkFact & { type: Type } => fact.type === type),
  };
}

/** A link that is live, with one question answered and the handle `h1` that covers it. */
export function playedLive(world: World = {}): PlayedLink {
  const link = playLink(world);
  link.input(ask('q1'));
  link.answers('One.', 'h1');
  expect(link.state.kind).toBe('live');
  return link;
}
