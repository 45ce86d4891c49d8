import type { LinkState } from '../contract/index.ts';
import {
  audioFrame,
  historyFrame,
  interruptFrame,
  nudgeFrame,
  setupFrame,
  toolResponseFrame,
  toolResultsFrame,
  userTurnFrame,
} from './frames.ts';
import type { ClientFrame } from './frames.ts';
import type { LinkConfig } from './machine/config.ts';
import { step } from './machine/machine.ts';
import { isBusy, linkState, startLink } from './machine/state.ts';
import type { LinkStart } from './machine/state.ts';
import type {
  AskForm,
  LinkData,
  LinkEffect,
  LinkFact,
  LinkInput,
  Plan,
  TimerName,
  ToolResult,
} from './machine/types.ts';
import { traitsOf } from './models.ts';
import type { ModelTraits } from './models.ts';
import { identityOf } from './ports.ts';
import type { Clock, Endpoint } from './ports.ts';
import { continuationText, NO_CONTEXT, standsInSetup } from './restore.ts';
import type { Context } from './restore.ts';
import { readServerFrame } from './signals.ts';
import type { Dial, LiveSocket } from './socket.ts';

export interface LinkPorts {
  /** Asked anew for each connection, so that a new key or model counts from the next one on. */
  readonly endpoint: () => Promise<Endpoint>;
  /** What a connection that starts from `plan` has to be told. */
  readonly context: (plan: Plan, traits: ModelTraits) => Promise<Context>;
  /** The words of a question, and the partial answer that a continuation goes on from. */
  readonly words: (turnId: string, form: AskForm) => string;
  readonly dial: Dial;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** What has happened, in order. */
  readonly emit: (fact: LinkFact, endpoint: Endpoint | undefined) => void;
  readonly roundTrip?: (ms: number) => void;
  /** Facts for the log; never content, keys or handles. */
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
  /** Asked anew for each step, so that settings count at once. */
  readonly config?: () => LinkConfig;
}

export interface Link {
  readonly state: LinkState;
  /** The machine's own data; for looking at, never for changing. */
  readonly data: LinkData;
  /** `continuation`: its answer was cut in an earlier run of the program; what is asked for is the rest. */
  ask(turnId: string, continuation?: boolean): void;
  /** Stops the running answer, or takes back what waits to be sent first. */
  stop(): void;
  sendAudio(base64: string): void;
  toolResult(result: ToolResult): void;
  reconnect(): void;
  pause(): void;
  resume(): void;
  startFresh(): void;
  refresh(): void;
  network(online: boolean): void;
  wake(): void;
  /** Whether something is being said, or waits to be. */
  readonly busy: boolean;
  /** Nothing was said for long: gives the live state up, unless something is being said. */
  expire(): void;
  close(): Promise<void>;
}

interface Prepared {
  readonly endpoint: Endpoint;
  readonly traits: ModelTraits;
  readonly plan: Plan;
  /** Empty until it has been gathered. */
  context: Context;
  socket?: LiveSocket;
}

