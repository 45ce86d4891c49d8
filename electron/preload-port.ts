import type { IpcRenderer } from 'electron';
import { PAGE_READY, PORT, PORT_REQUEST } from './channels.ts';

/** What of the page's window the preload uses. */
export type PreloadPage = Pick<Window, 'addEventListener' | 'postMessage' | 'location'>;

/**
 * Asks main for a port when the page says that it is ready, and gives the page the port that comes. Nothing else
 * crosses: the page gets no function of ours and none of Electron's.
 */
export function passPort(page: PreloadPage, ipc: Pick<IpcRenderer, 'send' | 'on'>): void {
  page.addEventListener('message', (event) => {
    // A frame inside the page can post to it as well; only the page itself may ask.
    if (event.source !== page || event.origin !== page.location.origin || event.data !== PAGE_READY) return;
    ipc.send(PORT_REQUEST);
  });
  ipc.on(PORT, (event) => {
    page.postMessage(PORT, page.location.origin, [...event.ports]);
  });
}
