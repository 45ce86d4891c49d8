import type { CoreConnection } from '../../src/contract/index.ts';

/** Whether this device has a network, as far as the browser knows. */
export interface NetworkPort {
  readonly online: () => boolean;
  /** Calls back at each change. Returns its undo. */
  readonly onChange: (listener: () => void) => () => void;
}

export const windowNetwork: NetworkPort = {
  online: () => navigator.onLine,
  onChange(listener) {
    window.addEventListener('online', listener);
    window.addEventListener('offline', listener);
    return () => {
      window.removeEventListener('online', listener);
      window.removeEventListener('offline', listener);
    };
  },
};

/**
 * Tells the core of the network, since a browser hears first when it comes and goes: at each change, and whenever the
 * way to the core opens. What does not reach the core is told when it is in reach again. Returns its undo.
 */
export function tellOfNetwork(connection: CoreConnection, network: NetworkPort): () => void {
  let open = false;
  const tell = () => {
    if (open) connection.client.links.network({ online: network.online() }).catch(() => undefined);
  };
  const undo = [
    connection.onStatus((status) => {
      open = status === 'open';
      tell();
    }),
    network.onChange(tell),
  ];
  return () => {
    for (const one of undo) one();
  };
}