/** Performs what the machine decides, with a socket, a clock and what the conversation knows. */
export function createLink(ports: LinkPorts, start: LinkStart): Link {
  const { clock } = ports;
  let data = startLink(start);
  let connection: Prepared | undefined;
  const inbox: LinkInput[] = [];
  let busy = false;
  const timers = new Map<TimerName, () => void>();

  function dispatch(input: LinkInput): void {
    inbox.push(input);
    if (busy) return;
    busy = true;
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      const result = step(data, next, { at: clock.now(), random: ports.random() }, ports.config?.());
      data = result.data;
      for (const effect of result.effects) performed(effect);
    }
    busy = false;
  }

  /** One that fails must not keep the others from being performed, or the link from going on. */
  function performed(effect: LinkEffect): void {
    try {
      perform(effect);
    } catch (error) {
      ports.report('A step of the link failed', { effect: effect.type, error: String(error) });
      if (effect.type !== 'dial') return;
      const errno = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
      inbox.push({ type: 'ended', epoch: effect.epoch, end: { kind: 'failed', errno } });
    }
  }

  function send(frame: ClientFrame | undefined): void {
    if (frame !== undefined) connection?.socket?.send(frame);
  }

  function perform(effect: LinkEffect): void {
    switch (effect.type) {
      case 'prepare':
        void prepare(effect.epoch, effect.plan);
        return;
      case 'dial':
        dialNow(effect.epoch);
        return;
      case 'setup': {
        if (connection === undefined) return;
        const { endpoint, traits, context, plan } = connection;
        send(
          setupFrame({
            model: endpoint.model,
            traits,
            withHistory: plan.kind !== 'handle' && context.contents.length > 0,
            ...(plan.kind === 'handle' && { handle: plan.rung.handle }),
            ...(context.instruction !== undefined && { systemInstruction: context.instruction }),
          }),
        );
        return;
      }
      case 'tell-context':
        if (connection !== undefined && connection.context.contents.length > 0) {
          send(historyFrame(connection.context.contents, connection.traits));
        }
        return;
      case 'ask':
        if (connection !== undefined) send(askFrame(effect.turnId, effect.form, connection.traits));
        return;
      case 'interrupt':
        if (connection !== undefined) send(interruptFrame(connection.traits));
        return;
      case 'tool-response':
        send(toolResponseFrame(effect.result.id, effect.result.name, effect.result.response));
        return;
      case 'tell-results':
        if (connection !== undefined) send(toolResultsFrame(effect.results, connection.traits));
        return;
      case 'audio':
        send(audioFrame(effect.base64));
        return;
      case 'hang-up': {
        const { epoch } = effect;
        const socket = connection?.socket;
        if (socket === undefined) dispatch({ type: 'ended', epoch, end: { kind: 'closed', code: 1000, reason: '' } });
        else void socket.close();
        return;
      }
      case 'start-timer':
        timers.get(effect.name)?.();
        timers.set(
          effect.name,
          clock.after(effect.ms, () => {
            timers.delete(effect.name);
            dispatch({ type: 'timer', name: effect.name });
          }),
        );
        return;
      case 'stop-timer':
        timers.get(effect.name)?.();
        timers.delete(effect.name);
        return;
      case 'tell':
        ports.emit(effect.fact, connection?.endpoint);
        return;
    }
  }

  function askFrame(turnId: string, form: AskForm, traits: ModelTraits): ClientFrame | undefined {
    const words = ports.words(turnId, form);
    switch (form) {
      case 'nudge':
        return nudgeFrame(traits) ?? userTurnFrame(words, traits);
      case 'continuation':
        return userTurnFrame(continuationText(words), traits);
      case 'question':
        return userTurnFrame(words, traits);
    }
  }

  /** Dials as soon as it is known whom, and gathers what to tell meanwhile. */
  async function prepare(epoch: number, plan: Plan): Promise<void> {
    const current = () => data.connection?.epoch === epoch && data.connection.plan === plan;
    try {
      const endpoint = await ports.endpoint();
      if (!current()) return;
      const traits = traitsOf(endpoint.model);
      const prepared: Prepared = { endpoint, traits, plan, context: NO_CONTEXT };
      connection = prepared;
      dispatch({ type: 'prepared', epoch, model: identityOf(endpoint), setupWaits: standsInSetup(plan, traits) });
      if (!current()) return;
      prepared.context = await ports.context(plan, traits);
      if (current()) {
        const { turns, contents } = prepared.context;
        dispatch({ type: 'context', epoch, turns, asFrame: contents.length > 0 });
      }
    } catch (error) {
      if (!current()) return;
      ports.report('A connection could not be prepared', { epoch, error: String(error) });
      dispatch({ type: 'unprepared', epoch, problem: UNPREPARED });
    }
  }

  function dialNow(epoch: number): void {
    const dialling = connection;
    if (dialling === undefined) return;
    dialling.socket = ports.dial(dialling.endpoint.url, {
      opened: () => dispatch({ type: 'opened', epoch }),
      frame(text) {
        for (const signal of readServerFrame(text)) dispatch({ type: 'signal', epoch, signal });
      },
      ended(end) {
        ports.report('A connection ended', {
          epoch,
          how: end.kind,
          ...(end.kind === 'closed' && { closeCode: end.code, reason: end.reason }),
          ...(end.kind === 'refused' && { httpStatus: end.status }),
          ...(end.kind === 'failed' && { errno: end.errno }),
        });
        dispatch({ type: 'ended', epoch, end });
      },
      roundTrip: (ms) => ports.roundTrip?.(ms),
    });
  }

  return {
    get state() {
      return linkState(data);
    },
    get data() {
      return data;
    },
    ask: (turnId, continuation = false) => dispatch({ type: 'ask', turnId, continuation }),
    stop: () => dispatch({ type: 'stop' }),
    sendAudio: (base64) => dispatch({ type: 'audio', base64 }),
    toolResult: (result) => dispatch({ type: 'tool-result', result }),
    reconnect: () => dispatch({ type: 'reconnect' }),
    pause: () => dispatch({ type: 'pause' }),
    resume: () => dispatch({ type: 'resume' }),
    startFresh: () => dispatch({ type: 'start-fresh' }),
    refresh: () => dispatch({ type: 'refresh' }),
    network: (online) => dispatch({ type: 'network', online }),
    wake: () => dispatch({ type: 'wake' }),
    get busy() {
      return isBusy(data);
    },
    expire: () => dispatch({ type: 'expire' }),
    async close() {
      const socket = connection?.socket;
      dispatch({ type: 'close' });
      for (const cancel of timers.values()) cancel();
      timers.clear();
      await socket?.close();
    },
  };
}

const UNPREPARED = {
  code: 'internal',
  message: 'Holdfast could not prepare the connection. It tries again by itself; the log says more.',
  retry: 'automatic',
} as const;
