import { linkState } from '../../src/live/index.ts';
import { textOf } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { emptyDisk, startClient } from './client.ts';
import type { ClientOptions, VirtualClient } from './client.ts';
import { between, exponential, oneOf, randomFrom, virtualTime } from './events.ts';
import { GREETING, troubles } from './faults.ts';
import { virtualServer } from './server.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
/** How long after all trouble has ended a link may take to be live with everything answered. */
const RECOVERY_MS = 40 * MINUTE;
/** Answered questions that the server must know at the end: what the budget holds in any case. */
const KNOWN_AT_END = 20;
const DIALS_MAX = 20;
const DIAL_WINDOW = 10 * MINUTE;

export interface Outcome {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly turns: number;
  readonly connections: number;
  readonly crashes: number;
  readonly cut: number;
  readonly putAside: number;
  /** Questions to which a greeting stands as the answer. */
  readonly misheard: number;
  readonly events: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly hours: number;
  readonly trace?: (line: string) => void;
}

class Violation extends Error {}

const MODELS = ['gemini-3.8-live', 'gemini-3.8-live', 'gemini-2.5-flash-native-audio-preview-12-2025'] as const;
/** The wish to go on quotes the answer; it asks nothing new. */
const isQuestion = (words: string) => !words.startsWith('Your last answer was cut off');
const tokenOf = (text: string) => [...text.matchAll(/#(\d+)#/g)].map((match) => Number(match[1]));

/**
 * One schedule: a person, a link, a server and a network for so many virtual hours, all from one seed. Ends at the first
 * broken invariant.
 */
export function runSchedule({ seed, hours, trace }: ScheduleOptions): Outcome {
  const random = randomFrom(seed);
  const time = virtualTime(START);
  const model = oneOf(random, MODELS);
  const server = virtualServer(time, random, {
    meanDropMs: oneOf(random, [2 * MINUTE, 15 * MINUTE, 2 * HOUR]),
    latencyMs: oneOf(random, [
      [1, 5],
      [20, 80],
      [50, 1_500],
    ] as const) as [number, number],
  });
  const say = (line: () => string) => trace?.(`${((time.now() - START) / SECOND).toFixed(3)} ${line()}`);

  const accepted = new Map<string, number>();
  const failures = new Map<string, string>();
  const stopped = new Set<string>();
  const disk = emptyDisk(START);
  const options: ClientOptions = {
    time,
    random,
    server,
    model,
    trace: say,
    accepted: (turnId) => accepted.set(turnId, time.now()),
    failed: (turnId, code) => failures.set(turnId, code),
    broken: (what) => check(false, what),
  };
  let client: VirtualClient | undefined = startClient(disk, options);
  let crashes = 0;
  let connections = 0;
  let asked = 0;
  let quiet = false;
  let misheard = 0;

  function check(condition: boolean, what: string): void {
    if (!condition) throw new Violation(`${((time.now() - START) / SECOND).toFixed(3)} s: ${what}`);
  }

  /** What must hold at every moment. */
  function invariants(): void {
    if (client === undefined) return;
    const { data, dials, timers, socket } = client;
    const recent = dials.filter((at) => time.now() - at < DIAL_WINDOW).length;
    check(recent <= DIALS_MAX, `${recent} dials within ten minutes`);
    const state = linkState(data);
    const ready = data.connection?.stage === 'ready';
    check(state.kind !== 'live' || (ready && socket?.ended === false), 'shown as live without a connection');
    check(
      state.kind === 'live' || state.kind === 'rotating' || !ready,
      `shown as ${state.kind} with a live connection`,
    );
    check(
      state.kind !== 'waiting' || timers.has('retry') || data.connection?.stage === 'leaving',
      'shown as waiting, and nothing is waited for',
    );
    check(
      (state.kind !== 'connecting' && state.kind !== 'restoring') || data.connection !== undefined,
      `shown as ${state.kind}, and nothing is`,
    );
    const stuck =
      data.outbox.length > 0 &&
      timers.size === 0 &&
      data.connection?.stage !== 'preparing' &&
      !['paused', 'needs-you', 'closed'].includes(state.kind);
    check(!stuck, `a turn waits in state ${state.kind} and nothing will happen`);
  }

  /** What the server has been told must be in order and told once. */
  server.onClientFrame = (sessionId, frame) => {
    if (sessionId === undefined || !('clientContent' in frame)) return;
    const numbers = server.userWords(sessionId).filter(isQuestion).flatMap(tokenOf);
    for (let at = 1; at < numbers.length; at += 1) {
      check(
        numbers[at]! > numbers[at - 1]!,
        `the server was told ${numbers[at]} after ${numbers[at - 1]}: ${numbers.slice(-8).join(' ')}`,
      );
    }
  };

  function person(): void {
    if (quiet) return;
    const bursts = random() < 0.15 ? 1 + Math.floor(random() * 4) : 1;
    for (let n = 0; n < bursts; n += 1) {
      time.after(n * between(random, 0, 3 * SECOND), () => {
        if (client === undefined || quiet) return;
        asked += 1;
        const words = Array.from({ length: 2 + Math.floor(random() * 12) }, (_, at) => `w${at}`).join(' ');
        const id = client.send(`Say #${asked}# ${words}`);
        say(() => `user: ${id} is #${asked}#`);
      });
    }
    time.after(exponential(random, oneOf(random, [20 * SECOND, 3 * MINUTE, 25 * MINUTE])), person);
  }

  function whim(): void {
    if (quiet) return;
    const dice = random();
    if (client !== undefined) {
      if (dice < 0.25) {
        for (const { turnId } of client.data.outbox.slice(0, 1)) stopped.add(turnId);
        client.input({ type: 'stop' });
      } else if (dice < 0.35) {
        client.input({ type: 'pause' });
        time.after(exponential(random, 3 * MINUTE), () => client?.input({ type: 'resume' }));
      } else if (dice < 0.5) client.input({ type: 'reconnect' });
      else if (dice < 0.55) client.input({ type: 'start-fresh' });
      else if (dice < 0.65) client.input({ type: 'wake' });
      else if (dice < 0.75) client.input({ type: 'refresh' });
      else if (dice < 0.85) {
        client.input({ type: 'network', online: false });
        time.after(exponential(random, 2 * MINUTE), () => client?.input({ type: 'network', online: true }));
      } else if (dice < 0.95) crash();
      else client.input({ type: 'audio', base64: 'AAAA'.repeat(160) });
    }
    time.after(exponential(random, 20 * MINUTE), whim);
  }

  function crash(): void {
    if (client === undefined) return;
    client.crash();
    client = undefined;
    crashes += 1;
    time.after(exponential(random, 30 * SECOND), () => {
      client = startClient(disk, options);
    });
  }

  function weather(): void {
    if (quiet) return;
    const dice = random();
    if (dice < 0.6) server.setScript(troubles(random));
    else if (dice < 0.8) {
      server.outage(random() < 0.5 ? 'drop' : 'blackhole');
      time.after(exponential(random, 4 * MINUTE), () => server.reachable());
    } else if (dice < 0.9) server.dropAll();
    else server.setScript({});
    // Whoever looks at the screen presses the button that it shows.
    time.after(exponential(random, 5 * MINUTE), () => {
      if (client !== undefined && linkState(client.data).kind === 'needs-you') client.input({ type: 'reconnect' });
    });
    time.after(exponential(random, 15 * MINUTE), weather);
  }

  const turns = (): Turn[] => [...(client?.known.turns.values() ?? [])].sort((a, b) => a.index - b.index);
  let violation: string | undefined;
  try {
    time.after(SECOND, person);
    time.after(exponential(random, 10 * MINUTE), whim);
    time.after(exponential(random, 5 * MINUTE), weather);
    time.runUntil(START + hours * HOUR, invariants);

    // All trouble ends, and what a person would press is pressed: from here on it has to come right by itself.
    quiet = true;
    server.setScript({});
    server.reachable();
    server.calm();
    time.runUntil(time.now() + 5 * MINUTE, invariants);
    check(client !== undefined, 'the program did not come back');
    client!.input({ type: 'network', online: true });
    client!.input({ type: 'resume' });
    if (linkState(client!.data).kind === 'needs-you') client!.input({ type: 'reconnect' });
    asked += 1;
    const last = client!.send(`Say #${asked}# the end`);
    time.runUntil(time.now() + RECOVERY_MS / 2, invariants);
    // A planned rotation may be under way just now; it is over in no time.
    for (let n = 0; n < 20 && linkState(client!.data).kind === 'rotating'; n += 1) {
      time.runUntil(time.now() + SECOND, invariants);
    }
    // What a new connection was told needs its time on the way.
    time.runUntil(time.now() + 5 * SECOND, invariants);
    const state = linkState(client!.data);
    check(
      client!.data.outbox.length === 0,
      `at the end ${client!.data.outbox.length} turns wait, in state ${state.kind}`,
    );
    finalChecks(last);
    connections = client!.data.epoch;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  const all = turns();
  return {
    seed,
    violation,
    turns: accepted.size,
    connections,
    crashes,
    cut: all.filter(({ status }) => status === 'interrupted').length,
    putAside: failures.size,
    misheard,
    events: time.events,
  };

  function finalChecks(last: string): void {
    const all = turns();
    const byId = new Map(all.map((turn) => [turn.id, turn]));
    const numberOf = (turn: Turn | undefined) => (turn === undefined ? undefined : tokenOf(textOf(turn))[0]);
    for (const turnId of accepted.keys()) {
      const turn = byId.get(turnId);
      check(turn !== undefined, `the accepted turn ${turnId} is gone`);
      const { status } = turn!;
      check(
        status === 'answered' ||
          (status === 'stopped' && stopped.has(turnId)) ||
          (status === 'failed' && failures.has(turnId)),
        `the accepted turn ${turnId} (#${numberOf(turn)}#) ended as ${status}`,
      );
    }
    for (const turn of all) {
      if (turn.role !== 'model' || turn.replyTo === undefined) continue;
      const question = numberOf(byId.get(turn.replyTo));
      check(turn.status !== 'streaming', `the answer ${turn.id} never ended`);
      if (turn.status !== 'complete' || turn.continues !== undefined) continue;
      if (textOf(turn).trim() === GREETING) {
        // A greeting that came just where the answer was due, on a connection that then broke before the answer: nothing
        // on the wire tells the two apart. Counted, and shown to the user as what it is.
        misheard += 1;
        continue;
      }
      check(numberOf(turn) === question, `the question #${question}# was given the answer to #${numberOf(turn)}#`);
    }
    const complete = all.filter(
      ({ role, status, continues }) => role === 'model' && status === 'complete' && continues === undefined,
    );
    const answeredTwice = new Set<string>();
    for (const { replyTo } of complete) {
      if (replyTo === undefined) continue;
      check(!answeredTwice.has(replyTo), `the question ${replyTo} has two whole answers`);
      answeredTwice.add(replyTo);
    }
    check(byId.get(last)?.status === 'answered', 'the last question was not answered');
    const { connection } = client!.data;
    check(
      ['live', 'rotating'].includes(linkState(client!.data).kind) || connection === undefined,
      `not live at the end: ${linkState(client!.data).kind}`,
    );
    const known = new Set([...server.userWords(server.current ?? ''), server.instruction].flatMap(tokenOf));
    const recent = all
      .filter(({ role, status }) => role === 'user' && status === 'answered')
      .slice(-KNOWN_AT_END)
      .map((turn) => numberOf(turn)!);
    const forgotten = recent.filter((number) => !known.has(number));
    check(
      forgotten.length === 0,
      `at the end the server does not know ${forgotten.map((number) => `#${number}#`).join(' ')}`,
    );
  }
}
