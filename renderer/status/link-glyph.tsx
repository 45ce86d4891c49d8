import type { LinkState } from '../../src/contract/index.ts';

const COLOURS: Record<LinkState['kind'], string> = {
  idle: 'text-faint',
  connecting: 'text-live',
  live: 'text-live',
  waiting: 'text-wait-mark',
  'needs-you': 'text-need',
  closed: 'text-faint',
};

/** The state of a link in a form of its own each, so that colour is never the only difference. */
export function LinkGlyph({ kind, className = '' }: { kind: LinkState['kind']; className?: string }) {
  const moves = kind === 'connecting' ? 'animate-link' : '';
  return (
    <svg
      viewBox="0 0 10 10"
      width="10"
      height="10"
      aria-hidden="true"
      className={`shrink-0 ${COLOURS[kind]} ${moves} ${className}`}
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
    case 'live':
      return <circle cx="5" cy="5" r="4.5" fill="currentColor" />;
    case 'waiting':
      return (
        <>
          {ring}
          <circle cx="5" cy="5" r="1.5" fill="currentColor" />
        </>
      );
    case 'needs-you':
      return <path d="M5 0l5 5-5 5-5-5z" fill="currentColor" />;
    case 'closed':
      return <path d="M2 5h6" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />;
  }
}
