import type { EventEmitter } from 'node:events';
import type { IpcMain, MessageChannelMain, MessagePortMain, WebContents } from 'electron';
import { describe, expect, test } from 'vitest';
import { PORT, PORT_REQUEST } from '../../electron/channels.ts';
import { handOverPorts, judgePortRequest } from '../../electron/port-handover.ts';
import type { OwnContents, RequestingFrame } from '../../electron/port-handover.ts';
import { emitting, keptLog } from './fakes.ts';

const DISPOSED = 'Render frame was disposed before WebFrameMain could be accessed';

interface Posted {
  readonly channel: string;
  readonly message: unknown;
  readonly ports: readonly MessagePortMain[];
}

function frameOf(url: string, more: Partial<RequestingFrame> = {}): RequestingFrame & { readonly posted: Posted[] } {
  const posted: Posted[] = [];
  return {
    url,
    parent: null,
    detached: false,
    processId: 7,
    frameToken: 'main',
    isDestroyed: () => false,
    postMessage: (channel, message, ports = []) => void posted.push({ channel, message, ports }),
    ...more,
    posted,
  };
}

/** As in Electron: of a frame that is gone, everything but `isDestroyed` throws. */
function goneFrame(): RequestingFrame {
  const throwing = { get: (_: object, key: string) => (key === 'isDestroyed' ? () => true : fail()) };
  const fail = (): never => {
    throw new Error(DISPOSED);
  };
  return new Proxy({}, throwing) as RequestingFrame;
}

function contents(more: Partial<OwnContents> = {}): OwnContents {
  return { mainFrame: { processId: 7, frameToken: 'main' }, isDestroyed: () => false, ...more };
}

describe('a request for a port', () => {
  test('is granted to the main frame of our window on our page', () => {
    const own = contents();
    const frame = frameOf('app://holdfast/');
    expect(judgePortRequest({ sender: own, senderFrame: frame }, own)).toEqual({ ok: true, frame });
  });

  test.each([
    ['https://holdfast/'],
    ['https://evil.example/app://holdfast/'],
    ['app://holdfast.evil.example/'],
    ['app://evil/'],
    ['app://holdfast:80/'],
    ['app://user@holdfast/'],
    ['app://evil@holdfast/'],
    ['app:holdfast'],
    ['app:///holdfast/'],
    ['file:///holdfast/index.html'],
    ['about:blank'],
    ['data:text/html,app://holdfast/'],
    [''],
  ])('is refused while the frame shows %s', (url) => {
    const own = contents();
    expect(judgePortRequest({ sender: own, senderFrame: frameOf(url) }, own)).toEqual({
      ok: false,
      reason: 'foreign_origin',
    });
  });

  test('is refused to a frame inside the page, even one of ours', () => {
    const own = contents();
    const parent = frameOf('app://holdfast/') as unknown as NonNullable<RequestingFrame['parent']>;
    for (const frameToken of ['inner', 'main']) {
      const frame = frameOf('app://holdfast/', { parent, frameToken });
      expect(judgePortRequest({ sender: own, senderFrame: frame }, own)).toMatchObject({ reason: 'not_main_frame' });
    }
  });

  test.each([
    ['another token', { frameToken: 'before' }],
    ['another process', { processId: 8 }],
  ])('is refused to a top frame that is not the main frame now (%s)', (_name, other) => {
    const own = contents();
    const frame = frameOf('app://holdfast/', other);
    expect(judgePortRequest({ sender: own, senderFrame: frame }, own)).toMatchObject({ reason: 'not_main_frame' });
  });

  test('is refused to other contents', () => {
    const own = contents();
    const request = { sender: contents(), senderFrame: frameOf('app://holdfast/') };
    expect(judgePortRequest(request, own)).toMatchObject({ reason: 'foreign_contents' });
  });

  test('is refused when its frame is gone', () => {
    const own = contents();
    const judged = [null, goneFrame(), frameOf('app://holdfast/', { detached: true })].map((senderFrame) =>
      judgePortRequest({ sender: own, senderFrame }, own),
    );
    expect(judged).toEqual(judged.map(() => ({ ok: false, reason: 'frame_gone' })));
  });

  test('is refused when there is no window, or none any more', () => {
    const destroyed = contents({ isDestroyed: () => true });
    const senderFrame = frameOf('app://holdfast/');
    expect(judgePortRequest({ sender: destroyed, senderFrame }, undefined)).toMatchObject({ reason: 'no_window' });
    expect(judgePortRequest({ sender: destroyed, senderFrame }, destroyed)).toMatchObject({ reason: 'no_window' });
  });
});

