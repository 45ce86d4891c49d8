import type { LinkState } from '../../src/contract/index.ts';

const COLOURS: Record<LinkState['kind'], string> = {
  idle: 'text-faint',
  connecting: 'text-wait-mark',
  restoring: 'text-wait-mark',
  live: 'text-live',
  rotating: 'text-wait-mark',
  waiting: 'text-wait-mark',
  paused: 'text-faint',
  'needs-you': 'text-need',
  closed: 'text-faint',
};

/** What goes on by itself at this moment, which alone may move. */
const MOVING: ReadonlySet<LinkState['kind']> = new Set(['connecting', 'restoring']);

/** The state of a link in a form of its own each, so that colour is never the only difference. */
export function LinkGlyph({ kind, className = '' }: { kind: LinkState['kind']; className?: string }) {
  return (
    <svg
      viewBox="0 0 10 10"
      width="10"
      height="10"
      aria-hidden="true"
      className={`shrink-0 ${COLOURS[kind]} ${MOVING.has(kind) ? 'animate-link' : ''} ${className}`}
    >
      {shapeOf(kind)}
    </svg>
  );
}

function shapeOf(kind: LinkState['kind']) {
  const ring = <circle cx="5" cy="5" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />;
  switch (kind) {
    case 'idle':
      return ring;
    case 'connecting':
      return (
        <>
          {ring}
          <path d="M5 1.5a3.5 3.5 0 0 1 0 7z" fill="currentColor" />
        </>
      );
    case 'restoring':
      return (
        <>
          {ring}
          <path d="M1.5 5a3.5 3.5 0 0 0 7 0z" fill="currentColor" />
        </>
      );
    case 'live':
      return <circle cx="5" cy="5" r="4.5" fill="currentColor" />;
    case 'rotating':
      return (
        <>
          <circle cx="5" cy="5" r="2" fill="currentColor" />
          <path
            d="M1.25 5a3.75 3.75 0 0 1 6.4-2.65M8.75 5a3.75 3.75 0 0 1-6.4 2.65"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.25"
          />
        </>
      );
    case 'waiting':
      return (
        <>
          {ring}
          <circle cx="5" cy="5" r="1.5" fill="currentColor" />
        </>
      );
    case 'paused':
      return <path d="M3 1.5v7M7 1.5v7" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />;
    case 'needs-you':
      return <path d="M5 0l5 5-5 5-5-5z" fill="currentColor" />;
    case 'closed':
      return <path d="M2 5h6" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />;
  }
}
