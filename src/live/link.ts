import type { LinkState, Problem, ProblemCode, Usage } from '../contract/index.ts';
import { problemFrom } from './close-reasons.ts';
import type { ConnectionEnd } from './close-reasons.ts';
import { historyFrame, interruptFrame, setupFrame, toolResponseFrame, userTurnFrame } from './frames.ts';
import { traitsOf } from './models.ts';
import type { ModelTraits } from './models.ts';
import type { Clock, Endpoint, HandleStore, History } from './ports.ts';
import { readServerFrame } from './signals.ts';
import type { ServerSignal } from './signals.ts';
import type { Dial, LiveSocket } from './socket.ts';

const SETUP_TIMEOUT_MS = 10_000;
/** After this long without a frame while an answer is due, the server counts as gone. */
const ANSWER_SILENCE_MS = 30_000;
/** Some models never send `turnComplete`: silence after `generationComplete` ends a turn too. */
const END_SILENCE_MS = 1_500;
/** How long the server may take to confirm that it was interrupted. */
const STOP_GRACE_MS = 2_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_CAP_MS = 30_000;
/** A connection that lasted this long was healthy: the next drop starts over with the shortest wait. */
const HEALTHY_AFTER_MS = 10_000;
/** With nothing to send there is no point in knocking for ever. */
const IDLE_ATTEMPTS = 5;
/** A handle that did not open a session in this many dials is given up. */
const HANDLE_ATTEMPTS = 2;

/** Ends that a handle which is no longer good can bring about. */
const HANDLE_SUSPECT: ReadonlySet<ProblemCode> = new Set([
  'setup_rejected',
  'model_not_found',
  'not_known_yet',
  'provider_unavailable',
  'server_silent',
  'connection_lost',
]);

/** What a link tells its conversation. `turnId` is always the user turn that was asked. */
export type LinkEvent =
  | { readonly type: 'state'; readonly state: LinkState }
  | { readonly type: 'sent'; readonly turnId: string; readonly epoch: number }
  /** `turnId` is absent where the model speaks unasked. */
  | {
      readonly type: 'words';
      readonly turnId: string | undefined;
      readonly kind: 'text' | 'thought';
      readonly text: string;
      readonly endpoint: Endpoint;
    }
  | {
      readonly type: 'tool-call';
      readonly turnId: string | undefined;
      readonly id: string;
      readonly name: string;
      readonly args: Record<string, unknown>;
      readonly endpoint: Endpoint;
    }
  | { readonly type: 'tool-cancel'; readonly ids: readonly string[] }
  /** The answer is over. `stopped`: the user stopped it. `interrupted`: the server did. */
  | {
      readonly type: 'ended';
      readonly turnId: string | undefined;
      readonly how: 'complete' | 'stopped' | 'interrupted';
      readonly usage: Usage | undefined;
    }
  /**
   * The connection went while a turn was asked. `unsent` and `unanswered` turns may be asked again without harm;
   * of `uncertain` ones the server may know already; of `answering` ones a part of the answer has come.
   */
  | {
      readonly type: 'lost';
      readonly turnId: string;
      readonly stage: 'unsent' | 'unanswered' | 'uncertain' | 'answering';
      readonly problem: Problem;
    };

export interface LinkPorts {
  readonly endpoint: () => Promise<Endpoint>;
  readonly dial: Dial;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly handles: HandleStore;
  readonly history: History;
  readonly emit: (event: LinkEvent) => void;
  /** Frames that could not be read, answers that nobody asked for. Never content. */
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
}

export interface Link {
  readonly state: LinkState;
  /** Asks one turn. Only when none is under way: after `ended` or `lost` of the one before. */
  ask(turnId: string, text: string): void;
  /** Stops the running answer; `ended` follows. */
  stop(): void;
  answerTool(id: string, name: string, response: Record<string, unknown>): void;
  /** Connects at once, whatever it was waiting for. */
  reconnect(): void;
  /** Connects anew at the next turn, with the settings as they are then. */
  refresh(): void;
  close(): Promise<void>;
}

interface Asked {
  readonly turnId: string;
  readonly text: string;
  stage: 'unsent' | 'sent' | 'answering' | 'stopping';
  /** A handle came after the turn was sent: what it stands for may include the turn. */
  handleSince: boolean;
  /** The server said `interrupted`; its `turnComplete` is still to come. */
  interrupted: boolean;
}

