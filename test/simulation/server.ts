import type { ClientFrame } from '../../src/live/frames.ts';
import type { SocketListener } from '../../src/live/index.ts';
import { createBrain, createWorld, seededRandom } from '../../src/simulator/index.ts';
import type { ScriptInput } from '../../src/simulator/index.ts';
import { between, exponential } from './events.ts';
import type { Random, VirtualTime } from './events.ts';

/** Without a sign of life for this long the client's pings give a peer up (as `socket.ts` does). */
const PEER_SILENCE_MS = 75_000;
const PING_EVERY_MS = 20_000;

export interface VirtualSocket {
  send(frame: ClientFrame): void;
  close(): void;
  /** What the client can know: whether the socket has ended for it. */
  readonly ended: boolean;
}

export interface VirtualServer {
  dial(listener: SocketListener): VirtualSocket;
  setScript(script: ScriptInput): void;
  /** Dials fail and what is open goes dead, with a goodbye (`drop`) or without a sign (`blackhole`). */
  outage(kind: 'drop' | 'blackhole'): void;
  reachable(): void;
  /** From here on nothing breaks by itself. */
  calm(): void;
  dropAll(): void;
  /** The words of the user in a session's memory, oldest first. */
  userWords(sessionId: string): readonly string[];
  /** The words of the model in it, oldest first. */
  modelWords(sessionId: string): readonly string[];
  /** The logical session of the newest connection that is open. */
  readonly current: string | undefined;
  /** The system instruction of its setup. */
  readonly instruction: string;
  /** After each frame of a client: the session that it went to. */
  onClientFrame: (sessionId: string | undefined, frame: ClientFrame) => void;
}

export interface NetworkOptions {
  /** Mean time in milliseconds after which a connection breaks by itself. */
  readonly meanDropMs: number;
  readonly latencyMs: readonly [number, number];
}

