import { createORPCClient, DynamicLink, getEventMeta, ORPCError } from '@orpc/client';
import type { ClientContext, ClientLink } from '@orpc/client';
import { RPCLink as MessagePortLink } from '@orpc/client/message-port';
import { RPCLink as WebSocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { bytesSerializer } from './bytes.ts';
import type { Contract } from './contract.ts';
import type { CoreEvent } from './events.ts';
import { problemSchema } from './problems.ts';
import type { Problem } from './problems.ts';

/** The longest message that a client sends and a host takes, in UTF-16 code units. Every valid input fits well within. */
export const MESSAGE_MAX = 16_000_000;

const REDIAL_FIRST_MS = 100;
const REDIAL_CAP_MS = 2_000;
/** An acknowledgement goes out after this many events, or this long after the first that waits for one. */
const ACK_EVERY = 64;
const ACK_AFTER_MS = 50;

export type CoreClient = ContractRouterClient<Contract>;
type Link = ClientLink<ClientContext>;

/** A client's tie to its core. `onStatus` calls back at once with the present status and returns its undo. */
export interface CoreConnection {
  readonly client: CoreClient;
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  close(): void;
}
/** `refused`: the host answers but does not let this page in; its address has to be opened again. */
export type ConnectionStatus = 'connecting' | 'open' | 'lost' | 'refused' | 'closed';

const serialisation = { customJsonSerializers: [bytesSerializer] };

/** What of a `MessagePort` is used. The browser's, Node's and Electron's all fit. */
export type PortLike = Pick<
  MessagePort,
  'postMessage' | 'addEventListener' | 'removeEventListener' | 'start' | 'close'
>;

/** Speaks the contract over a port, for as long as the port lives. */
export function connectOverPort(port: PortLike): CoreConnection {
  const status = statusSource('open');
  // The link's type asks for a whole MessagePort; it uses these methods alone.
  const guarded = {
    postMessage: (message: string) => port.postMessage(withinLimit(message)),
    addEventListener: port.addEventListener.bind(port),
    removeEventListener: port.removeEventListener.bind(port),
  } as unknown as MessagePort;
  const link: Link = new MessagePortLink({ port: guarded, ...serialisation });
  port.addEventListener('close', () => status.set('lost'));
  port.start();
  return {
    client: createORPCClient<CoreClient>(link),
    onStatus: status.listen,
    close: () => {
      status.set('closed');
      port.close();
    },
  };
}

export interface WebSocketOptions {
  /** Default: the global `WebSocket`. */
  readonly open?: (url: string) => WebSocket;
  /** Asked after a failed dial, since a browser does not tell a page why: does the host refuse us? */
  readonly isRefused?: () => Promise<boolean>;
}

/**
 * Speaks the contract over a WebSocket and dials again when it drops. Calls under way at a drop fail with
 * `host_unreachable`; calls made while it is down wait for the next dial to end.
 */
export function connectOverWebSocket(url: string, options: WebSocketOptions = {}): CoreConnection {
  const open = options.open ?? ((address: string) => new WebSocket(address));
  const status = statusSource('connecting');
  let closed = false;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current = dial();

  function dial(): { socket: WebSocket; link: Link } {
    const socket = open(url);
    const guarded = {
      get readyState() {
        return socket.readyState;
      },
      send: (message: string) => socket.send(withinLimit(message)),
      addEventListener: socket.addEventListener.bind(socket),
      removeEventListener: socket.removeEventListener.bind(socket),
    } as unknown as WebSocket;
    const link: Link = new WebSocketLink({ websocket: guarded, ...serialisation });
    let opened = false;
    socket.addEventListener('open', () => {
      opened = true;
      attempt = 0;
      status.set('open');
    });
    socket.addEventListener('close', () => {
      if (closed) return;
      void afterDrop(opened);
    });
    return { socket, link };
  }

  async function afterDrop(opened: boolean): Promise<void> {
    const refused = !opened && options.isRefused !== undefined && (await options.isRefused().catch(() => false));
    if (closed) return;
    status.set(refused ? 'refused' : 'lost');
    const delay = Math.min(REDIAL_CAP_MS, REDIAL_FIRST_MS * 2 ** attempt);
    attempt += 1;
    timer = setTimeout(() => {
      current = dial();
    }, delay);
  }

  return {
    client: createORPCClient<CoreClient>(new DynamicLink(() => current.link)),
    onStatus: status.listen,
    close: () => {
      closed = true;
      clearTimeout(timer);
      status.set('closed');
      current.socket.close();
    },
  };
}

/**
 * Follows everything that changes in the core, across drops of the transport: after each it resumes from the last
 * event that was handled, so that nothing is missed. Handlers must be quick and must not throw.
 * Returns its undo.
 */
export function followEvents(connection: CoreConnection, onEvent: (event: CoreEvent) => void): () => void {
  const abort = new AbortController();
  void follow(connection.client, onEvent, abort.signal);
  return () => abort.abort();
}

async function follow(client: CoreClient, onEvent: (event: CoreEvent) => void, signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const streamId = randomId();
    const ack = acknowledger((eventId) => client.events.ack({ streamId, eventId }));
    try {
      const events = await client.events.stream({ streamId }, { signal, ...(lastEventId && { lastEventId }) });
      for await (const event of events) {
        failures = 0;
        onEvent(event);
        const id = getEventMeta(event)?.id;
        if (id !== undefined) {
          lastEventId = id;
          ack.handled(id);
        }
      }
    } catch {
      // Whatever broke the stream, the remedy is the same: ask again from the last event.
    }
    ack.stop();
    if (signal.aborted) return;
    await pause(Math.min(REDIAL_CAP_MS, REDIAL_FIRST_MS * 2 ** failures), signal);
    failures += 1;
  }
}

