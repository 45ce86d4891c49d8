import { EventEmitter } from 'node:events';
import type { IpcRenderer } from 'electron';
import { afterEach, expect, test } from 'vitest';
import { PAGE_READY, PORT, PORT_REQUEST } from '../../electron/channels.ts';
import { passPort } from '../../electron/preload-port.ts';
import type { PreloadPage } from '../../electron/preload-port.ts';

const ORIGIN = 'app://holdfast';

interface Said {
  readonly data: unknown;
  readonly origin: string;
  readonly source: unknown;
  readonly ports: readonly MessagePort[];
}

/** A window that hears what it posts to itself, as a page does. */
function fakePage() {
  const listeners: ((event: Said) => void)[] = [];
  const heard: Said[] = [];
  const dispatch = (said: Said): void => {
    heard.push(said);
    for (const listener of listeners) listener(said);
  };
  const page = {
    location: { origin: ORIGIN },
    addEventListener: (type: string, listener: (event: Said) => void) => {
      if (type === 'message') listeners.push(listener);
    },
    postMessage: (data: unknown, targetOrigin: string, ports: MessagePort[] = []) => {
      if (targetOrigin === ORIGIN) dispatch({ data, origin: ORIGIN, source: page, ports });
    },
  };
  return { page: page as unknown as PreloadPage, dispatch, heard };
}

function fakeIpc() {
  const sent: unknown[][] = [];
  const ipc = Object.assign(new EventEmitter(), { send: (...args: unknown[]) => void sent.push(args) });
  return { ipc: ipc as unknown as Pick<IpcRenderer, 'send' | 'on'> & EventEmitter, sent };
}

const channels: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of channels.splice(0)) port1.close();
});
function channel(): MessageChannel {
  const made = new MessageChannel();
  channels.push(made);
  return made;
}

test('the page says that it is ready: main is asked for a port, with nothing else said', () => {
  const { page } = fakePage();
  const { ipc, sent } = fakeIpc();
  passPort(page, ipc);
  expect(sent).toEqual([]);
  page.postMessage(PAGE_READY, ORIGIN);
  expect(sent).toEqual([[PORT_REQUEST]]);
});

test('the port that comes is given to the page, and works', async () => {
  const { page, heard } = fakePage();
  const { ipc, sent } = fakeIpc();
  passPort(page, ipc);
  const { port1, port2 } = channel();
  ipc.emit(PORT, { ports: [port2] });
  expect(heard).toEqual([{ data: PORT, origin: ORIGIN, source: page, ports: [port2] }]);
  const answer = new Promise((resolve) => (port1.onmessage = (event) => resolve(event.data)));
  heard[0]?.ports[0]?.postMessage('over the port');
  expect(await answer).toBe('over the port');
  // What the preload itself posts to the page is no new request.
  expect(sent).toEqual([]);
});

test('a page that asks again gets a second port', () => {
  const { page, heard } = fakePage();
  const { ipc, sent } = fakeIpc();
  passPort(page, ipc);
  for (let i = 0; i < 2; i += 1) {
    page.postMessage(PAGE_READY, ORIGIN);
    ipc.emit(PORT, { ports: [channel().port2] });
  }
  expect(sent).toHaveLength(2);
  expect(heard.filter((said) => said.data === PORT)).toHaveLength(2);
});

test.each([
  ['a frame inside the page', { source: {}, origin: ORIGIN, data: PAGE_READY }],
  ['no window at all', { source: null, origin: ORIGIN, data: PAGE_READY }],
  ['another origin', { source: 'page', origin: 'https://evil.example', data: PAGE_READY }],
  ['an opaque origin', { source: 'page', origin: 'null', data: PAGE_READY }],
  ['other words', { source: 'page', origin: ORIGIN, data: PORT_REQUEST }],
  [
    'an object that looks like the words',
    { source: 'page', origin: ORIGIN, data: { toString: (): string => PAGE_READY } },
  ],
])('%s is not heard', (_name, said) => {
  const { page, dispatch } = fakePage();
  const { ipc, sent } = fakeIpc();
  passPort(page, ipc);
  dispatch({ ports: [], ...said, source: said.source === 'page' ? page : said.source });
  expect(sent).toEqual([]);
});
