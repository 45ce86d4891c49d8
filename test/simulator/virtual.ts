import {
  createBrain,
  createWorld,
  seededRandom,
  type BrainConnection,
  type ServerAction,
  type ServerFrame,
  type World,
  type WorldOptions,
} from '../../src/simulator/index.ts';
import type { WireLine } from './grammar.ts';
import { setupFrame, userTurn } from './live-client.ts';

export const WALL_TIME = Date.UTC(2026, 2, 14, 15, 9, 26);

export interface TimedAction {
  readonly at: number;
  readonly action: ServerAction;
}

/** A server whose time passes only when told to: many connections, no sockets. */
export interface VirtualServer {
  readonly world: World;
  now(): number;
  connect(facts?: Partial<BrainConnection>): VirtualConnection;
}

export interface VirtualConnection {
  readonly epoch: number;
  readonly actions: readonly TimedAction[];
  frames(): readonly ServerFrame[];
  /** Both directions in order, as on a recording. */
  readonly lines: readonly WireLine[];
  end(): Extract<ServerAction, { kind: 'close' | 'drop' }> | undefined;
  send(frame: unknown): void;
  setup(extra?: Record<string, unknown>): void;
  ask(text: string): void;
  /** Lets time pass, waking the brain exactly when it asks to be woken. */
  advance(ms: number): void;
  leave(): void;
}

export function virtualServer(options: Partial<WorldOptions> = {}): VirtualServer {
  const world = createWorld({
    random: seededRandom(7),
    wallTime: () => WALL_TIME,
    timeZone: 'UTC',
    pace: 'instant',
    audio: 'brief',
    ...options,
  });
  let now = 1_000;
  let epochs = 0;
  const open = new Map<number, () => boolean>();

  return {
    world,
    now: () => now,
    connect(facts = {}) {
      epochs += 1;
      const epoch = epochs;
      const actions: TimedAction[] = [];
      const lines: WireLine[] = [];
      const note = (action: ServerAction): void => {
        actions.push({ at: now, action });
        if (action.kind === 'frame') lines.push({ from: 'server', frame: action.frame });
      };
      const brain = createBrain(world, {
        epoch,
        version: 'v1beta',
        isOpen: (other) => open.get(other)?.() === true,
        ...facts,
      });
      let gone = false;
      const step = (input: Parameters<typeof brain.step>[0]): void => {
        for (const action of brain.step(input, now)) note(action);
        // What is due at once is done at once: only time itself waits for `advance`.
        for (let next = brain.nextAt(); next !== undefined && next <= now; next = brain.nextAt()) {
          for (const action of brain.step({ kind: 'wake' }, now)) note(action);
        }
      };
      const ended = () =>
        actions.map(({ action }) => action).find((action) => action.kind === 'close' || action.kind === 'drop');
      open.set(epoch, () => !gone && ended() === undefined);
      const connection: VirtualConnection = {
        epoch,
        actions,
        lines,
        frames: () => actions.flatMap(({ action }) => (action.kind === 'frame' ? [action.frame] : [])),
        end: ended,
        send(frame) {
          lines.push({ from: 'client', frame });
          step({ kind: 'frame', data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
        },
        setup: (extra) => connection.send(setupFrame(extra)),
        ask: (text) => connection.send(userTurn(text)),
        advance(ms) {
          const target = now + ms;
          for (let next = brain.nextAt(); next !== undefined && next <= target; next = brain.nextAt()) {
            now = Math.max(now, next);
            step({ kind: 'wake' });
          }
          now = target;
        },
        leave() {
          gone = true;
          step({ kind: 'closed' });
        },
      };
      step({ kind: 'opened' });
      return connection;
    },
  };
}