type FakePort = MessagePortMain & { readonly calls: string[] };

describe('the handover', () => {
  function start(options: { readonly closeIsSilent?: boolean } = {}) {
    const port = (): FakePort => {
      const calls: string[] = [];
      const made = emitting<MessagePortMain>({
        postMessage: () => undefined,
        close: () => {
          calls.push('close');
          if (options.closeIsSilent !== true) made.emit('close');
        },
      } as unknown as Omit<MessagePortMain, 'on' | 'once' | 'removeListener'>);
      return Object.assign(made, { calls }) as unknown as FakePort;
    };
    const ipc = emitting<Pick<IpcMain, 'on' | 'removeListener'>>({});
    const log = keptLog();
    const served: FakePort[] = [];
    const channels: { port1: FakePort; port2: FakePort }[] = [];
    const own = contents();
    const undo = handOverPorts({
      ipc,
      ownContents: () => own as WebContents,
      createChannel: () => {
        const channel = { port1: port(), port2: port() };
        channels.push(channel);
        return channel as MessageChannelMain;
      },
      serve: (served1) => {
        (served1 as FakePort).calls.push('serve');
        served.push(served1 as FakePort);
      },
      log,
    });
    const ask = (senderFrame: RequestingFrame | null, sender: unknown = own) =>
      ipc.emit(PORT_REQUEST, { sender, senderFrame });
    return { ipc, log, served, channels, ask, undo };
  }

  test('serves one end and posts the other to the frame that asked', () => {
    const { ask, served, channels } = start();
    const frame = frameOf('app://holdfast/');
    ask(frame);
    expect(served).toEqual([channels[0]?.port1]);
    expect(served[0]?.calls).toEqual(['serve']);
    expect(frame.posted).toEqual([{ channel: PORT, message: null, ports: [channels[0]?.port2] }]);
  });

  test('gives a page that was loaded again a fresh port and closes the old one', () => {
    const { ask, served } = start();
    ask(frameOf('app://holdfast/'));
    const again = frameOf('app://holdfast/');
    ask(again);
    expect(served.map((port) => port.calls)).toEqual([['serve', 'close'], ['serve']]);
    expect(again.posted).toHaveLength(1);
  });

  test('tells who serves a port of its closing, even where Electron does not', () => {
    const { ask, served } = start({ closeIsSilent: true });
    ask(frameOf('app://holdfast/'));
    const heard: string[] = [];
    served[0]?.on('close', () => heard.push('close'));
    ask(frameOf('app://holdfast/'));
    expect(heard).toEqual(['close']);
  });

  test('does not close again a port that the page has closed', () => {
    const { ask, served } = start();
    ask(frameOf('app://holdfast/'));
    served[0]?.emit('close');
    ask(frameOf('app://holdfast/'));
    expect(served[0]?.calls).toEqual(['serve']);
  });

  test('logs and ignores a stranger, and leaves the port of the page alone', () => {
    const { ask, served, channels, log } = start();
    ask(frameOf('app://holdfast/'));
    ask(frameOf('https://evil.example/?secret=1'));
    ask(null);
    ask(goneFrame());
    expect(channels).toHaveLength(1);
    expect(served[0]?.calls).not.toContain('close');
    expect(log.lines.map((line) => line.fields)).toEqual([
      { reason: 'foreign_origin', from: 'https://evil.example' },
      { reason: 'frame_gone', from: 'a frame that is gone' },
      { reason: 'frame_gone', from: 'a frame that is gone' },
    ]);
  });

  test('closes the port when the frame goes between the check and the post', () => {
    const { ask, served, log } = start();
    ask({
      ...frameOf('app://holdfast/'),
      postMessage: () => {
        throw new Error(DISPOSED);
      },
    });
    expect(served[0]?.calls).toEqual(['serve', 'close']);
    expect(log.lines).toHaveLength(1);
  });

  test('ends with its undo: the port is closed and nothing is answered', () => {
    const { ask, served, undo, ipc } = start();
    ask(frameOf('app://holdfast/'));
    undo();
    expect(served[0]?.calls).toContain('close');
    ask(frameOf('app://holdfast/'));
    expect(served).toHaveLength(1);
    expect((ipc as EventEmitter).listenerCount(PORT_REQUEST)).toBe(0);
  });
});
