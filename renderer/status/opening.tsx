import { Mark } from '../ui/mark.tsx';
import { words } from '../words.ts';

/** Shown until the page has its way to the core; on a good day too short to be seen. */
export function Opening() {
  return (
    <div role="status" className="flex h-full animate-late flex-col items-center justify-center gap-4 text-soft">
      <Mark className="size-8 text-live" />
      {words.connection.connecting}
    </div>
  );
}
