const PATHS = {
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  settings: 'M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6M10.25 3.25v3.5M5.75 9.25v3.5',
  send: 'M8 13V3.5M3.75 7.5L8 3.25l4.25 4.25',
  down: 'M8 3v9.5M3.75 8.5L8 12.75l4.25-4.25',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  again: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3',
  rename: 'M10.5 3.5l2 2-7 7-2.75.75.75-2.75z',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9',
  export: 'M8 10V2.5M5 5.25L8 2.25l3 3M3 9.5v4h10v-4',
  chevron: 'M6 4l4 4-4 4',
} as const;

export type IconName = keyof typeof PATHS | 'stop';

/** A glyph on a 16 px grid. It says nothing to a screen reader: its button carries the name. */
export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.25"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={`shrink-0 ${className}`}
    >
      {name === 'stop' ? (
        <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />
      ) : (
        <path d={PATHS[name]} />
      )}
    </svg>
  );
}
