/**
 * The three words of the port's way from main to page. Two of them are also what the page says and hears with
 * `window.postMessage`: it posts `PAGE_READY`, and gets `PORT` back with one `MessagePort` in `event.ports`.
 */
export const PAGE_READY = 'holdfast:ready';
export const PORT_REQUEST = 'holdfast:port-request';
export const PORT = 'holdfast:port';