interface Connection {
  readonly epoch: number;
  readonly endpoint: Endpoint;
  readonly traits: ModelTraits;
  readonly usedHandle: boolean;
  socket: LiveSocket;
  liveSince: number | undefined;
  leaving: boolean;
}

/**
 * A session's live tie to its provider: one connection at a time, opened when a turn is asked, opened again with the
 * newest handle when it drops, and rebuilt from the history when the handle no longer opens anything.
 */
export function createLink(ports: LinkPorts): Link {
  const { clock } = ports;
  let state: LinkState = { kind: 'idle', since: clock.now() };
  let connection: Connection | undefined;
  let asked: Asked | undefined;
  let usage: Usage | undefined;
  let epoch = 0;
  let attempts = 0;
  let handleFailures = 0;
  let opening = false;
  let refreshDue = false;
  const timers = { retry: noop, setup: noop, silence: noop };

  function enter(next: LinkState): void {
    state = next;
    ports.emit({ type: 'state', state });
  }

  async function connect(): Promise<void> {
    if (opening || connection !== undefined || state.kind === 'closed') return;
    opening = true;
    timers.retry();
    enter({ kind: 'connecting', since: clock.now() });
    const number = ++epoch;
    let endpoint: Endpoint;
    let history: Awaited<ReturnType<History>>;
    try {
      [endpoint, history] = await Promise.all([ports.endpoint(), ports.history()]);
    } catch (error) {
      ports.report('A connection could not be prepared', { epoch: number, error: String(error) });
      attempts += 1;
      retryLater({
        code: 'internal',
        message: 'Holdfast could not prepare the connection. It tries again by itself; the log says more.',
        retry: 'automatic',
      });
      return;
    } finally {
      opening = false;
    }
    if (isClosed()) return;
    const stored = ports.handles.load();
    const handle = stored?.model === endpoint.model ? stored.handle : undefined;
    const traits = traitsOf(endpoint.model);
    const rebuild = handle === undefined && history.length > 0;
    const opened: Connection = {
      epoch: number,
      endpoint,
      traits,
      usedHandle: handle !== undefined,
      socket: undefined as unknown as LiveSocket,
      liveSince: undefined,
      leaving: false,
    };
    connection = opened;
    opened.socket = ports.dial(endpoint.url, {
      opened() {
        opened.socket.send(
          setupFrame({ model: endpoint.model, traits, withHistory: rebuild, ...(handle !== undefined && { handle }) }),
        );
      },
      frame(text) {
        if (connection !== opened) return;
        for (const signal of readServerFrame(text)) {
          if (signal.kind === 'setup-complete') {
            if (rebuild) opened.socket.send(historyFrame(history, traits));
            wentLive(opened, handle !== undefined ? 'resumed' : rebuild ? 'rebuilt' : 'new');
          } else heard(opened, signal);
        }
      },
      ended(end) {
        if (connection === opened) dropped(opened, end);
      },
    });
    timers.setup = clock.after(SETUP_TIMEOUT_MS, () => giveUp(opened, SETUP_TIMEOUT_MS));
  }

  function wentLive(on: Connection, restored: 'new' | 'resumed' | 'rebuilt'): void {
    timers.setup();
    handleFailures = 0;
    on.liveSince = clock.now();
    enter({ kind: 'live', since: on.liveSince, restored });
    sendAsked();
  }

  function sendAsked(): void {
    const on = connection;
    if (asked?.stage !== 'unsent' || on?.liveSince === undefined || on.leaving) return;
    if (!on.socket.send(userTurnFrame(asked.text, on.traits))) return;
    asked.stage = 'sent';
    usage = undefined;
    ports.emit({ type: 'sent', turnId: asked.turnId, epoch: on.epoch });
    watchSilence(ANSWER_SILENCE_MS);
  }

  function watchSilence(ms: number): void {
    timers.silence();
    const on = connection;
    timers.silence = clock.after(ms, () => on !== undefined && connection === on && giveUp(on, ms));
  }

  function heard(on: Connection, signal: ServerSignal): void {
    if (asked?.stage === 'sent' || asked?.stage === 'answering') watchSilence(ANSWER_SILENCE_MS);
    switch (signal.kind) {
      case 'text':
      case 'thought':
        if (asked?.stage === 'stopping') return;
        if (asked?.stage === 'sent') asked.stage = 'answering';
        ports.emit({
          type: 'words',
          turnId: answering(),
          kind: signal.kind,
          text: signal.text,
          endpoint: on.endpoint,
        });
        return;
      case 'audio':
        if (asked?.stage === 'sent') asked.stage = 'answering';
        return;
      case 'tool-call':
        if (asked?.stage === 'sent') asked.stage = 'answering';
        ports.emit({
          type: 'tool-call',
          turnId: answering(),
          id: signal.id,
          name: signal.name,
          args: signal.args,
          endpoint: on.endpoint,
        });
        return;
      case 'tool-cancel':
        ports.emit({ type: 'tool-cancel', ids: signal.ids });
        return;
      case 'usage':
        usage = signal.usage;
        return;
      case 'generation-complete':
        timers.silence();
        timers.silence = clock.after(END_SILENCE_MS, () => connection === on && finish('complete'));
        return;
      case 'interrupted':
        // Its own turnComplete follows and must not end the turn after it: that is what is waited for.
        if (asked !== undefined) asked.interrupted = true;
        timers.silence();
        timers.silence = clock.after(END_SILENCE_MS, () => connection === on && finish('interrupted'));
        return;
      case 'turn-complete':
        return finish('complete');
      case 'handle':
        if (asked !== undefined && asked.stage !== 'unsent') asked.handleSince = true;
        ports.handles.save(signal.handle, on.endpoint.model);
        return;
      case 'go-away':
        refreshDue = true;
        if (asked === undefined || asked.stage === 'unsent') moveOn();
        return;
      case 'malformed':
        ports.report('A frame from the server could not be read', { epoch: on.epoch, shape: signal.shape });
        return;
      case 'not-resumable':
      case 'heard':
      case 'setup-complete':
        return;
    }
  }

  /** The turn that the words of this moment answer. */
  function answering(): string | undefined {
    return asked === undefined || asked.stage === 'unsent' ? undefined : asked.turnId;
  }

  function finish(how: 'complete' | 'interrupted'): void {
    timers.silence();
    // Words that nobody asked for end here too.
    if (asked === undefined || asked.stage === 'unsent') {
      ports.emit({ type: 'ended', turnId: undefined, how, usage: takeUsage() });
      return;
    }
    const { turnId, stage, interrupted } = asked;
    const outcome = stage === 'stopping' ? 'stopped' : interrupted ? 'interrupted' : how;
    if (stage === 'sent' && how === 'complete') {
      ports.report('The server ended a turn without an answer', { epoch });
    }
    asked = undefined;
    if (refreshDue) moveOn();
    ports.emit({ type: 'ended', turnId, how: outcome, usage: takeUsage() });
  }

  function takeUsage(): Usage | undefined {
    const taken = usage;
    usage = undefined;
    return taken;
  }

  /** Closes the connection and goes on with a new one where there is something to send. Close first: two at once end in 1011. */
  function moveOn(): void {
    refreshDue = false;
    const old = connection;
    if (old === undefined) return;
    old.leaving = true;
    void old.socket.close().then(() => {
      if (connection !== old) return;
      forget();
      enter({ kind: 'idle', since: clock.now() });
      if (asked !== undefined) void connect();
    });
  }

  function giveUp(on: Connection, waitedMs: number): void {
    if (connection !== on) return;
    void on.socket.close();
    dropped(on, { kind: 'silent', waitedMs });
  }

  function forget(): void {
    timers.setup();
    timers.silence();
    connection = undefined;
  }

  function dropped(on: Connection, end: ConnectionEnd): void {
    if (on.leaving) return;
    forget();
    const problem = problemFrom(end);
    const wasLive = on.liveSince !== undefined;
    ports.report('A connection ended', {
      epoch: on.epoch,
      code: problem.code,
      ...(end.kind === 'closed' && { closeCode: end.code, reason: end.reason }),
      ...(end.kind === 'refused' && { httpStatus: end.status }),
      ...(end.kind === 'failed' && { errno: end.errno }),
    });
    if (wasLive && clock.now() - (on.liveSince ?? 0) >= HEALTHY_AFTER_MS) attempts = 0;
    attempts += 1;

    // The handle is what may be wrong: without it the history takes its place.
    if (!wasLive && on.usedHandle && HANDLE_SUSPECT.has(problem.code)) {
      handleFailures += 1;
      if (handleFailures >= HANDLE_ATTEMPTS || problem.retry === 'user') {
        ports.handles.clear();
        handleFailures = 0;
        void connect();
        return;
      }
    } else if (wasLive && problem.code === 'setup_rejected') {
      // Connects, then dies at the next input: a poisoned handle looks just like this.
      ports.handles.clear();
    }

    const lost = asked;
    if (lost !== undefined) {
      const stage =
        lost.stage === 'unsent'
          ? 'unsent'
          : lost.stage === 'sent'
            ? lost.handleSince
              ? 'uncertain'
              : 'unanswered'
            : 'answering';
      // An unsent turn stays asked, unless nothing will come of it.
      if (stage !== 'unsent' || problem.retry === 'user') {
        asked = undefined;
        if (lost.stage === 'stopping') {
          ports.emit({ type: 'ended', turnId: lost.turnId, how: 'stopped', usage: undefined });
        } else {
          ports.emit({ type: 'lost', turnId: lost.turnId, stage, problem });
        }
      }
    } else {
      ports.emit({ type: 'ended', turnId: undefined, how: 'interrupted', usage: undefined });
    }
    refreshDue = false;

    if (problem.retry === 'user') {
      enter({ kind: 'needs-you', since: clock.now(), problem });
      return;
    }
    retryLater(problem);
  }

  function retryLater(problem: Problem): void {
    if (asked === undefined && attempts > IDLE_ATTEMPTS) {
      enter({ kind: 'idle', since: clock.now() });
      return;
    }
    const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (attempts - 1));
    // Full jitter below the ceiling, but never at once: a server that drops everybody is not helped by a stampede.
    const wait = Math.round(ceiling * (0.2 + 0.8 * ports.random()));
    const since = clock.now();
    enter({ kind: 'waiting', since, attempt: attempts, until: since + wait, problem });
    timers.retry = clock.after(wait, () => void connect());
  }

  function isClosed(): boolean {
    return state.kind === 'closed';
  }

  return {
    get state() {
      return state;
    },
    ask(turnId, text) {
      asked = { turnId, text, stage: 'unsent', handleSince: false, interrupted: false };
      if (connection?.liveSince !== undefined) sendAsked();
      // A wait goes on; everything else is a reason to connect now.
      else if (state.kind !== 'waiting') void connect();
    },
    stop() {
      if (asked === undefined || asked.stage === 'stopping') return;
      const on = connection;
      if (asked.stage === 'unsent' || on === undefined) {
        const { turnId } = asked;
        asked = undefined;
        ports.emit({ type: 'ended', turnId, how: 'stopped', usage: undefined });
        return;
      }
      asked.stage = 'stopping';
      const frame = interruptFrame(on.traits);
      if (frame !== undefined) on.socket.send(frame);
      timers.silence();
      // A server that goes on as if nothing had been said is left: its frames must not run into the next answer.
      timers.silence = clock.after(STOP_GRACE_MS, () => {
        if (connection !== on || asked?.stage !== 'stopping') return;
        refreshDue = true;
        finish('interrupted');
      });
    },
    answerTool(id, name, response) {
      connection?.socket.send(toolResponseFrame(id, name, response));
    },
    reconnect() {
      attempts = 0;
      if (connection === undefined) void connect();
    },
    refresh() {
      if (asked === undefined || asked.stage === 'unsent') moveOn();
      else refreshDue = true;
      if (state.kind === 'needs-you' || state.kind === 'waiting') {
        timers.retry();
        attempts = 0;
        enter({ kind: 'idle', since: clock.now() });
        if (asked !== undefined) void connect();
      }
    },
    async close() {
      if (isClosed()) return;
      timers.retry();
      const old = connection;
      forget();
      asked = undefined;
      enter({ kind: 'closed', since: clock.now() });
      await old?.socket.close();
    },
  };
}

function noop(): void {}
