import { WebSocket } from 'ws';
import { connectOverWebSocket, followEvents, randomId } from '../../src/contract/index.ts';
import type { CoreClient, CoreConnection, CoreEvent } from '../../src/contract/index.ts';
import { geminiEndpoint } from '../../src/providers/index.ts';
import { API_KEY } from './processes.ts';
import type { HostProcess } from './processes.ts';

const MODEL = 'gemini-3.8-live';

/** A client of the contract, as a page is one, that tells every event together with the time of its arrival. */
export interface ContractClient {
  readonly api: CoreClient;
  onEvent(listener: (event: CoreEvent, at: number) => void): () => void;
  close(): Promise<void>;
}

export async function connectClient({ origin, cookie }: HostProcess): Promise<ContractClient> {
  const headers = { Origin: origin, Cookie: cookie };
  const connection: CoreConnection = connectOverWebSocket(`${origin.replace('http', 'ws')}/contract`, {
    open: (url) =>
      new WebSocket(url, { headers, perMessageDeflate: false }).on(
        'error',
        () => undefined,
      ) as unknown as globalThis.WebSocket,
  });
  const listeners = new Set<(event: CoreEvent, at: number) => void>();
  const following = Promise.withResolvers<void>();
  const stop = followEvents(connection, (event) => {
    const at = performance.now();
    following.resolve();
    for (const listener of listeners) listener(event, at);
  });
  await following.promise;
  return {
    api: connection.client,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      stop();
      // The end of the stream is told over the socket, which must be open for it.
      await connection.client.system.ping();
      connection.close();
    },
  };
}

export interface TurnTimes {
  /** When `turns.send` was called, when the first delta came, and when the answer was complete. */
  readonly sent: number;
  readonly first: number;
  readonly complete: number;
}

/** Sends a turn and follows its answer to the end. */
export async function measureTurn(
  { api, onEvent }: ContractClient,
  sessionId: string,
  text: string,
  onDelta: (chars: number, at: number) => void = () => undefined,
): Promise<TurnTimes> {
  const turnId = randomId();
  let first: number | undefined;
  const { promise: complete, resolve, reject } = Promise.withResolvers<number>();
  const stop = onEvent((event, at) => {
    if (event.type === 'turn.delta' && event.delta.sessionId === sessionId) {
      first ??= at;
      onDelta(event.delta.text.length, at);
    }
    if (event.type !== 'turn.changed' || event.turn.sessionId !== sessionId) return;
    if (event.turn.replyTo === turnId && event.turn.status === 'complete') resolve(at);
    else if (event.turn.status === 'failed' || event.turn.status === 'interrupted') {
      reject(new Error(event.turn.problem?.message ?? 'The turn failed'));
    }
  });
  try {
    const sent = performance.now();
    const [end] = await Promise.all([complete, api.turns.send({ sessionId, turnId, text })]);
    return { sent, first: first!, complete: end };
  } finally {
    stop();
  }
}

/** A bare `ws` client that speaks to the simulator and does nothing else. */
export interface BareClient {
  ask(text: string, onDelta?: (chars: number, at: number) => void): Promise<TurnTimes>;
  close(): void;
}

export async function connectBare(simulatorUrl: string): Promise<BareClient> {
  const socket = new WebSocket(geminiEndpoint(simulatorUrl, API_KEY, MODEL).url, { perMessageDeflate: false });
  let onFrame: (frame: string, at: number) => void = () => undefined;
  socket.on('message', (data) => onFrame(String(data), performance.now()));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await new Promise<void>((resolve) => {
    onFrame = (frame) => frame.includes('setupComplete') && resolve();
    const setup = { model: `models/${MODEL}`, outputAudioTranscription: {}, sessionResumption: {} };
    socket.send(JSON.stringify({ setup: { ...setup, generationConfig: { responseModalities: ['AUDIO'] } } }));
  });
  return {
    ask(text, onDelta = () => undefined) {
      return new Promise((resolve) => {
        let first: number | undefined;
        const sent = performance.now();
        onFrame = (frame, at) => {
          // Read in full, as any client has to.
          const { serverContent } = JSON.parse(frame) as {
            serverContent?: { outputTranscription?: { text?: string }; turnComplete?: boolean };
          };
          const words = serverContent?.outputTranscription?.text;
          if (words !== undefined) {
            first ??= at;
            onDelta(words.length, at);
          }
          if (serverContent?.turnComplete === true) resolve({ sent, first: first!, complete: at });
        };
        const turns = [{ role: 'user', parts: [{ text }] }];
        socket.send(JSON.stringify({ clientContent: { turns, turnComplete: true } }));
      });
    },
    close: () => socket.close(),
  };
}

/** A bare `ws` client of an echo. */
export async function connectEcho(url: string) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    /** Milliseconds until the message was back. */
    measure(message: string): Promise<number> {
      return new Promise((resolve) => {
        const sent = performance.now();
        socket.once('message', () => resolve(performance.now() - sent));
        socket.send(message);
      });
    },
    close: () => socket.close(),
  };
}
