import { implement, withEventMeta } from '@orpc/server';
import { RPCHandler } from '@orpc/server/message-port';
import {
  applyDelta,
  bytesSerializer,
  connectOverPort,
  contract,
  defaultSettings,
  randomId,
} from '../../src/contract/index.ts';
import type {
  ConnectionStatus,
  CoreClient,
  CoreConnection,
  CoreEvent,
  ImportEvent,
  LinkHealth,
  LinkState,
  Part,
  Problem,
  Session,
  SettingsView,
  Turn,
} from '../../src/contract/index.ts';

/** A core of a few lines behind the real contract and a real port, which does what a test tells it. */
export interface FakeCore {
  readonly connection: CoreConnection;
  readonly sessions: Map<string, Session>;
  readonly turns: Map<string, Turn[]>;
  /** Calls by procedure, newest last. */
  readonly calls: { readonly name: string; readonly input: unknown }[];
  emit(event: CoreEvent): void;
  /** As after a restart of the core: streams begin again with a reset. */
  reset(): void;
  addSession(session?: Partial<Session>): Session;
  changeSession(id: string, change: Partial<Session>): Session;
  setLink(id: string, link: LinkState): LinkState;
  /** What is told of every link's health. */
  health: LinkHealth;
  /** Adds a turn without telling anyone when `quiet`. */
  addTurn(sessionId: string, turn: Partial<Turn> & Pick<Turn, 'role'>, quiet?: boolean): Turn;
  changeTurn(turn: Turn, change: Partial<Turn>): Turn;
  delta(turn: Turn, text: string, kind?: 'text' | 'thought'): Turn;
  setView(view: Partial<SettingsView>): void;
  /** The next call of this procedure fails with the problem. */
  failNext(name: string, problem: Problem): void;
  /** While down, calls do not reach the core, and the window knows. */
  setStatus(status: ConnectionStatus): void;
  /** How an import ends, once it is let go on. */
  imported: readonly ImportEvent[];
  /** Exports and imports stand still in the middle until this resolves. */
  exchangeHeld: Promise<void>;
  /** How the core answers a user's turn. Default: not at all. */
  onSend: (turn: Turn) => void;
}

