import type { IpcMain, IpcMainEvent, MessageChannelMain, MessagePortMain, WebContents, WebFrameMain } from 'electron';
import type { Logger } from '../src/log.ts';
import { PORT, PORT_REQUEST } from './channels.ts';
import { isOwnUrl, originForLog } from './origin.ts';

/** What of a request is judged. `IpcMainEvent` fits. */
export interface PortRequest {
  readonly sender: unknown;
  readonly senderFrame: RequestingFrame | null;
}
export type RequestingFrame = Pick<
  WebFrameMain,
  'url' | 'parent' | 'detached' | 'processId' | 'frameToken' | 'isDestroyed' | 'postMessage'
>;
/** What of our own window's contents a request is held against. `WebContents` fits. */
export interface OwnContents {
  readonly mainFrame: Pick<WebFrameMain, 'processId' | 'frameToken'>;
  isDestroyed(): boolean;
}

export type Verdict =
  | { readonly ok: true; readonly frame: RequestingFrame }
  | {
      readonly ok: false;
      readonly reason: 'no_window' | 'foreign_contents' | 'frame_gone' | 'not_main_frame' | 'foreign_origin';
    };

/** Only the main frame of our own window, while it shows our own page, may have a port to the core. */
export function judgePortRequest(request: PortRequest, own: OwnContents | undefined): Verdict {
  if (own === undefined || own.isDestroyed()) return { ok: false, reason: 'no_window' };
  if (request.sender !== own) return { ok: false, reason: 'foreign_contents' };
  const frame = request.senderFrame;
  // Every other property of a frame that is gone throws.
  if (frame === null || frame.isDestroyed() || frame.detached) return { ok: false, reason: 'frame_gone' };
  const main = own.mainFrame;
  const isMain = frame.parent === null && frame.processId === main.processId && frame.frameToken === main.frameToken;
  if (!isMain) return { ok: false, reason: 'not_main_frame' };
  if (!isOwnUrl(frame.url)) return { ok: false, reason: 'foreign_origin' };
  return { ok: true, frame };
}

export interface PortHandoverOptions {
  readonly ipc: Pick<IpcMain, 'on' | 'removeListener'>;
  /** The contents of the window that is open now. */
  readonly ownContents: () => WebContents | undefined;
  readonly createChannel: () => MessageChannelMain;
  /** Speaks the contract over our end, and starts it. */
  readonly serve: (port: MessagePortMain) => void;
  readonly log: Logger;
}

/**
 * Answers each rightful request with a fresh port to the core. The page has one port at a time: a reload's request
 * closes the port of the page before it. Returns its undo, which closes the port too.
 */
export function handOverPorts(options: PortHandoverOptions): () => void {
  let current: MessagePortMain | undefined;

  const onRequest = (event: IpcMainEvent): void => {
    const verdict = judgePortRequest(event, options.ownContents());
    if (!verdict.ok) {
      options.log.warn({ reason: verdict.reason, from: whereFrom(event) }, 'A request for a port was refused');
      return;
    }
    if (current !== undefined) closePort(current);
    const { port1, port2 } = options.createChannel();
    current = port1;
    port1.once('close', () => {
      if (current === port1) current = undefined;
    });
    options.serve(port1);
    try {
      verdict.frame.postMessage(PORT, null, [port2]);
    } catch (error) {
      // The frame can go between the check and here.
      options.log.warn({ err: error }, 'The page was gone before its port came');
      closePort(port1);
    }
  };

  options.ipc.on(PORT_REQUEST, onRequest);
  return () => {
    options.ipc.removeListener(PORT_REQUEST, onRequest);
    if (current !== undefined) closePort(current);
  };
}

/** Electron promises `close` only for the other end's going; who serves the port has to hear of ours as well. */
function closePort(port: MessagePortMain): void {
  let heard = false;
  port.once('close', () => {
    heard = true;
  });
  port.close();
  if (!heard) port.emit('close');
}

function whereFrom(request: PortRequest): string {
  const frame = request.senderFrame;
  return frame === null || frame.isDestroyed() ? 'a frame that is gone' : originForLog(frame.url);
}
