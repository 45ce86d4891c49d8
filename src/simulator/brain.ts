import { createLine, type ServerAction } from './line.ts';
import { closes, type Close } from './closes.ts';
import { performFault } from './faults.ts';
import { createListening, type Listening } from './listening.ts';
import type { Poison, Session } from './memory.ts';
import type { Lifetime } from './models.ts';
import { closeOf } from './script.ts';
import { checkSetup } from './setup.ts';
import { createTalk, type Live, type Talk } from './talk.ts';
import { contentTokens } from './usage.ts';
import {
  decodeJson,
  frameKind,
  functionDeclarations,
  readClientFrame,
  textOf,
  type ClientFrame,
  type Setup,
} from './wire.ts';
import type { World } from './world.ts';

export type { ServerAction } from './line.ts';

export type BrainInput =
  | { readonly kind: 'opened' }
  | { readonly kind: 'frame'; readonly data: string | Uint8Array }
  /** The time given by `nextAt` has come. */
  | { readonly kind: 'wake' }
  /** The connection is gone, whoever ended it. */
  | { readonly kind: 'closed' };

export interface BrainConnection {
  /** Counted from 1 over all dials of this server. */
  readonly epoch: number;
  /** API version of the dialled path, for the wording of errors. */
  readonly version: string;
  /** Why the key is refused, if it is: the wire tells it after the upgrade. */
  readonly refusal?: Close | undefined;
  /** Spends an ephemeral token when the session opens; answers with a refusal. */
  readonly admit?: ((resuming: boolean, now: number) => Close | undefined) | undefined;
  /** Whether an earlier connection still stands. */
  readonly isOpen: (epoch: number) => boolean;
}

/**
 * One connection of the server as a state machine: inputs with their time go in, actions to carry out at once come
 * out. It touches no socket, timer or clock, so the same brain runs under real and under virtual time.
 */
export interface Brain {
  /** Milliseconds of one monotonic clock, never going back. */
  step(input: BrainInput, now: number): readonly ServerAction[];
  /** When to `wake` it next; at most `now` if it stopped short to let the socket drain. */
  nextAt(): number | undefined;
  sessionId(): string | undefined;
}

/** Frames in one step: a flood comes out in slices, so that the driver can watch the socket's buffer. */
const MOST_ACTIONS_A_STEP = 128;

