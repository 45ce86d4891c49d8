import { textOf } from '../../src/contract/index.ts';
import type { CoreEvent, Turn } from '../../src/contract/index.ts';
import type { ClientFrame } from '../../src/live/frames.ts';
import { emptyDisk } from './disk.ts';
import { between, exponential, oneOf, randomFrom, virtualTime } from './events.ts';
import { GREETING, troubles } from './faults.ts';
import { SESSION, startProgram } from './program.ts';
import type { Program, ProgramOptions } from './program.ts';
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
/** A state that announces when it ends, or is bound to end soon, may last this much longer. */
const STATE_GRACE_MS = 40 * SECOND;
/** Whenever a turn has changed, the program dies right after it this often. */
const CRASH_SHARE = 0.004;
/** The disk is full in the middle of an answer this often. */
const FULL_SHARE = 0.01;
/** From the user's wish to the end of the answer that is stopped; longer than a moment only where the disk is full. */
const STOP_TAKES_MAX_MS = MINUTE;
/** As long as the handle of the last answer is waited for. */
const HELD_MAX_MS = 4 * SECOND;
/** As long as a state may last that is on its way to another: a setup and the closing of the old connection. */
const CONNECTING_MAX_MS = 20 * SECOND;

/** The words by which a frame asks something, and not those that it tells as what was said before. */
function askedIn(frame: ClientFrame): string | undefined {
  if ('realtimeInput' in frame) return frame.realtimeInput?.text;
  if (!('clientContent' in frame) || frame.clientContent?.turnComplete !== true) return undefined;
  const turns = frame.clientContent.turns as { role?: string; parts?: { text?: string }[] }[] | undefined;
  return turns?.length === 1 && turns[0]!.role === 'user' ? turns[0]!.parts?.[0]?.text : undefined;
}

/**
 * One schedule: a person, a link, a server and a network for so many virtual hours, all from one seed. Ends at the first
 * broken invariant.
 */
