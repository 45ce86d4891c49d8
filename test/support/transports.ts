import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MessageChannel as NodeMessageChannel } from 'node:worker_threads';
import { EventEmitter } from 'node:events';
import { WebSocketServer } from 'ws';
import { serveOverPort, serveOverWebSocket } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, connectOverWebSocket } from '../../src/contract/index.ts';
import type { CoreConnection, PortLike } from '../../src/contract/index.ts';
import { silentLog } from '../../src/log.ts';
import type { Logger } from '../../src/log.ts';

type AnyRouter = Parameters<typeof serveOverPort>[0];

/** A way of tying a client to a router, and of hurting the tie. */
export interface Tie {
  readonly connection: CoreConnection;
  /** Puts a raw message on the wire, as a broken or hostile client would. */
  sendRaw(message: unknown): void;
  /** Cuts the wire under the client's feet; `undefined` where a transport cannot lose it and live. */
  readonly cut: (() => void) | undefined;
  close(): Promise<void>;
}
export interface Transport {
  readonly name: string;
  tie(router: AnyRouter, log?: Logger): Promise<Tie>;
}

const overWebSocket: Transport = {
  name: 'WebSocket',
  async tie(router, log = silentLog) {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => serveOverWebSocket(router, socket, log));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    let newest: WebSocket | undefined;
    const connection = connectOverWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      open: (url) => (newest = new WebSocket(url)),
    });
    return {
      connection,
      sendRaw: (message) => newest?.send(message as string),
      cut: () => sockets.clients.forEach((socket) => socket.terminate()),
      async close() {
        connection.close();
        sockets.clients.forEach((socket) => socket.terminate());
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};

function tieOfPorts(clientPort: PortLike, serverPort: ServerPort, router: AnyRouter, log: Logger): Tie {
  serveOverPort(router, serverPort, log);
  const connection = connectOverPort(clientPort);
  return {
    connection,
    sendRaw: (message) => clientPort.postMessage(message),
    cut: undefined,
    async close() {
      connection.close();
      serverPort.close();
    },
  };
}

const overMessageChannel: Transport = {
  name: 'bare MessageChannel',
  async tie(router, log = silentLog) {
    const { port1, port2 } = new NodeMessageChannel();
    return tieOfPorts(port1 as unknown as PortLike, port2 as unknown as ServerPort, router, log);
  },
};

/** Electron's main process holds a `MessagePortMain`: an emitter whose events carry `{ data, ports }`, started by hand. */
class PortOfElectron extends EventEmitter {
  readonly #port: import('node:worker_threads').MessagePort;
  #started = false;
  readonly #early: unknown[] = [];

  constructor(port: import('node:worker_threads').MessagePort) {
    super();
    this.#port = port;
    port.on('message', (data) => (this.#started ? this.emit('message', { data, ports: [] }) : this.#early.push(data)));
    port.on('close', () => this.emit('close'));
  }
  postMessage(message: unknown): void {
    this.#port.postMessage(message);
  }
  start(): void {
    this.#started = true;
    for (const data of this.#early.splice(0)) this.emit('message', { data, ports: [] });
  }
  close(): void {
    this.#port.close();
  }
}

const overElectronPort: Transport = {
  name: 'MessagePort of Electron',
  async tie(router, log = silentLog) {
    const { port1, port2 } = new NodeMessageChannel();
    return tieOfPorts(port1 as unknown as PortLike, new PortOfElectron(port2), router, log);
  },
};

export const transports: readonly Transport[] = [overWebSocket, overMessageChannel, overElectronPort];