export function createBrain(world: World, connection: BrainConnection): Brain {
  const line = createLine(world, connection.epoch);
  let phase: 'awaitingSetup' | 'settingUp' | 'live' = 'awaitingSetup';
  let live: Live | undefined;
  let talk: Talk | undefined;
  let listening: Listening | undefined;
  let poison: Poison | undefined;
  let handleInUse: string | undefined;
  let openedAt = 0;
  let clientFrames = 0;
  /** History announced by `historyConfig` is being given; what is said meanwhile waits. */
  let seeding = false;
  let waiting: ClientFrame[] = [];

  line.onStrike((action, now, text) => {
    performFault(action, now, {
      line,
      world,
      talk,
      session: live?.session,
      handleInUse,
      poisonConnection: (mode) => {
        poison = mode;
        talk?.setDeaf(mode === 'deaf');
      },
      text,
    });
  });

  function lifetimeOf(model: Lifetime): Lifetime & { readonly silent: boolean } {
    const own = world.script().lifetime;
    return {
      connectionMs: own.connectionMs ?? model.connectionMs,
      // A lifetime of the script's own has no goAway unless it says so.
      goAwayBeforeMs:
        own.goAwayBeforeMs !== undefined
          ? own.goAwayBeforeMs
          : own.connectionMs === undefined
            ? model.goAwayBeforeMs
            : null,
      end: closeOf(own.end ?? {}, own.connectionMs === undefined ? model.end : closes.aborted),
      silent: own.silentAfterGoAway,
    };
  }

  function scheduleEnd(lifetime: Lifetime & { readonly silent: boolean }, now: number): void {
    const endsAt = Math.max(now, openedAt + lifetime.connectionMs);
    if (lifetime.goAwayBeforeMs !== null) {
      const timeLeftMs = Math.min(lifetime.goAwayBeforeMs, endsAt - now);
      line.schedule.add(endsAt - timeLeftMs, 'line', (at) =>
        line.goAway(timeLeftMs, lifetime.silent, lifetime.end, at),
      );
    } else {
      line.schedule.add(endsAt, 'line', () => line.close(lifetime.end));
    }
  }

  function openSession(setup: Setup, model: string, now: number): Session | Close {
    const handle = setup.sessionResumption?.handle;
    if (handle === undefined || handle === '') return world.memory.begin(model, connection.epoch, now);
    const { lifetimeMs, refusal } = world.script().handles;
    const resumed = world.memory.resume(handle, {
      model,
      connection: connection.epoch,
      now,
      lifetimeMs,
      isOpen: connection.isOpen,
    });
    if (!resumed.ok) {
      if (resumed.why === 'busy') return closes.internal;
      return resumed.why === 'otherModel' ? closes.invalidArgument : closeOf(refusal, closes.invalidArgument);
    }
    poison ??= resumed.poison;
    return resumed.session;
  }

  function beginLive(setup: Setup, now: number): void {
    const checked = checkSetup(setup, world.flavour, connection.version);
    if (!checked.ok) return line.close(checked.close);
    handleInUse = setup.sessionResumption?.handle || undefined;
    line.resuming = handleInUse !== undefined;
    phase = 'settingUp';
    line.fire('setup', now);
    if (line.ended) return;
    const refusal = connection.admit?.(line.resuming, now);
    if (refusal !== undefined) return line.close(refusal);
    const session = openSession(setup, checked.model.name, now);
    if ('code' in session) return line.close(session);
    live = {
      session,
      setup,
      model: checked.model,
      modality: checked.modality,
      system: setup.systemInstruction === undefined ? '' : textOf(setup.systemInstruction),
      tools: functionDeclarations(setup.tools),
    };
    seeding = setup.historyConfig?.initialHistoryInClientContent === true;
    talk = createTalk(world, line, live, () => clientFrames - 1);
    talk.setDeaf(poison === 'deaf');
    listening = createListening(world, line, live, talk);
    line.schedule.add(now + world.script().quirks.setupDelayMs, 'line', (at) => {
      const setupComplete = checked.model.sessionId ? { sessionId: session.id } : {};
      line.emit({ setupComplete }, at, (sentAt) => {
        phase = 'live';
        scheduleEnd(lifetimeOf(checked.model.lifetime), sentAt);
        line.fire('ready', sentAt);
      });
    });
  }

  function converse(frame: ClientFrame, now: number, current: Live, speaking: Talk, ears: Listening): void {
    if ('setup' in frame) return line.close(closes.invalidArgument);
    if ('clientContent' in frame) {
      const { turns, turnComplete } = frame.clientContent;
      if (current.model.clientContent === 'seedOnly' && !seeding) return line.close(closes.invalidArgument);
      speaking.interrupt(now);
      for (const turn of turns) {
        const content = { role: turn.role ?? 'user', parts: turn.parts } as Parameters<typeof contentTokens>[0];
        world.memory.append(current.session, content, contentTokens(content));
      }
      if (seeding) {
        // Announced history calls no model, and may end with the model's words.
        if (turnComplete) endSeeding(now, current, speaking, ears);
      } else if (turnComplete) {
        speaking.answer(now);
      }
      return;
    }
    if (seeding && !('contextUpdate' in frame)) {
      waiting.push(frame);
      return;
    }
    if ('realtimeInput' in frame) {
      if (!ears.hear(frame.realtimeInput, now)) line.close(closes.invalidArgument);
    } else if ('toolResponse' in frame) {
      if (!speaking.takeToolResponse(frame.toolResponse.functionResponses, now)) line.close(closes.notSupported);
    } else {
      if (!current.model.contextUpdate) return line.close(closes.invalidArgument);
      const { systemInstruction, tools } = frame.contextUpdate;
      if (systemInstruction !== undefined) current.system = textOf(systemInstruction);
      if (tools !== undefined) current.tools = functionDeclarations(Array.isArray(tools) ? tools : (tools.tools ?? []));
    }
  }

  function endSeeding(now: number, current: Live, speaking: Talk, ears: Listening): void {
    seeding = false;
    const held = waiting;
    waiting = [];
    for (const frame of held) if (!line.ended) converse(frame, now, current, speaking, ears);
  }

  function receive(data: string | Uint8Array, now: number): void {
    if (line.ended) return;
    const frame = readClientFrame(decodeJson(data));
    clientFrames += 1;
    if (frame === undefined) return line.close(closes.invalidArgument);
    switch (phase) {
      case 'awaitingSetup':
        return 'setup' in frame ? beginLive(frame.setup, now) : line.close(closes.invalidArgument);
      case 'settingUp':
        return line.close(closes.invalidArgument);
      case 'live': {
        line.fire('input', now, { text: frameKind(frame) });
        if (line.ended) return;
        if (poison === 'dies') return line.close(closes.invalidArgument);
        converse(frame, now, live!, talk!, listening!);
      }
    }
  }

  function take(input: BrainInput, now: number): void {
    switch (input.kind) {
      case 'opened':
        openedAt = now;
        line.fire('open', now);
        if (!line.ended && connection.refusal !== undefined) line.close(connection.refusal);
        return;
      case 'frame':
        return receive(input.data, now);
      case 'wake':
        return;
      case 'closed':
        line.abandon();
    }
  }

  return {
    step(input, now) {
      while (!line.ended && line.pending < MOST_ACTIONS_A_STEP && line.schedule.runNext(now));
      take(input, now);
      while (!line.ended && line.pending < MOST_ACTIONS_A_STEP && line.schedule.runNext(now));
      if (line.ended && live !== undefined) world.memory.release(live.session, connection.epoch);
      return line.take();
    },
    nextAt: () => (line.ended ? undefined : line.schedule.nextAt()),
    sessionId: () => live?.session.id,
  };
}
