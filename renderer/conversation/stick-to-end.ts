import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

/** Within this many pixels of the end the reader counts as being at the end. */
const AT_END_PX = 40;
/** Older messages are asked for this far ahead of the top. */
const NEAR_TOP_PX = 600;

/** Where a reader was in a conversation: at its end, or at a message. */
type Place = { readonly kind: 'end' } | { readonly kind: 'at'; readonly turnId: string; readonly offset: number };

/** Remembered while the window lives, so that a tab comes back where it was left. */
const places = new Map<string, Place>();

export interface Scrolling {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly atEnd: boolean;
  readonly toEnd: () => void;
  readonly onScroll: () => void;
}

/**
 * Keeps the end in view while the reader is there and leaves the reader alone otherwise. `firstId` is the id of the
 * first message: when it changes, older ones were put in front, and what is read stays where it is.
 */
export function useStickToEnd(sessionId: string, firstId: string | undefined, onNearTop: () => void): Scrolling {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(() => places.get(sessionId)?.kind !== 'at');
  /** As `atEnd`, for what happens between two renderings. */
  const stuck = useRef(atEnd);
  const lastTop = useRef(0);
  const anchor = useRef<{ turnId: string; top: number } | null>(null);

  const stick = useCallback((value: boolean) => {
    stuck.current = value;
    setAtEnd(value);
  }, []);

  const toEnd = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    stick(true);
    box.scrollTop = box.scrollHeight;
    lastTop.current = box.scrollTop;
  }, [stick]);

  const onScroll = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    const distance = box.scrollHeight - box.scrollTop - box.clientHeight;
    // Growth of the content moves the end away without the reader having scrolled: only going up lets go.
    if (distance <= AT_END_PX) stick(true);
    else if (box.scrollTop < lastTop.current - 1) stick(false);
    lastTop.current = box.scrollTop;
    anchor.current = firstVisible(box);
    const seen = anchor.current;
    places.set(
      sessionId,
      stuck.current || seen === null ? { kind: 'end' } : { kind: 'at', turnId: seen.turnId, offset: seen.top },
    );
    if (box.scrollTop < NEAR_TOP_PX && !stuck.current) onNearTop();
  }, [onNearTop, sessionId, stick]);

  // Back to where this conversation was left.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const place = places.get(sessionId);
    if (place?.kind === 'at') moveTo(box, place.turnId, place.offset);
    else box.scrollTop = box.scrollHeight;
    lastTop.current = box.scrollTop;
  }, [sessionId]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || firstId === undefined) return;
    if (stuck.current) box.scrollTop = box.scrollHeight;
    else if (anchor.current !== null) moveTo(box, anchor.current.turnId, anchor.current.top);
    lastTop.current = box.scrollTop;
  }, [firstId]);

  // Text that streams in, stretches that are laid out for the first time, a window that is resized: all end up here.
  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (!stuck.current) return;
      box.scrollTop = box.scrollHeight;
      lastTop.current = box.scrollTop;
    });
    observer.observe(inner);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  return { scroller, content, atEnd, toEnd, onScroll };
}

function firstVisible(box: HTMLElement): { turnId: string; top: number } | null {
  const boxTop = box.getBoundingClientRect().top;
  // Only stretches near the screen have their messages laid out; asking the others would force them to be.
  for (const stretch of box.querySelectorAll<HTMLElement>('[data-stretch]')) {
    if (stretch.getBoundingClientRect().bottom <= boxTop) continue;
    for (const message of stretch.querySelectorAll<HTMLElement>('[data-turn-id]')) {
      const rect = message.getBoundingClientRect();
      if (rect.bottom > boxTop) return { turnId: message.dataset['turnId'] ?? '', top: rect.top - boxTop };
    }
  }
  return null;
}

function moveTo(box: HTMLElement, turnId: string, offset: number): void {
  const message = box.querySelector<HTMLElement>(`[data-turn-id="${CSS.escape(turnId)}"]`);
  if (message === null) return;
  box.scrollTop += message.getBoundingClientRect().top - box.getBoundingClientRect().top - offset;
}
