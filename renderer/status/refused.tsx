import { Button } from '../ui/button.tsx';
import { Mark } from '../ui/mark.tsx';
import { words } from '../words.ts';

/** The host answers but does not know this page: only the address that it printed opens it. */
export function Refused() {
  return (
    <main data-testid="refused" className="flex h-full overflow-y-auto px-6 py-12">
      <div className="m-auto max-w-md">
        <Mark className="-ml-1.5 size-10 text-live" />
        <h1 className="mt-6 text-2xl font-semibold tracking-tight text-balance">{words.connection.refusedHeading}</h1>
        <p className="mt-3 text-body text-soft">{words.connection.refusedBody}</p>
        <Button className="mt-6" onClick={() => location.reload()}>
          {words.connection.refusedRetry}
        </Button>
      </div>
    </main>
  );
}