function acknowledger(send: (eventId: string) => Promise<unknown>) {
  let waiting = 0;
  let newest = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    waiting = 0;
    // A lost acknowledgement is made good by the next; a lost transport ends the stream itself.
    send(newest).catch(() => undefined);
  };
  return {
    handled(eventId: string) {
      newest = eventId;
      waiting += 1;
      if (waiting >= ACK_EVERY) flush();
      else timer ??= setTimeout(flush, ACK_AFTER_MS);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}

/** Turns whatever a call threw into a `Problem`, so that callers have one thing to show. */
export function toProblem(error: unknown): Problem {
  if (error instanceof MessageTooLarge) {
    return { code: 'too_large', message: error.message, retry: 'user' };
  }
  if (error instanceof ORPCError && error.code === 'PROBLEM') {
    const parsed = problemSchema.safeParse(error.data);
    if (parsed.success) return parsed.data;
  }
  if (error instanceof ORPCError) {
    if (error.code === 'BAD_REQUEST') {
      return { code: 'invalid_input', message: describeIssues(error.data), retry: 'never' };
    }
    return { code: 'internal', message: 'Holdfast could not carry this out. The log says more.', retry: 'user' };
  }
  return {
    code: 'host_unreachable',
    message: 'Holdfast’s core cannot be reached from this window. It connects again by itself.',
    retry: 'automatic',
  };
}

function describeIssues(data: unknown): string {
  const issues = (data as { issues?: { message?: unknown; path?: unknown }[] } | undefined)?.issues;
  const first = issues?.[0];
  if (typeof first?.message !== 'string') return 'This request does not have the form that Holdfast expects.';
  const path = Array.isArray(first.path) ? first.path.map(String).join('.') : '';
  return path === '' ? first.message : `${path}: ${first.message}`;
}

class MessageTooLarge extends Error {}

function withinLimit(message: string): string {
  if (typeof message === 'string' && message.length > MESSAGE_MAX) {
    throw new MessageTooLarge('This is too large to send at once. Split it into smaller pieces.');
  }
  return message;
}

function statusSource(initial: ConnectionStatus) {
  let status = initial;
  const listeners = new Set<(status: ConnectionStatus) => void>();
  return {
    set(next: ConnectionStatus) {
      if (next === status) return;
      status = next;
      for (const listener of listeners) listener(next);
    },
    listen(listener: (status: ConnectionStatus) => void) {
      listeners.add(listener);
      listener(status);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** An id that a client may choose for a session, a turn or a stream. `crypto.randomUUID` needs a secure context; this does not. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
