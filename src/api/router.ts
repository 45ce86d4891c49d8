import { implement, ORPCError } from '@orpc/server';
import { contract } from '../contract/index.ts';
import type { Notice, Problem, Result } from '../contract/index.ts';
import type { Sessions } from '../sessions/index.ts';
import type { SettingsStore } from '../settings/index.ts';
import type { Transfer } from '../transfer/index.ts';
import type { EventLog } from './event-log.ts';

export interface RouterPorts {
  readonly sessions: Sessions;
  readonly transfer: Transfer;
  readonly settings: SettingsStore;
  readonly events: EventLog;
  readonly notices: () => readonly Notice[];
  /** A client has heard that the network came or went. */
  readonly network: (online: boolean) => void;
  readonly info: {
    readonly version: string;
    readonly host: 'desktop' | 'browser';
    readonly platform: string;
    readonly dataDir: string;
    readonly startedAt: number;
  };
}

/** The contract, carried out by the core's capabilities. */
export function createRouter({ sessions, transfer, settings, events, notices, network, info }: RouterPorts) {
  const os = implement(contract);
  return os.router({
    sessions: {
      list: os.sessions.list.handler(async ({ input }) => unwrap(await sessions.list(input))),
      create: os.sessions.create.handler(async ({ input }) =>
        unwrap(await sessions.create(input.sessionId, input.title)),
      ),
      get: os.sessions.get.handler(async ({ input }) => unwrap(await sessions.get(input.sessionId))),
      open: os.sessions.open.handler(async ({ input }) => unwrap(await sessions.open(input.sessionId))),
      rename: os.sessions.rename.handler(async ({ input }) =>
        unwrap(await sessions.rename(input.sessionId, input.title)),
      ),
      close: os.sessions.close.handler(async ({ input }) => unwrap(await sessions.close(input.sessionId))),
      delete: os.sessions.delete.handler(async ({ input }) => unwrap(await sessions.delete(input.sessionId))),
    },
    turns: {
      send: os.turns.send.handler(async ({ input }) =>
        unwrap(await sessions.send(input.sessionId, input.turnId, input.text)),
      ),
      stop: os.turns.stop.handler(async ({ input }) => unwrap(await sessions.stop(input.sessionId))),
      regenerate: os.turns.regenerate.handler(async ({ input }) =>
        unwrap(await sessions.regenerate(input.sessionId, input.turnId)),
      ),
    },
    history: {
      page: os.history.page.handler(async ({ input }) =>
        unwrap(await sessions.page(input.sessionId, input.before, input.limit)),
      ),
    },
    links: {
      reconnect: os.links.reconnect.handler(async ({ input }) => unwrap(await sessions.reconnect(input.sessionId))),
      pause: os.links.pause.handler(async ({ input }) => unwrap(await sessions.pause(input.sessionId))),
      resume: os.links.resume.handler(async ({ input }) => unwrap(await sessions.resume(input.sessionId))),
      startFresh: os.links.startFresh.handler(async ({ input }) => unwrap(await sessions.startFresh(input.sessionId))),
      health: os.links.health.handler(async ({ input }) => unwrap(await sessions.health(input.sessionId))),
      network: os.links.network.handler(({ input }) => {
        network(input.online);
        return {};
      }),
    },
    exchange: {
      export: os.exchange.export.handler(({ input, signal }) => unwrapStream(transfer.exports.stream(input, signal))),
      exportAck: os.exchange.exportAck.handler(({ input }) => {
        transfer.exports.ack(input.streamId, input.chunks);
        return {};
      }),
      import: os.exchange.import.handler(({ input, signal }) => unwrapStream(transfer.imports.stream(input, signal))),
      importChunk: os.exchange.importChunk.handler(async ({ input }) =>
        unwrap(await transfer.imports.chunk(input.importId, input.file, input.offset, input.bytes)),
      ),
    },
    settings: {
      get: os.settings.get.handler(() => settings.view()),
      update: os.settings.update.handler(async ({ input }) => unwrap(await settings.update(input))),
      setApiKey: os.settings.setApiKey.handler(async ({ input }) => unwrap(await settings.setApiKey(input.key))),
    },
    events: {
      stream: os.events.stream.handler(({ input, lastEventId, signal }) =>
        events.follow(input.streamId, lastEventId, signal),
      ),
      ack: os.events.ack.handler(({ input }) => {
        events.ack(input.streamId, input.eventId);
        return {};
      }),
    },
    system: {
      info: os.system.info.handler(() => ({ ...info, notices: [...notices()] })),
      ping: os.system.ping.handler(() => ({ at: Date.now() })),
    },
  });
}
export type CoreRouter = ReturnType<typeof createRouter>;

/** A value, or the contract's one typed error. */
function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw problemError(result.problem);
}

/** The items of a stream, and at its end the problem that it ended with, if any. */
async function* unwrapStream<T>(stream: AsyncGenerator<T, Problem | undefined>): AsyncGenerator<T, undefined> {
  const problem = yield* stream;
  if (problem !== undefined) throw problemError(problem);
  return undefined;
}

function problemError(problem: Problem) {
  return new ORPCError('PROBLEM', { defined: true, status: 422, message: problem.message, data: problem });
}
