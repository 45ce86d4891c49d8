import { connectOverPort, connectOverWebSocket } from '../src/contract/index.ts';
import type { CoreConnection } from '../src/contract/index.ts';

/** Asks the preload for the port to the core, and marks its answer. Nothing else passes between preload and page. */
const READY = 'holdfast:ready';
const PORT = 'holdfast:port';

/** Connects this page to its core: over a port in the desktop app, over a WebSocket to the host that served it otherwise. */
export function connect(): Promise<CoreConnection> {
  return location.protocol === 'app:' ? connectToDesktop() : Promise.resolve(connectToHost());
}

function connectToDesktop(): Promise<CoreConnection> {
  return new Promise((resolve) => {
    const onMessage = (event: MessageEvent) => {
      const [port] = event.ports;
      // Frames and other windows may post messages too; the preload speaks from this very window.
      if (event.source !== window || event.data !== PORT || port === undefined) return;
      window.removeEventListener('message', onMessage);
      resolve(connectOverPort(port));
    };
    window.addEventListener('message', onMessage);
    window.postMessage(READY, location.origin);
  });
}

function connectToHost(): CoreConnection {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return connectOverWebSocket(`${scheme}://${location.host}/contract`, {
    isRefused: async () => {
      const answer = await fetch('/session', { method: 'HEAD', cache: 'no-store' });
      return answer.status === 401 || answer.status === 403;
    },
  });
}
