import { WebSocket } from 'ws';
import type { ServerFrame, Simulator } from '../../src/simulator/index.ts';

export const PATH = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
export const MODEL = 'models/gemini-3.8-live';
export const OLD_MODEL = 'models/gemini-2.5-flash-native-audio-preview-09-2025';

export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** A bare client for tests: it keeps every frame and how the connection ended. */
export interface LiveClient {
  readonly socket: WebSocket;
  /** Every frame so far; `undefined` for one that is not JSON. */
  readonly frames: readonly ServerFrame[];
  readonly binary: readonly boolean[];
  readonly ending: Promise<Ending>;
  /** HTTP status and body of a refused upgrade. */
  readonly refusal: Promise<{ readonly status: number; readonly body: string }>;
  send(frame: unknown): void;
  ask(text: string): void;
  /** The first frame from `from` on for which it holds; waits for it. */
  until(holds: (frame: ServerFrame) => boolean, what: string, from?: number): Promise<ServerFrame>;
  /** Asks and waits for `turnComplete`; the answer's words. */
  talk(text: string): Promise<string>;
  ready(): Promise<void>;
  /** Nothing more arrives for this long. */
  quietFor(ms: number): Promise<boolean>;
  close(): Promise<void>;
}

export const isReady = (frame: ServerFrame): boolean => frame?.setupComplete !== undefined;
export const isTurnComplete = (frame: ServerFrame): boolean => frame?.serverContent?.turnComplete === true;

export function setupFrame(extra: Record<string, unknown> = {}): unknown {
  return {
    setup: {
      model: MODEL,
      generationConfig: { responseModalities: ['AUDIO'] },
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      sessionResumption: {},
      ...extra,
    },
  };
}

export function userTurn(text: string): unknown {
  return { clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: true } };
}

const WAIT_MS = 5_000;

export interface DialOptions {
  readonly setup?: Record<string, unknown> | false;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

export function dial(simulator: Simulator, options: DialOptions = {}): LiveClient {
  const url = `${simulator.url}${options.path ?? PATH}${options.query ?? '?key=test-key'}`;
  const socket = new WebSocket(url, { headers: options.headers ?? {}, perMessageDeflate: false });
  const frames: ServerFrame[] = [];
  const binary: boolean[] = [];
  let changed: () => void = () => undefined;

  socket.on('message', (data, isBinary) => {
    let frame: unknown;
    try {
      frame = JSON.parse(data.toString());
    } catch {
      frame = undefined;
    }
    frames.push(frame as ServerFrame);
    binary.push(isBinary);
    changed();
  });
  const ending = new Promise<Ending>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
      changed();
    });
  });
  const refusal = new Promise<{ status: number; body: string }>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
  socket.on('error', () => undefined);
  socket.on('open', () => {
    if (options.setup !== false) socket.send(JSON.stringify(setupFrame(options.setup)));
  });

  const client: LiveClient = {
    socket,
    frames,
    binary,
    ending,
    refusal,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    ask: (text) => client.send(userTurn(text)),
    async until(holds, what, from = 0) {
      const deadline = Date.now() + WAIT_MS;
      let at = from;
      for (;;) {
        for (; at < frames.length; at += 1) {
          const frame = frames[at];
          if (frame !== undefined && holds(frame)) return frame;
        }
        const left = deadline - Date.now();
        if (left <= 0 || socket.readyState === WebSocket.CLOSED) {
          throw new Error(`No ${what} came; got ${JSON.stringify(frames.slice(from)).slice(0, 600)}`);
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(left, 100));
          changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    async talk(text) {
      const from = frames.length;
      client.ask(text);
      await client.until(isTurnComplete, 'turnComplete', from);
      return wordsOf(frames.slice(from));
    },
    async ready() {
      await client.until(isReady, 'setupComplete');
    },
    async quietFor(ms) {
      const before = frames.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return frames.length === before;
    },
    async close() {
      socket.close(1000);
      await ending;
    },
  };
  return client;
}

export function wordsOf(frames: readonly ServerFrame[]): string {
  return frames.map((frame) => frame?.serverContent?.outputTranscription?.text ?? '').join('');
}

export function newestHandle(frames: readonly ServerFrame[]): string {
  const handle = frames.findLast((frame) => frame?.sessionResumptionUpdate?.newHandle !== undefined)
    ?.sessionResumptionUpdate?.newHandle;
  if (handle === undefined) throw new Error('No handle came');
  return handle;
}

export async function nextHandle(client: LiveClient, from = 0): Promise<string> {
  const frame = await client.until(
    (candidate) => candidate.sessionResumptionUpdate?.newHandle !== undefined,
    'handle',
    from,
  );
  return frame.sessionResumptionUpdate!.newHandle!;
}
