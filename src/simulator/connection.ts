import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { createBrain, type BrainConnection, type ServerAction } from './brain.ts';
import { cutReason } from './closes.ts';
import type { MutableRecord } from './observations.ts';
import type { World } from './world.ts';

export interface ConnectionParts {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly record: MutableRecord;
  readonly world: World;
  readonly now: () => number;
  readonly encoding: 'text' | 'binary' | 'mixed';
  readonly saw: (data: string | Uint8Array) => void;
  readonly brain: BrainConnection;
  readonly ended: () => void;
}

/** A brain with a socket: carries out its actions, and wakes it when it wants to be woken. */
export interface Connection {
  start(): void;
  isOpen(): boolean;
  end(code: number | undefined): void;
}

/** Above this the brain waits for the socket to drain, so that a flood does not pile up here. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
const DRAIN_POLL_MS = 5;
/** RFC 6455, 5.2: a final text frame that announces 65,535 bytes and brings a few. */
const HALF_A_FRAME = Buffer.concat([
  Buffer.from([0x81, 126, 0xff, 0xff]),
  Buffer.from('{"serverContent":{"outputTranscription"'),
]);
/** A setTimeout of more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

export function createConnection(parts: ConnectionParts): Connection {
  const { webSocket, socket, record, now } = parts;
  const brain = createBrain(parts.world, parts.brain);
  let timer: NodeJS.Timeout | undefined;
  let pongs: NodeJS.Timeout[] = [];

  function note(by: 'server' | 'client', code: number, reason: string): void {
    record.end ??= { by, code, reason };
    record.endedAt ??= now();
    record.state = 'closed';
  }

  function send(data: string | Uint8Array, binary: boolean): void {
    record.serverFrames += 1;
    if (webSocket.readyState === WebSocket.OPEN) webSocket.send(data, { binary });
  }

  function isBinary(): boolean {
    if (parts.encoding === 'mixed') return record.serverFrames % 2 === 1;
    return parts.encoding === 'binary';
  }

  function drop(midFrame: boolean, reset: boolean): void {
    note('server', 1006, '');
    const cut = (): void => {
      if (reset && 'resetAndDestroy' in socket) (socket as Duplex & { resetAndDestroy(): void }).resetAndDestroy();
      else socket.destroy();
    };
    // What was sent before is on its way first: the cut comes after it, at a known place.
    socket.write(midFrame ? HALF_A_FRAME : '', cut);
  }

  function carryOut(action: ServerAction): void {
    switch (action.kind) {
      case 'frame': {
        const binary = isBinary();
        const text = JSON.stringify(action.frame);
        return send(binary ? Buffer.from(text) : text, binary);
      }
      case 'raw':
        return send(action.data, action.binary);
      case 'close':
        note('server', action.code, action.reason);
        return webSocket.close(action.code, action.reason);
      case 'drop':
        return drop(action.midFrame, action.reset);
    }
  }

  function arm(): void {
    clearTimeout(timer);
    const at = brain.nextAt();
    if (at === undefined) return;
    if (webSocket.bufferedAmount > HIGH_WATER_BYTES) {
      timer = setTimeout(arm, DRAIN_POLL_MS);
      return;
    }
    timer = setTimeout(() => step({ kind: 'wake' }), Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(at - now()))));
  }

  function step(input: Parameters<typeof brain.step>[0]): void {
    for (const action of brain.step(input, now())) carryOut(action);
    record.sessionId ??= brain.sessionId();
    arm();
  }

  return {
    start() {
      webSocket.on('message', (data, binary) => {
        const bytes = toBytes(data);
        const frame = binary ? bytes : Buffer.from(bytes).toString('utf8');
        parts.saw(frame);
        step({ kind: 'frame', data: frame });
      });
      webSocket.on('ping', (data: Buffer) => {
        const { pongDelayMs } = parts.world.script().quirks;
        if (pongDelayMs === null) return;
        if (pongDelayMs === 0) return webSocket.pong(data);
        pongs.push(setTimeout(() => webSocket.pong(data, undefined, () => undefined), pongDelayMs));
      });
      webSocket.on('close', (code, reason) => {
        note('client', code, reason.toString('utf8'));
        clearTimeout(timer);
        pongs.forEach(clearTimeout);
        pongs = [];
        brain.step({ kind: 'closed' }, now());
        parts.ended();
      });
      // ws reports a client's protocol errors here and closes by itself.
      webSocket.on('error', () => undefined);
      step({ kind: 'opened' });
    },
    isOpen: () => webSocket.readyState === WebSocket.OPEN,
    end(code) {
      if (code === undefined) return drop(false, false);
      note('server', code, '');
      webSocket.close(code, cutReason(''));
    },
  };
}
