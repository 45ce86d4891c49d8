import { applyDelta } from '../../src/contract/index.ts';
import type { CoreEvent, LinkState, Turn } from '../../src/contract/index.ts';
import type { ClientFrame } from '../../src/live/frames.ts';
import { createLink, defaultLinkConfig } from '../../src/live/index.ts';
import type { Dial, Link, LinkFact } from '../../src/live/index.ts';
import { createSessions, openLiveSessions, reconcile } from '../../src/sessions/index.ts';
import type { Sessions } from '../../src/sessions/index.ts';
import { virtualArchive, virtualFile, virtualJournals } from './disk.ts';
import type { Machine, VirtualDisk } from './disk.ts';
import { between } from './events.ts';
import type { Random, VirtualTime } from './events.ts';
import type { VirtualServer, VirtualSocket } from './server.ts';

export const SESSION = 's';
const ALL = 1_000_000;

/** One run of the program on a disk, from its start to its crash or its end: everything but real sockets and files. */
export interface Program {
  readonly sessions: Sessions;
  /** There once the conversation is in use. */
  readonly link: Link | undefined;
  /** What a client is told: the conversation as events have it, and the state of its link. */
  readonly shown: ReadonlyMap<string, Turn>;
  readonly state: LinkState | undefined;
  /** Times of this run's dials. */
  readonly dials: readonly number[];
  /** The newest socket. */
  readonly socket: VirtualSocket | undefined;
  readonly started: boolean;
  /** All turns, as a client that asks for them gets them. */
  turns(): Promise<readonly Turn[]>;
  /** The network came or went. */
  network(online: boolean): void;
  /** Ends in good order. */
  end(): Promise<void>;
  /** The process is killed: what is on disk remains. */
  crash(): void;
}

export interface ProgramOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly server: VirtualServer;
  readonly model: string;
  /** Ids that are new and the same in each replay. */
  readonly newId: () => string;
  readonly trace: (line: () => string) => void;
  readonly event: (event: CoreEvent) => void;
  /** What the link tells, before the conversation hears it. */
  readonly fact: (fact: LinkFact) => void;
  /** A frame goes out. */
  readonly sent: (frame: ClientFrame) => void;
  /** Something was done that may never be done. */
  readonly broken: (what: string) => void;
}