export async function runSchedule({ seed, hours, trace }: ScheduleOptions): Promise<Outcome> {
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

  const accepted = new Set<string>();
  const numbers = new Map<number, string>();
  const stopped = new Set<string>();
  let stopAskedAt = Number.NEGATIVE_INFINITY;
  const disk = emptyDisk();
  let ids = 0;
  let asked = 0;
  let crashes = 0;
  let connections = 0;
  let quiet = false;
  let misheard = 0;
  /** Found where throwing would end up in the program under test. */
  let broken: string | undefined;
  const options: ProgramOptions = {
    time,
    random,
    server,
    model,
    newId: () => `n${(ids += 1)}`,
    trace: say,
    event: watch,
    sent,
    fact(fact) {
      // Whatever is in hand when the wish arrives is what is stopped.
      const asked = time.now() - stopAskedAt <= STOP_TAKES_MAX_MS;
      if (asked && fact.type === 'answered' && fact.turnId !== undefined) stopped.add(fact.turnId);
    },
    broken: (what) => (broken ??= what),
  };
  let program: Program | undefined = startProgram(disk, options);
  /** Since when the state that is shown has been the same, and until when that may be so. */
  let stateBy = Number.POSITIVE_INFINITY;
  /** Since when a question waits for nothing but a rotation. */
  let heldSince = START;

  function check(condition: boolean, what: string): asserts condition {
    if (!condition) throw new Violation(`${((time.now() - START) / SECOND).toFixed(3)} s: ${what}`);
  }

  /** What a client is told must be bound to come true. */
  function watch(event: CoreEvent): void {
    if (event.type === 'link.changed') {
      const { link } = event;
      say(() => `shown: ${JSON.stringify(link)}`);
      const until =
        link.kind === 'waiting' || link.kind === 'rotating'
          ? Math.max(link.until, time.now())
          : link.kind === 'connecting' || link.kind === 'restoring'
            ? time.now() + CONNECTING_MAX_MS
            : Number.POSITIVE_INFINITY;
      stateBy = until + STATE_GRACE_MS;
    } else if (event.type === 'turn.changed') {
      const { turn } = event;
      if (!quiet && random() < CRASH_SHARE) time.after(between(random, 0, 20), crash);
      if (!quiet && turn.status === 'streaming' && random() < FULL_SHARE) fillDisk(5 * SECOND);
      say(() => `turn: ${turn.id} ${turn.role} ${turn.status} ${JSON.stringify(textOf(turn).slice(0, 60))}`);
    }
  }

  /** What must hold at every moment. */
  function invariants(): void {
    if (broken !== undefined) check(false, broken);
    if (program === undefined) return;
    const { link, dials, socket, state } = program;
    const recent = dials.filter((at) => time.now() - at < DIAL_WINDOW).length;
    check(recent <= DIALS_MAX, `${recent} dials within ten minutes`);
    if (link === undefined || state === undefined) return;
    const ready = link.data.connection?.stage === 'ready';
    check(state.kind === link.state.kind, `shown as ${state.kind}, and it is ${link.state.kind}`);
    check(state.kind !== 'live' || (ready && socket?.ended === false), 'shown as live without a connection');
    check(
      state.kind === 'live' || state.kind === 'rotating' || !ready,
      `shown as ${state.kind} with a live connection`,
    );
    const { outbox, connection } = link.data;
    const held =
      state.kind === 'rotating' &&
      connection?.stage === 'ready' &&
      outbox.length > 0 &&
      outbox.every(({ stage }) => stage === 'waiting');
    if (!held) heldSince = time.now();
    check(time.now() - heldSince <= HELD_MAX_MS, 'a question waits for a rotation');
    check(time.now() <= stateBy, `shown as ${state.kind} for longer than that can be`);
    check(
      state.kind !== 'idle' || link.data.outbox.length === 0 || link.data.connection !== undefined,
      'a turn waits, and nothing is done',
    );
  }

  /** Nothing is asked anew that was answered in part. */
  function sent(frame: ClientFrame): void {
    const question = askedIn(frame);
    const [number] = question === undefined || !isQuestion(question) ? [] : tokenOf(question);
    const turnId = number === undefined ? undefined : numbers.get(number);
    if (turnId === undefined) return;
    for (const { replyTo, status, parts } of program?.shown.values() ?? []) {
      if (replyTo !== turnId || status !== 'interrupted' || textOf({ parts }).trim() === '') continue;
      options.broken(`asked #${number}# anew though its answer had begun`);
    }
  }

  /** What the server has been told must be in order and told once, and it must know the answer that it is to go on with. */
  server.onClientFrame = (sessionId, frame) => {
    const asked = askedIn(frame);
    const [, quoted] = /It ended with: “(.+)”/.exec(asked ?? '') ?? [];
    // A server that had hung up by then has not heard it.
    const heard = sessionId !== undefined && server.userWords(sessionId).at(-1) === asked;
    if (heard && quoted !== undefined) {
      const known = `${server.modelWords(sessionId).join('')} ${server.instruction}`;
      check(known.includes(quoted), `asked to go on with what the server does not know: ${quoted}`);
    }
    if (sessionId === undefined || !('clientContent' in frame)) return;
    const told = server.userWords(sessionId).filter(isQuestion).flatMap(tokenOf);
    for (let at = 1; at < told.length; at += 1) {
      check(
        told[at]! > told[at - 1]!,
        `the server was told ${told[at]} after ${told[at - 1]}: ${told.slice(-8).join(' ')}`,
      );
    }
  };

  function send(words: string): string | undefined {
    if (program?.started !== true) return undefined;
    const by = program;
    asked += 1;
    const number = asked;
    const turnId = options.newId();
    numbers.set(number, turnId);
    say(() => `user: ${turnId} is #${number}#`);
    void by.sessions.send(SESSION, turnId, `Say #${number}# ${words}`).then((sent) => {
      // A turn is on disk: from here on it may not be lost.
      if (sent.ok) accepted.add(turnId);
      else if (!['host_unreachable', 'disk_full'].includes(sent.problem.code)) {
        options.broken(`not accepted: ${sent.problem.message}`);
      }
    });
    return turnId;
  }

  function person(): void {
    if (quiet) return;
    const bursts = random() < 0.15 ? 1 + Math.floor(random() * 4) : 1;
    for (let n = 0; n < bursts; n += 1) {
      // Some write the next line while the last is still on its way to the disk.
      const gap = random() < 0.5 ? 15 : 3 * SECOND;
      time.after(n * between(random, 0, gap), () => {
        if (!quiet) send(Array.from({ length: 2 + Math.floor(random() * 12) }, (_, at) => `w${at}`).join(' '));
      });
    }
    time.after(exponential(random, oneOf(random, [20 * SECOND, 3 * MINUTE, 25 * MINUTE])), person);
  }

  function whim(): void {
    if (quiet) return;
    const dice = random();
    if (program?.started === true) {
      const { sessions, link } = program;
      if (dice < 0.25) {
        stopAskedAt = time.now();
        void sessions.stop(SESSION);
      } else if (dice < 0.35) {
        void sessions.pause(SESSION);
        time.after(exponential(random, 3 * MINUTE), () => void program?.sessions.resume(SESSION));
      } else if (dice < 0.5) void sessions.reconnect(SESSION);
      else if (dice < 0.55) void sessions.startFresh(SESSION);
      else if (dice < 0.65) sessions.wake();
      else if (dice < 0.75) sessions.refreshLinks();
      else if (dice < 0.85) {
        program.network(false);
        time.after(exponential(random, 2 * MINUTE), () => program?.network(true));
      } else if (dice < 0.89) crash();
      else if (dice < 0.92) quit();
      else if (dice < 0.95) {
        // The tab is closed, and something is written in the same moment or a while later.
        void sessions.close(SESSION);
        if (random() < 0.5) send('after the end');
        time.after(exponential(random, MINUTE), () => void program?.sessions.open(SESSION));
      } else link?.sendAudio('AAAA'.repeat(160));
    }
    time.after(exponential(random, 20 * MINUTE), whim);
  }

  function fillDisk(meanMs: number): void {
    disk.full = true;
    time.after(exponential(random, meanMs), () => (disk.full = false));
  }

  function crash(): void {
    if (program === undefined) return;
    program.crash();
    crashes += 1;
    restartLater();
  }

  function quit(): void {
    const ending = program;
    void ending?.end().then(() => restartLater());
  }

  function restartLater(): void {
    connections = Math.max(connections, program?.link?.data.epoch ?? 0);
    program = undefined;
    time.after(exponential(random, 30 * SECOND), () => {
      stateBy = Number.POSITIVE_INFINITY;
      program = startProgram(disk, options);
    });
  }

  /** Whoever looks at the screen presses the button that it shows. */
  function pressWhatIsShown(): void {
    if (program?.state?.kind === 'needs-you') void program.sessions.reconnect(SESSION);
  }

  function weather(): void {
    if (quiet) return;
    const dice = random();
    if (dice < 0.6) server.setScript(troubles(random));
    else if (dice < 0.8) {
      server.outage(random() < 0.5 ? 'drop' : 'blackhole');
      time.after(exponential(random, 4 * MINUTE), () => server.reachable());
    } else if (dice < 0.9) server.dropAll();
    else if (dice < 0.95) {
      fillDisk(20 * SECOND);
    } else server.setScript({});
    time.after(exponential(random, 5 * MINUTE), pressWhatIsShown);
    time.after(exponential(random, 15 * MINUTE), weather);
  }

  let violation: string | undefined;
  try {
    time.after(SECOND, person);
    time.after(exponential(random, 10 * MINUTE), whim);
    time.after(exponential(random, 5 * MINUTE), weather);
    await time.runUntil(START + hours * HOUR, invariants);

    // All trouble ends, and what a person would press is pressed: from here on it has to come right by itself.
    quiet = true;
    disk.full = false;
    server.setScript({});
    server.reachable();
    server.calm();
    await time.runUntil(time.now() + 5 * MINUTE, invariants);
    check(program?.started === true, 'the program did not come back');
    program.network(true);
    void program.sessions.resume(SESSION);
    await time.runUntil(time.now() + SECOND, invariants);
    pressWhatIsShown();
    const last = send('the end');
    await time.runUntil(time.now() + RECOVERY_MS / 2, invariants);
    // A planned rotation may be under way just now, and what a new connection was told needs its time on the way.
    for (let n = 0, still = 0; n < 60 && still < 6; n += 1) {
      await time.runUntil(time.now() + SECOND, invariants);
      still = program.state?.kind === 'rotating' ? 0 : still + 1;
    }
    const waiting = program.link?.data.outbox.length ?? 0;
    check(waiting === 0, `at the end ${waiting} turns wait, in state ${program.state?.kind}`);
    await finalChecks(program, last);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  const all = [...(program?.shown.values() ?? [])];
  return {
    seed,
    violation,
    turns: accepted.size,
    connections: Math.max(connections, program?.link?.data.epoch ?? 0),
    crashes,
    cut: all.filter(({ status }) => status === 'interrupted').length,
    putAside: all.filter(({ role, status }) => role === 'user' && status === 'failed').length,
    misheard,
    events: time.events,
  };

  async function finalChecks({ turns, shown, link, state }: Program, last: string | undefined): Promise<void> {
    let read: readonly Turn[] | undefined;
    void turns().then((found) => (read = found));
    await time.runUntil(time.now() + SECOND, invariants);
    check(read !== undefined, 'the conversation cannot be read');
    const all = read;
    const byId = new Map(all.map((turn) => [turn.id, turn]));
    for (const [id, turn] of shown) {
      const kept = byId.get(id);
      check(
        kept !== undefined && kept.status === turn.status && textOf(kept) === textOf(turn),
        `the turn ${id} is shown as ${turn.status} and kept as ${kept?.status}`,
      );
    }
    const numberOf = (turn: Turn | undefined) => (turn === undefined ? undefined : tokenOf(textOf(turn))[0]);
    const answersTo = (turnId: string) => all.filter(({ replyTo }) => replyTo === turnId);
    for (const turnId of accepted) {
      const turn = byId.get(turnId);
      check(turn !== undefined, `the accepted turn ${turnId} is gone`);
      const { status } = turn;
      check(
        status === 'answered' || status === 'failed' || (status === 'stopped' && stopped.has(turnId)),
        `the accepted turn ${turnId} (#${numberOf(turn)}#) ended as ${status}`,
      );
      check(
        status !== 'answered' ||
          stopped.has(turnId) ||
          answersTo(turnId).some((answer) => answer.status === 'complete' || answer.status === 'interrupted'),
        `the turn ${turnId} (#${numberOf(turn)}#) is shown as answered, and nothing answers it`,
      );
    }
    /** Questions whose answers are still to come, since a greeting stands in the place of the first of them. */
    const owed = new Set<number>();
    for (const turn of all) {
      if (turn.role !== 'model' || turn.replyTo === undefined) continue;
      const question = numberOf(byId.get(turn.replyTo));
      check(turn.status !== 'streaming', `the answer ${turn.id} never ended`);
      if (turn.status !== 'complete') continue;
      const greeted = textOf(turn).trim() === GREETING;
      if (turn.continues !== undefined && !greeted) continue;
      // A greeting that came just where the answer was due, on a connection that then broke before the answer or kept it
      // back for long: nothing on the wire tells the two apart, and the answers that come late are taken for those of the
      // next questions. Counted, and shown to the user as what it is.
      const number = numberOf(turn);
      const late = number === undefined ? owed.size > 0 : number !== question && owed.delete(number);
      if (greeted || late) {
        misheard += 1;
        owed.add(question!);
        continue;
      }
      check(number === question, `the question #${question}# was given the answer to #${number}#`);
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
    check(last !== undefined && byId.get(last)?.status === 'answered', 'the last question was not answered');
    check(
      state?.kind === 'live' || state?.kind === 'rotating' || link?.data.connection === undefined,
      `not live at the end: ${state?.kind}`,
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