/** The simulator's brain behind a network that delays and breaks, in virtual time. */
export function virtualServer(time: VirtualTime, random: Random, network: NetworkOptions): VirtualServer {
  const start = time.now();
  const clock = () => time.now() - start + 1_000;
  const world = createWorld({
    random: seededRandom(Math.floor(random() * 2 ** 31)),
    wallTime: () => time.now(),
    pace: 'instant',
    audio: 'brief',
    timeZone: 'UTC',
    script: {},
  });
  const open = new Map<number, { drop(): void; blackhole(): void }>();
  let epochs = 0;
  let down: 'drop' | 'blackhole' | undefined;
  let current: string | undefined;
  let calm = false;
  let instruction = '';
  const latency = () => between(random, ...network.latencyMs);

  const server: VirtualServer = {
    onClientFrame: () => undefined,
    get current() {
      return current;
    },
    get instruction() {
      return instruction;
    },
    setScript: (script) => world.setScript(script),
    outage(kind) {
      down = kind;
      for (const connection of open.values()) connection[kind]();
    },
    reachable() {
      down = undefined;
    },
    calm() {
      calm = true;
    },
    dropAll() {
      for (const connection of open.values()) connection.drop();
    },
    modelWords: (sessionId) =>
      (world.memory.view(sessionId)?.contents ?? []).flatMap(({ role, parts }) =>
        role === 'model' ? (parts ?? []).map(({ text }) => text ?? '') : [],
      ),
    userWords: (sessionId) => world.memory.view(sessionId)?.userTurns ?? [],
    dial(listener) {
      let ended = false;
      let dead = false;
      let heardAt = time.now();
      const end = (how: Parameters<SocketListener['ended']>[0]) => {
        if (ended) return;
        ended = true;
        listener.ended(how);
      };
      if (down !== undefined) {
        if (down === 'drop') time.after(latency(), () => end({ kind: 'failed', errno: 'ECONNREFUSED' }));
        else time.after(15_000, () => end({ kind: 'failed', errno: 'ETIMEDOUT' }));
        return {
          send: () => undefined,
          close: () => time.after(1, () => end({ kind: 'closed', code: 1006, reason: '' })),
          get ended() {
            return ended;
          },
        };
      }
      epochs += 1;
      const epoch = epochs;
      /** Frames arrive in the order in which they were sent: no later one overtakes. */
      let upAt = 0;
      let downAt = 0;
      const up = (run: () => void) => {
        upAt = Math.max(upAt, time.now() + latency());
        time.after(upAt - time.now(), () => !dead && run());
      };
      const toClient = (run: () => void) => {
        downAt = Math.max(downAt, time.now() + latency());
        time.after(downAt - time.now(), () => {
          if (dead || ended) return;
          heardAt = time.now();
          run();
        });
      };
      let serverOpen = true;
      let cancelWake = () => undefined as void;
      const brain = createBrain(world, { epoch, version: 'v1beta', isOpen: (other) => open.has(other) });
      const step = (input: Parameters<typeof brain.step>[0]) => {
        if (!serverOpen) return;
        for (const action of brain.step(input, clock())) {
          if (action.kind === 'frame') {
            const text = JSON.stringify(action.frame);
            toClient(() => listener.frame(text));
          } else if (action.kind === 'raw') {
            const text = typeof action.data === 'string' ? action.data : Buffer.from(action.data).toString('utf8');
            toClient(() => listener.frame(text));
          } else if (action.kind === 'close') {
            toClient(() => end({ kind: 'closed', code: action.code, reason: action.reason }));
            serverGone();
          } else {
            toClient(() => end({ kind: 'closed', code: 1006, reason: '' }));
            serverGone();
          }
        }
        arm();
      };
      const arm = () => {
        cancelWake();
        const next = brain.nextAt();
        if (serverOpen && next !== undefined) cancelWake = time.after(next - clock(), () => step({ kind: 'wake' }));
      };
      function serverGone(): void {
        if (!serverOpen) return;
        serverOpen = false;
        open.delete(epoch);
        cancelWake();
        brain.step({ kind: 'closed' }, clock());
      }
      open.set(epoch, {
        drop() {
          serverGone();
          dead = true;
          time.after(latency(), () => end({ kind: 'closed', code: 1006, reason: '' }));
        },
        blackhole() {
          dead = true;
          time.after(between(random, 1_000, 10_000), serverGone);
        },
      });
      const strikes = world.strikes({ event: 'dial', connection: epoch, nth: 1 });
      const refusal = strikes.find(({ action }) => action.kind === 'refuse')?.action;
      if (refusal?.kind === 'refuse') {
        open.delete(epoch);
        serverOpen = false;
        time.after(latency(), () => end({ kind: 'refused', status: refusal.status, body: refusal.body }));
      } else if (strikes.some(({ action }) => action.kind === 'drop')) {
        open.delete(epoch);
        serverOpen = false;
        time.after(latency(), () => end({ kind: 'closed', code: 1006, reason: '' }));
      } else if (!strikes.some(({ action }) => action.kind === 'silence')) {
        up(() => {
          step({ kind: 'opened' });
          toClient(() => listener.opened());
        });
      }
      const breaks = exponential(random, network.meanDropMs);
      time.after(breaks, () => calm || (random() < 0.5 ? open.get(epoch)?.drop() : open.get(epoch)?.blackhole()));
      const ping = () => {
        if (ended) return;
        if (!dead) heardAt = time.now();
        if (time.now() - heardAt > PEER_SILENCE_MS) end({ kind: 'failed', errno: 'ETIMEDOUT' });
        else time.after(PING_EVERY_MS, ping);
      };
      time.after(PING_EVERY_MS, ping);
      return {
        get ended() {
          return ended;
        },
        send(frame) {
          if (ended) return;
          const text = JSON.stringify(frame);
          up(() => {
            step({ kind: 'frame', data: text });
            current = brain.sessionId() ?? current;
            if ('setup' in frame) instruction = JSON.stringify(frame.setup?.systemInstruction ?? '');
            server.onClientFrame(brain.sessionId(), frame);
          });
        },
        close() {
          if (ended) return;
          up(() => serverGone());
          // The answer to our close comes back, unless nothing does any more.
          const back = latency() * 2;
          time.after(back, () => !dead && end({ kind: 'closed', code: 1000, reason: '' }));
        },
      };
    },
  };
  return server;
}
