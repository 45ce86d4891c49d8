import type { Context } from '@orpc/server';
import { RPCHandler as PortHandler } from '@orpc/server/message-port';
import { RPCHandler as WebSocketHandler } from '@orpc/server/ws';
import type { StandardRPCHandlerOptions } from '@orpc/server/standard';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { bytesSerializer, MESSAGE_MAX } from '../contract/index.ts';
import type { Logger } from '../log.ts';

/** Any oRPC router: transports do not care what is behind them. */
type AnyRouter = ConstructorParameters<typeof PortHandler>[0];

const CLOSE_UNREADABLE = 1007;

function handlerOptions(log: Logger): StandardRPCHandlerOptions<Context> {
  return {
    customJsonSerializers: [bytesSerializer],
    clientInterceptors: [
      async ({ next, path }) => {
        try {
          return await next();
        } catch (error) {
          const { code, message, stack } = error as { code?: unknown; message?: unknown; stack?: unknown };
          const call = path.join('.');
          // Problems are answers, not faults; everything else is worth a line.
          if (code === 'BAD_REQUEST') log.warn({ call, message }, 'A call was refused');
          else if (code !== 'PROBLEM') log.error({ call, code, message, stack }, 'A call failed');
          throw error;
        }
      },
    ],
  };
}

/**
 * The messages that a client of ours sends, in the peer protocol's own letters: a call (no type), an item of a stream (3)
 * or an abort (4). Anything else must not reach the peer, because it would throw where nobody can catch it.
 */
const clientMessageSchema = z.union([
  z.object({
    i: z.string().max(64),
    t: z.literal(1).optional(),
    p: z.object({
      u: z.string().refine((url) => url.startsWith('/') && URL.canParse(url, 'http://orpc')),
      h: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
      m: z.string().optional(),
      b: z.unknown(),
    }),
  }),
  z.object({ i: z.string().max(64), t: z.literal(3), p: z.looseObject({ e: z.enum(['message', 'error', 'done']) }) }),
  z.object({ i: z.string().max(64), t: z.literal(4) }),
]);

function isReadable(message: unknown): message is string {
  if (typeof message !== 'string' || message.length > MESSAGE_MAX) return false;
  try {
    return clientMessageSchema.safeParse(JSON.parse(message)).success;
  } catch {
    return false;
  }
}

/**
 * What of a port is used. Electron's `MessagePortMain` (an emitter), Node's and the browser's `MessagePort` (event
 * targets) all fit; their ways of listening have no type in common.
 */
export interface ServerPort {
  postMessage(message: string): void;
  readonly on?: unknown;
  readonly addEventListener?: unknown;
  start?(): void;
  close(): void;
}

type Listen = (event: string, listener: (event: { data?: unknown } | undefined) => void) => void;

/** Serves the contract over a port until the port closes. Starts the port. */
export function serveOverPort(router: AnyRouter, port: ServerPort, log: Logger): void {
  const handler = new PortHandler(router, handlerOptions(log));
  const listen = ((port.addEventListener ?? port.on) as Listen).bind(port);
  // The handler reads messages without a guard of its own: one that cannot be read would be an unhandled rejection.
  const guarded = {
    postMessage: (message: string) => port.postMessage(message),
    addEventListener(event: string, listener: Parameters<Listen>[1]) {
      listen(event, (message) => {
        if (event !== 'message') listener(message);
        else if (isReadable(message?.data)) listener({ data: message.data });
        else log.warn({ type: typeof message?.data }, 'A message on the port could not be read');
      });
    },
  };
  handler.upgrade(guarded as unknown as MessagePort, { context: {} });
  port.start?.();
}

/** Serves the contract over an accepted WebSocket until it closes. A message that cannot be read ends it with 1007. */
export function serveOverWebSocket(router: AnyRouter, socket: WebSocket, log: Logger): void {
  const handler = new WebSocketHandler(router, handlerOptions(log));
  const guarded = {
    send: (message: string) =>
      new Promise<void>((resolve) => {
        // Waiting for the write keeps what is buffered for a slow page bounded; a closed socket ends its streams itself.
        socket.send(message, () => resolve());
      }),
    addEventListener(event: string, listener: (event: { data?: unknown }) => void) {
      if (event !== 'message') return socket.addEventListener(event as 'close', listener as never);
      socket.on('message', (data, isBinary) => {
        const text = isBinary ? undefined : data.toString();
        if (isReadable(text)) return listener({ data: text });
        log.warn({ isBinary }, 'A message on the contract’s WebSocket could not be read');
        socket.close(CLOSE_UNREADABLE, 'Holdfast could not read this message');
      });
    },
  };
  socket.on('error', (error) => log.warn({ message: error.message }, 'The contract’s WebSocket failed'));
  void handler.upgrade(guarded as unknown as WebSocket, { context: {} });
}