export function createFakeCore(): FakeCore {
  const sessions = new Map<string, Session>();
  const turns = new Map<string, Turn[]>();
  const calls: { name: string; input: unknown }[] = [];
  const failures = new Map<string, Problem>();
  const streams = new Set<(event: CoreEvent | 'end') => void>();
  let rev = 0;
  let eventId = 0;
  let view: SettingsView = { settings: defaultSettings, apiKey: { source: 'none' }, fixed: [], provider: 'demo' };
  let status: ConnectionStatus = 'open';
  const listeners = new Set<(status: ConnectionStatus) => void>();

  const os = implement(contract).use(async ({ next, path, errors }, input) => {
    const name = path.join('.');
    if (name !== 'events.ack' && name !== 'events.stream') calls.push({ name, input });
    const problem = failures.get(name);
    if (problem === undefined) return next();
    failures.delete(name);
    throw (errors as { PROBLEM: (o: { data: Problem }) => Error }).PROBLEM({ data: problem });
  });
  const sessionOf = (id: string) => {
    const session = sessions.get(id);
    if (session === undefined) throw new Error(`No session ${id}`);
    return session;
  };

  const core: FakeCore = {
    connection: undefined as unknown as CoreConnection,
    sessions,
    turns,
    calls,
    emit(event) {
      for (const push of streams) push(event);
    },
    reset() {
      core.emit({ type: 'reset' });
    },
    addSession(given = {}) {
      const at = Date.now();
      rev += 1;
      const session: Session = {
        id: randomId(),
        title: 'New session',
        titled: false,
        status: 'open',
        createdAt: at,
        lastActivityAt: at,
        turnCount: 0,
        rev,
        link: { kind: 'idle', since: at },
        ...given,
      };
      sessions.set(session.id, session);
      turns.set(session.id, []);
      core.emit({ type: 'session.changed', session });
      return session;
    },
    changeSession(id, change) {
      rev += 1;
      const session = { ...sessionOf(id), rev, ...change };
      sessions.set(id, session);
      core.emit({ type: 'session.changed', session });
      return session;
    },
    setLink(id, link) {
      sessions.set(id, { ...sessionOf(id), link });
      core.emit({ type: 'link.changed', sessionId: id, link });
      return link;
    },
    addTurn(sessionId, given, quiet = false) {
      const list = turns.get(sessionId) ?? [];
      rev += 1;
      const turn: Turn = {
        id: randomId(),
        sessionId,
        index: list.length + 1,
        parts: [],
        status: given.role === 'user' ? 'answered' : 'complete',
        createdAt: Date.now(),
        rev,
        ...given,
      };
      list.push(turn);
      turns.set(sessionId, list);
      sessions.set(sessionId, { ...sessionOf(sessionId), turnCount: list.length });
      if (!quiet) core.emit({ type: 'turn.changed', turn });
      return turn;
    },
    changeTurn(turn, change) {
      rev += 1;
      const list = turns.get(turn.sessionId) ?? [];
      const now = { ...(list.find((one) => one.id === turn.id) ?? turn), rev, ...change };
      list[now.index - 1] = now;
      core.emit({ type: 'turn.changed', turn: now });
      return now;
    },
    delta(turn, text, kind = 'text') {
      const list = turns.get(turn.sessionId) ?? [];
      const now = list[turn.index - 1] ?? turn;
      const last = now.parts.at(-1);
      const part = last?.type === kind ? now.parts.length - 1 : now.parts.length;
      const offset = last !== undefined && last.type === kind ? last.text.length : 0;
      const delta = { sessionId: turn.sessionId, turnId: turn.id, part, kind, offset, text };
      const outcome = applyDelta(now, delta);
      if (outcome.kind !== 'applied') throw new Error('A delta of the fake core did not join on');
      list[turn.index - 1] = outcome.turn;
      core.emit({ type: 'turn.delta', delta });
      return outcome.turn;
    },
    setView(change) {
      view = { ...view, ...change };
      core.emit({ type: 'settings.changed', view });
    },
    failNext(name, problem) {
      failures.set(name, problem);
    },
    setStatus(next) {
      status = next;
      for (const listener of listeners) listener(next);
    },
    onSend: () => undefined,
    health: { dropsLastHour: 0, connections: [] },
    imported: [{ type: 'done', outcome: { kind: 'nothing-new' } }],
    exchangeHeld: Promise.resolve(),
  };

  const router = os.router({
    sessions: {
      list: os.sessions.list.handler(({ input }) => {
        const all = [...sessions.values()].sort((a, b) => b.lastActivityAt - a.lastActivityAt);
        const found = all.filter((session) => input.status === 'all' || session.status === input.status);
        const from = Number(input.cursor ?? 0);
        const end = from + input.limit;
        return { sessions: found.slice(from, end), ...(end < found.length && { nextCursor: String(end) }) };
      }),
      create: os.sessions.create.handler(({ input }) => {
        const known = input.sessionId === undefined ? undefined : sessions.get(input.sessionId);
        return known ?? core.addSession(input.sessionId === undefined ? {} : { id: input.sessionId });
      }),
      get: os.sessions.get.handler(({ input }) => sessionOf(input.sessionId)),
      open: os.sessions.open.handler(({ input }) => core.changeSession(input.sessionId, { status: 'open' })),
      rename: os.sessions.rename.handler(({ input }) =>
        core.changeSession(input.sessionId, { title: input.title, titled: true }),
      ),
      close: os.sessions.close.handler(({ input }) => core.changeSession(input.sessionId, { status: 'closed' })),
      delete: os.sessions.delete.handler(({ input }) => {
        sessions.delete(input.sessionId);
        core.emit({ type: 'session.deleted', sessionId: input.sessionId });
        return { deleted: true as const };
      }),
    },
    turns: {
      send: os.turns.send.handler(({ input }) => {
        const known = turns.get(input.sessionId)?.find((turn) => turn.id === input.turnId);
        if (known !== undefined) return known;
        const parts: Part[] = [{ type: 'text', text: input.text }];
        const turn = core.addTurn(input.sessionId, { id: input.turnId, role: 'user', parts, status: 'sent' });
        core.onSend(turn);
        return turn;
      }),
      stop: os.turns.stop.handler(({ input, errors }) => {
        const running = turns.get(input.sessionId)?.find((turn) => turn.status === 'streaming');
        if (running !== undefined) return core.changeTurn(running, { status: 'stopped', endedAt: Date.now() });
        throw errors.PROBLEM({ data: { code: 'nothing_to_stop', message: 'Nothing is running.', retry: 'never' } });
      }),
      regenerate: os.turns.regenerate.handler(({ input }) =>
        core.addTurn(input.sessionId, { role: 'model', status: 'streaming', provider: 'demo' }),
      ),
    },
    history: {
      page: os.history.page.handler(({ input }) => {
        const all = turns.get(input.sessionId) ?? [];
        const end = input.before === undefined ? all.length : input.before - 1;
        const from = Math.max(0, end - input.limit);
        return { turns: all.slice(from, end), hasMore: from > 0 };
      }),
    },
    links: {
      reconnect: os.links.reconnect.handler(({ input }) =>
        core.setLink(input.sessionId, { kind: 'connecting', since: Date.now() }),
      ),
      pause: os.links.pause.handler(({ input }) =>
        core.setLink(input.sessionId, { kind: 'paused', since: Date.now(), by: 'user' }),
      ),
      resume: os.links.resume.handler(({ input }) =>
        core.setLink(input.sessionId, { kind: 'connecting', since: Date.now() }),
      ),
      startFresh: os.links.startFresh.handler(({ input }) =>
        core.setLink(input.sessionId, { kind: 'connecting', since: Date.now() }),
      ),
      health: os.links.health.handler(() => core.health),
      network: os.links.network.handler(() => ({})),
    },
    exchange: {
      export: os.exchange.export.handler(async function* ({ input }) {
        const bytes = new TextEncoder().encode(`An export as ${input.format}`);
        const count = input.sessionIds?.length ?? sessions.size;
        yield {
          type: 'file' as const,
          name: `Conversations.${input.format}`,
          mediaType: 'text/plain',
          conversations: count,
        };
        yield { type: 'chunk' as const, bytes, conversations: 0, turns: 0 };
        await core.exchangeHeld;
        yield { type: 'done' as const, conversations: count, turns: count * 2, bytes: bytes.length };
      }),
      exportAck: os.exchange.exportAck.handler(() => ({})),
      import: os.exchange.import.handler(async function* ({ input }) {
        yield { type: 'ready' as const };
        yield {
          type: 'reading' as const,
          file: input.files[0]!.name,
          bytes: { done: 40, total: 100 },
          conversations: 2,
          turns: 10,
        };
        await core.exchangeHeld;
        yield* core.imported;
      }),
      importChunk: os.exchange.importChunk.handler(({ input }) => ({ received: input.offset + input.bytes.length })),
    },
    settings: {
      get: os.settings.get.handler(() => view),
      update: os.settings.update.handler(({ input }) => {
        const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
        core.setView({ settings: { ...view.settings, ...given } });
        return view;
      }),
      setApiKey: os.settings.setApiKey.handler(({ input }) => {
        if (input.key === null) core.setView({ apiKey: { source: 'none' }, provider: 'demo' });
        else core.setView({ apiKey: { source: 'stored', hint: input.key.slice(-4) }, provider: 'gemini' });
        return view;
      }),
    },
    events: {
      stream: os.events.stream.handler(async function* ({ signal }) {
        const waiting: (CoreEvent | 'end')[] = [{ type: 'reset' }];
        let wake = () => {};
        const push = (event: CoreEvent | 'end') => {
          waiting.push(event);
          wake();
        };
        signal?.addEventListener('abort', () => push('end'));
        streams.add(push);
        try {
          for (;;) {
            const event = waiting.shift();
            if (event === 'end') return;
            if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
            else yield withEventMeta({ ...event }, { id: String((eventId += 1)) });
          }
        } finally {
          streams.delete(push);
        }
      }),
      ack: os.events.ack.handler(() => ({})),
    },
    system: {
      info: os.system.info.handler(() => ({
        version: '0.1.0',
        host: 'browser' as const,
        platform: 'linux',
        dataDir: '/home/someone/.local/share/holdfast',
        startedAt: Date.now(),
        notices: [],
      })),
      ping: os.system.ping.handler(() => ({ at: Date.now() })),
    },
  });

  const { port1, port2 } = new MessageChannel();
  new RPCHandler(router, { customJsonSerializers: [bytesSerializer] }).upgrade(port1);
  port1.start();
  const real = connectOverPort(port2);
  const connection: CoreConnection = {
    client: gated(real.client, () => status === 'open'),
    onStatus(listener) {
      listeners.add(listener);
      listener(status);
      return () => {
        listeners.delete(listener);
      };
    },
    close() {
      real.close();
      port1.close();
    },
  };
  return Object.assign(core, { connection });
}

/** The client as it behaves over a socket that is down: every call fails, and not with an answer of the core. */
function gated(client: CoreClient, isOpen: () => boolean): CoreClient {
  const wrap = (target: object): object =>
    new Proxy(target, {
      get: (inner, key) => {
        const value: unknown = Reflect.get(inner, key);
        return typeof value === 'function' || (typeof value === 'object' && value !== null) ? wrap(value) : value;
      },
      apply: (inner, self, args) =>
        isOpen()
          ? Reflect.apply(inner as () => unknown, self, args)
          : Promise.reject(new Error('The connection is down')),
    });
  return wrap(client) as CoreClient;
}
