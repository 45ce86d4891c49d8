import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import type { ClientFrame } from './frames.ts';
import type { ConnectionEnd } from './close-reasons.ts';

/** A frame larger than this ends the connection: no model answer comes near. */
const FRAME_MAX_BYTES = 32 * 1024 * 1024;
const UPGRADE_TIMEOUT_MS = 15_000;
const REFUSAL_BODY_MAX = 2_000;
/** How long a peer may take to answer our close, or to give the body of a refusal, before the socket is cut. */
const CLOSE_GRACE_MS = 1_000;
const PING_EVERY_MS = 20_000;
/** Pongs of this provider can take half a minute: only a peer that is silent for much longer is dead. */
const PEER_SILENCE_MS = 75_000;

export interface SocketLimits {
  /** Milliseconds from the dial to the end of the upgrade. */
  readonly upgradeMs?: number;
  readonly frameMaxBytes?: number;
  readonly closeGraceMs?: number;
}

export interface SocketListener {
  /** The upgrade is done; frames may be sent. */
  opened(): void;
  /** One frame as text, whether it came as text or binary. */
  frame(text: string): void;
  /** A ping came back after this many milliseconds. */
  roundTrip?(ms: number): void;
  /** Called exactly once, last. */
  ended(end: ConnectionEnd): void;
}

export interface LiveSocket {
  /** Whether the frame was handed to the operating system's buffers; `false` once the socket is closing. */
  send(frame: ClientFrame): boolean;
  /** Closes in good order and cuts the socket when the peer does not follow. Resolves when it is down. */
  close(): Promise<void>;
}

/** The port by which a link reaches the network. */
export type Dial = (url: string, listener: SocketListener) => LiveSocket;

/**
 * Dials a BidiGenerateContent endpoint with `ws`, which shows the HTTP status of a refused upgrade (a browser's
 * WebSocket shows 1006 and nothing else).
 */
export const dial: Dial = (url, listener) => dialWithin({}, url, listener);

/** `dial`, with limits of one's own. */
export function dialWithin(limits: SocketLimits, url: string, listener: SocketListener): LiveSocket {
  const { upgradeMs = UPGRADE_TIMEOUT_MS, frameMaxBytes = FRAME_MAX_BYTES, closeGraceMs = CLOSE_GRACE_MS } = limits;
  const options: ClientOptions & { readonly closeTimeout: number } = {
    handshakeTimeout: upgradeMs,
    maxPayload: frameMaxBytes,
    perMessageDeflate: false,
    // `ws` closes by itself when a frame breaks the protocol. Its types do not know this option yet.
    closeTimeout: closeGraceMs,
  };
  const socket = new WebSocket(url, options);
  let failure: ConnectionEnd | undefined;
  let over = false;
  const end = (how: ConnectionEnd) => {
    if (over) return;
    over = true;
    listener.ended(how);
  };

  let lastHeard = performance.now();
  let pinged = 0;
  let pings: ReturnType<typeof setInterval> | undefined;
  const ping = () => {
    if (performance.now() - lastHeard > PEER_SILENCE_MS) {
      failure = { kind: 'failed', errno: 'ETIMEDOUT' };
      socket.terminate();
      return;
    }
    pinged = performance.now();
    socket.ping();
  };
  socket.on('pong', () => {
    lastHeard = performance.now();
    listener.roundTrip?.(lastHeard - pinged);
  });
  socket.on('open', () => {
    lastHeard = performance.now();
    pings = setInterval(ping, PING_EVERY_MS);
    pings.unref?.();
    listener.opened();
    // The setup is on its way; how long that takes is known at once, and not after the first pause.
    ping();
  });
  socket.on('message', (data) => {
    if (over) return;
    lastHeard = performance.now();
    listener.frame(
      Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data as Buffer).toString('utf8'),
    );
  });
  socket.on('unexpected-response', (request, response) => {
    let body = '';
    const refused = () => {
      clearTimeout(enough);
      end({ kind: 'refused', status: response.statusCode ?? 0, body });
      request.destroy();
    };
    const enough = setTimeout(refused, closeGraceMs);
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      body += chunk;
      if (body.length > REFUSAL_BODY_MAX) refused();
    });
    response.on('end', refused);
    response.on('error', refused);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // `ws` reports its own handshake timeout without a code.
    const timedOut = /handshake has timed out/.test(error.message);
    failure = { kind: 'failed', errno: timedOut ? 'ETIMEDOUT' : (error.code ?? error.message) };
  });
  socket.on('close', (code, reason) => {
    clearInterval(pings);
    // 1006 says only that there was no goodbye, and after a broken frame the peer only repeats our own code:
    // the error says why.
    end(failure ?? { kind: 'closed', code, reason: reason.toString('utf8') });
  });

  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame), () => undefined);
      return true;
    },
    close() {
      if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
      return new Promise((resolve) => {
        const cut = setTimeout(() => socket.terminate(), closeGraceMs);
        socket.once('close', () => {
          clearTimeout(cut);
          resolve();
        });
        if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
        else socket.close(1000);
      });
    },
  };
}