/** Starts the core's own sessions, links and stores in virtual time. */
export function startProgram(disk: VirtualDisk, options: ProgramOptions): Program {
  const { time, random, server, model, trace, broken } = options;
  let alive = true;
  let started = false;
  let online = true;
  let link: Link | undefined;
  let state: LinkState | undefined;
  const shown = new Map<string, Turn>();
  const dials: number[] = [];
  const sockets: { readonly socket: VirtualSocket; hungUpAt: number }[] = [];

  const machine: Machine = {
    alive: () => alive,
    now: time.now,
    after: (ms, run) => void time.after(ms, () => alive && run()),
    random,
  };
  const clock = {
    now: time.now,
    after: (ms: number, run: () => void) => time.after(ms, () => alive && run()),
  };

  const dial: Dial = (_url, listener) => {
    dials.push(time.now());
    for (const { socket, hungUpAt } of sockets) {
      if (!socket.ended && time.now() - hungUpAt < defaultLinkConfig.leaveGrace) {
        broken('dialled before the old connection was down');
      }
    }
    const down: (() => void)[] = [];
    const socket = server.dial({
      opened: () => alive && listener.opened(),
      frame: (text) => alive && listener.frame(text),
      ended(end) {
        for (const resolve of down.splice(0)) resolve();
        if (alive) listener.ended(end);
      },
    });
    const one = { socket, hungUpAt: Number.POSITIVE_INFINITY };
    sockets.push(one);
    return {
      send(frame) {
        options.sent(frame);
        if (!socket.ended) socket.send(frame);
        return !socket.ended;
      },
      close() {
        if (socket.ended) return Promise.resolve();
        one.hungUpAt = time.now();
        const closed = new Promise<void>((resolve) => down.push(resolve));
        socket.close();
        return closed;
      },
    };
  };

  function told(event: CoreEvent): void {
    if (event.type === 'turn.changed') shown.set(event.turn.id, event.turn);
    else if (event.type === 'link.changed') state = event.link;
    else if (event.type === 'session.changed') state = event.session.link;
    else if (event.type === 'turn.delta') {
      const turn = shown.get(event.delta.turnId);
      const outcome = turn && applyDelta(turn, event.delta);
      if (outcome?.kind === 'applied') shown.set(outcome.turn.id, outcome.turn);
      else if (outcome?.kind !== 'known') broken(`a delta does not fit: ${JSON.stringify(event.delta)}`);
    }
    options.event(event);
  }

  const archive = virtualArchive(disk, machine);
  const journals = virtualJournals(disk, machine);
  const liveSessions = openLiveSessions({
    file: virtualFile(disk),
    clock,
    timeoutMs: () => 30 * 60_000,
    seal: undefined,
    on: (event, id) => trace(() => `live session ${id}: ${event}`),
    foreign: () => broken('the live state is not ours'),
    persistFailed: (error) => disk.full || broken(`the live state was not written: ${String(error)}`),
  });
  const notify = ({ code, message }: { readonly code: string; readonly message: string }) => {
    if (code !== 'disk_full') broken(`told of trouble that was not there: ${code}: ${message}`);
  };
  const report = (what: string, facts: object) => {
    trace(() => `${what} ${JSON.stringify(facts)}`);
    if (what === 'A connection could not be prepared') broken(`${what}: ${JSON.stringify(facts)}`);
  };
  const sessions = createSessions({
    journals,
    archive,
    liveSessions,
    clock,
    random,
    dial,
    newId: options.newId,
    online: () => online,
    async endpoint() {
      await new Promise<void>((resolve) => machine.after(between(random, 0, 2), resolve));
      return { url: 'wss://virtual.test/?key=none', provider: 'gemini', model };
    },
    publish: (event) => alive && told(event),
    notify,
    report,
    createLink(ports, start) {
      // What is shown of it comes with the session's next event.
      state = undefined;
      link = createLink(
        {
          ...ports,
          emit(fact, endpoint) {
            trace(() => `${link?.state.kind ?? '-'}: ${JSON.stringify(fact).slice(0, 200)}`);
            options.fact(fact);
            ports.emit(fact, endpoint);
          },
        },
        start,
      );
      return link;
    },
  });

  async function turns(): Promise<readonly Turn[]> {
    const page = await sessions.page(SESSION, undefined, ALL);
    if (!page.ok) broken(`the conversation cannot be read: ${page.problem.message}`);
    return page.ok ? page.value.turns : [];
  }

  async function start(): Promise<void> {
    await reconcile({ journals, archive, notify, report });
    await sessions.resumeUnfinished();
    const created = await sessions.create(SESSION, 'x');
    if (!created.ok) throw Object.assign(new Error(created.problem.message), { code: 'ENOSPC' });
    for (const turn of await turns()) if ((shown.get(turn.id)?.rev ?? 0) <= turn.rev) shown.set(turn.id, turn);
    started = true;
  }
  /** On a full disk it does not start, says so, and is started again. */
  function begin(): void {
    start().catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') machine.after(5_000, begin);
      else broken(`the start failed: ${String(error)}`);
    });
  }
  begin();

  return {
    sessions,
    get link() {
      return link;
    },
    shown,
    get state() {
      return state;
    },
    dials,
    get socket() {
      return sockets.at(-1)?.socket;
    },
    get started() {
      return started;
    },
    turns,
    network(now) {
      online = now;
      sessions.network(now);
    },
    async end() {
      await sessions.end();
      liveSessions.close();
      alive = false;
    },
    crash() {
      alive = false;
      for (const { socket } of sockets) if (!socket.ended) socket.close();
      trace(() => `crash, in state ${state?.kind ?? '-'}`);
    },
  };
}
