import { WebSocket as Socket } from 'ws';
import { connectOverWebSocket, followEvents, randomId, textOf } from '../../src/contract/index.ts';
import type { CoreClient, LinkState } from '../../src/contract/index.ts';
import { monotonic } from './continuity-measure.ts';

/** What came of a question. */
export interface Outcome {
  /** The last answer to it was ended by the server; otherwise it was given up. */
  readonly complete: boolean;
  /** Its answer, with the pieces of one that was cut put together. */
  readonly text: string;
}

export interface Asking {
  readonly outcome: Promise<Outcome>;
}

export interface BenchClient {
  readonly api: CoreClient;
  ask(sessionId: string, text: string): Promise<Outcome>;
  /** Resolves to the time at which the session is told to be live, counted from the next time that it is not. */
  liveAgain(sessionId: string): Promise<number>;
  close(): void;
}

/** Long enough for anything that comes at all. */
const LIMIT_MS = 60_000;

/** A client of the contract that keeps no more than it waits for, so that it does not disturb what is measured. */
export async function connectClient(url: string): Promise<BenchClient> {
  const connection = connectOverWebSocket(url, { open: (address) => new Socket(address) as unknown as WebSocket });
  const asked = new Map<string, { readonly cut: string[]; readonly resolve: (outcome: Outcome) => void }>();
  const watched = new Map<string, { lost: boolean; readonly resolve: (at: number) => void }>();
  let started: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (started = resolve));

  followEvents(connection, (event) => {
    started();
    if (event.type === 'link.changed') watch(event.sessionId, event.link);
    if (event.type !== 'turn.changed') return;
    const { turn } = event;
    if (turn.status === 'failed') asked.get(turn.id)?.resolve({ complete: false, text: '' });
    const question = turn.replyTo === undefined ? undefined : asked.get(turn.replyTo);
    if (question === undefined) return;
    if (turn.status === 'interrupted') question.cut.push(textOf(turn));
    if (turn.status !== 'complete' && turn.status !== 'failed') return;
    question.resolve({ complete: turn.status === 'complete', text: [...question.cut, textOf(turn)].join(' ') });
  });

  function watch(sessionId: string, link: LinkState): void {
    const one = watched.get(sessionId);
    if (one === undefined) return;
    if (link.kind !== 'live') one.lost = true;
    else if (one.lost) {
      one.resolve(monotonic());
      watched.delete(sessionId);
    }
  }

  await ready;
  return {
    api: connection.client,
    async ask(sessionId, text) {
      const turnId = randomId();
      const outcome = new Promise<Outcome>((resolve) => {
        const late = setTimeout(() => resolve({ complete: false, text: '' }), LIMIT_MS);
        asked.set(turnId, {
          cut: [],
          resolve(given) {
            clearTimeout(late);
            asked.delete(turnId);
            resolve(given);
          },
        });
      });
      await connection.client.turns.send({ sessionId, turnId, text });
      return outcome;
    },
    liveAgain: (sessionId) => new Promise((resolve) => watched.set(sessionId, { lost: false, resolve })),
    close: () => connection.close(),
  };
}

/** Whether an answer counts from 1 to `last` without a gap, wherever it was cut. */
export function countsTo(text: string, last: number): boolean {
  const numbers = text.match(/\d+/g)?.map(Number) ?? [];
  return numbers.length === last && numbers.every((number, at) => number === at + 1);
}
