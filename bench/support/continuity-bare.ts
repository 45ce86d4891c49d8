import { GoogleGenAI, Modality } from '@google/genai';
import type { LiveConnectConfig, LiveServerMessage, Session } from '@google/genai';
import { WebSocket } from 'ws';
import { defaultSettings } from '../../src/contract/index.ts';
import { monotonic } from './continuity-measure.ts';
import { API_KEY } from './continuity-processes.ts';

export interface NaiveDrop {
  /** When it was connected again. */
  readonly liveAt: number;
  /** The answer as far as it came. It does not ask again. */
  readonly text: string;
}

/**
 * What an application makes of the SDK in an afternoon: it keeps the newest handle and connects again when the connection
 * closes. Asks `warmUp`, so that there is a handle, then `question`, in whose answer it is dropped.
 */
export async function naiveDrop(baseUrl: string, warmUp: string, question: string): Promise<NaiveDrop> {
  // The SDK dials `ws:` for `http:` and `wss:` for everything else.
  const ai = new GoogleGenAI({
    apiKey: API_KEY,
    httpOptions: { baseUrl: baseUrl.replace(/^ws:/, 'http:'), apiVersion: 'v1beta' },
  });
  let handle: string | undefined;
  let text = '';
  let leaving = false;
  let completed: () => void = () => undefined;
  let handled: () => void = () => undefined;
  let reconnected: (at: number) => void = () => undefined;
  const liveAgain = new Promise<number>((resolve) => (reconnected = resolve));

  function onmessage({ serverContent, sessionResumptionUpdate }: LiveServerMessage): void {
    text += serverContent?.outputTranscription?.text ?? '';
    if (serverContent?.turnComplete === true) completed();
    if (sessionResumptionUpdate?.resumable !== true || sessionResumptionUpdate.newHandle === undefined) return;
    handle = sessionResumptionUpdate.newHandle;
    handled();
  }
  function connect(): Promise<Session> {
    const config: LiveConnectConfig = {
      responseModalities: [Modality.AUDIO],
      outputAudioTranscription: {},
      inputAudioTranscription: {},
      sessionResumption: handle === undefined ? {} : { handle },
      contextWindowCompression: { slidingWindow: {} },
    };
    return ai.live.connect({ model: defaultSettings.model, config, callbacks: { onmessage, onclose } });
  }
  async function onclose(): Promise<void> {
    if (leaving) return;
    session = await connect();
    reconnected(monotonic());
  }

  let session = await connect();
  const firstOver = Promise.all([
    new Promise<void>((resolve) => (completed = resolve)),
    new Promise<void>((resolve) => (handled = resolve)),
  ]);
  session.sendClientContent({ turns: warmUp });
  await firstOver;
  text = '';
  session.sendClientContent({ turns: question });
  const liveAt = await liveAgain;
  leaving = true;
  session.close();
  return { liveAt, text };
}

export interface BareDial {
  /** From the dial to `setupComplete`. */
  readonly dialMs: number;
  /** A ping and its pong on the connection. */
  readonly roundTripMs: number;
}

/** Nothing but a socket and the first frame. */
export function bareDial(baseUrl: string): Promise<BareDial> {
  const address = `${baseUrl}/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=${API_KEY}`;
  return new Promise((resolve, reject) => {
    const from = monotonic();
    let dialMs = 0;
    let pingedAt = 0;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    socket.on('error', reject);
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          setup: {
            model: `models/${defaultSettings.model}`,
            generationConfig: { responseModalities: ['AUDIO'] },
            outputAudioTranscription: {},
            inputAudioTranscription: {},
            sessionResumption: {},
            contextWindowCompression: { slidingWindow: {} },
          },
        }),
      ),
    );
    socket.on('message', (data) => {
      if (dialMs > 0 || !String(data).includes('setupComplete')) return;
      dialMs = monotonic() - from;
      pingedAt = monotonic();
      socket.ping();
    });
    socket.on('pong', () => {
      const roundTripMs = monotonic() - pingedAt;
      socket.once('close', () => resolve({ dialMs, roundTripMs }));
      socket.close(1000);
    });
  });
}
