import type { BrowserWindow, Rectangle } from 'electron';
import { z } from 'zod';
import type { KeyValueFile } from '../src/core.ts';
import type { Logger } from '../src/log.ts';

export const DEFAULT_SIZE = { width: 1120, height: 760 } as const;
/** The page works down to here. A display that is smaller still wins. */
export const MIN_SIZE = { width: 360, height: 420 } as const;

const SAVE_DELAY_MS = 500;
/** Beyond any desktop: a number past this is damage, not a display. */
const COORDINATE_MAX = 100_000;

const coordinate = z.number().min(-COORDINATE_MAX).max(COORDINATE_MAX);
const extent = z.number().positive().max(COORDINATE_MAX);

const windowStateSchema = z.object({
  /** In device-independent pixels, of the window when it is neither maximised nor full screen. */
  bounds: z.object({ x: coordinate, y: coordinate, width: extent, height: extent }),
  maximised: z.boolean(),
});
export type WindowState = Readonly<z.infer<typeof windowStateSchema>>;

export interface Placement {
  readonly bounds: Readonly<Rectangle>;
  readonly maximised: boolean;
}

/** What was saved, or `undefined` for nothing or for what cannot be one of ours. */
export function parseWindowState(stored: unknown): WindowState | undefined {
  return windowStateSchema.safeParse(stored).data;
}

/**
 * Where a window goes on the displays that exist now: within the one it was on, or centred on the first where that one
 * has gone, never larger than its display. In device-independent pixels.
 * @param workAreas of every display, the primary first.
 */
export function placeWindow(saved: WindowState | undefined, workAreas: readonly Readonly<Rectangle>[]): Placement {
  const [primary] = workAreas;
  if (primary === undefined) return { bounds: { x: 0, y: 0, ...DEFAULT_SIZE }, maximised: false };
  if (saved === undefined) return { bounds: centred(DEFAULT_SIZE, primary), maximised: false };
  const { bounds, maximised } = saved;
  const home = mostCovered(bounds, workAreas);
  return { bounds: home === undefined ? centred(bounds, primary) : within(bounds, home), maximised };
}

function centred(size: { readonly width: number; readonly height: number }, area: Readonly<Rectangle>): Rectangle {
  const { width, height } = fittedSize(size, area);
  return {
    x: area.x + Math.floor((area.width - width) / 2),
    y: area.y + Math.floor((area.height - height) / 2),
    width,
    height,
  };
}

function within(bounds: Readonly<Rectangle>, area: Readonly<Rectangle>): Rectangle {
  const { width, height } = fittedSize(bounds, area);
  return {
    x: clamp(Math.round(bounds.x), area.x, area.x + area.width - width),
    y: clamp(Math.round(bounds.y), area.y, area.y + area.height - height),
    width,
    height,
  };
}

function fittedSize(size: { readonly width: number; readonly height: number }, area: Readonly<Rectangle>) {
  return {
    width: Math.min(Math.max(Math.round(size.width), MIN_SIZE.width), area.width),
    height: Math.min(Math.max(Math.round(size.height), MIN_SIZE.height), area.height),
  };
}

function mostCovered(
  bounds: Readonly<Rectangle>,
  areas: readonly Readonly<Rectangle>[],
): Readonly<Rectangle> | undefined {
  let best: Readonly<Rectangle> | undefined;
  let most = 0;
  for (const area of areas) {
    const covered = overlap(bounds, area);
    if (covered > most) {
      most = covered;
      best = area;
    }
  }
  return best;
}

/** The area that two rectangles share; 0 where they do not meet. */
export function overlap(a: Readonly<Rectangle>, b: Readonly<Rectangle>): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function readWindowState(file: Pick<KeyValueFile, 'store'>): WindowState | undefined {
  try {
    return parseWindowState({ ...file.store });
  } catch {
    // A file that cannot be read costs the window its place, and nothing more.
    return undefined;
  }
}

export type KeptWindow = Pick<
  BrowserWindow,
  'getNormalBounds' | 'isMaximized' | 'isDestroyed' | 'on' | 'removeListener'
>;

/** Saves a window's place a moment after it last changed, and when it closes. Returns its undo. */
export function keepWindowState(window: KeptWindow, file: Pick<KeyValueFile, 'store'>, log: Logger): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;

  const save = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (window.isDestroyed()) return;
    const { x, y, width, height } = window.getNormalBounds();
    const state: WindowState = { bounds: { x, y, width, height }, maximised: window.isMaximized() };
    try {
      file.store = { ...state };
    } catch (error) {
      log.warn({ err: error }, 'The window’s place could not be saved');
    }
  };
  const saveSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_DELAY_MS);
  };

  window.on('resize', saveSoon);
  window.on('move', saveSoon);
  window.on('maximize', saveSoon);
  window.on('unmaximize', saveSoon);
  window.on('close', save);
  return () => {
    clearTimeout(timer);
    window.removeListener('resize', saveSoon);
    window.removeListener('move', saveSoon);
    window.removeListener('maximize', saveSoon);
    window.removeListener('unmaximize', saveSoon);
    window.removeListener('close', save);
  };
}
