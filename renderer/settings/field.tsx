import { useId } from 'react';
import type { ReactNode } from 'react';
import type { Problem } from '../../src/contract/index.ts';

interface FieldIds {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
}

interface FieldProps {
  readonly label: string;
  readonly note: ReactNode;
  readonly problem: Problem | null;
  readonly children: (ids: FieldIds) => ReactNode;
}

/** A labelled field with a note under it, and above the note what is wrong with it. */
export function Field({ label, note, problem, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': noteId, 'aria-invalid': problem !== null })}
      <div id={noteId} className="text-note text-faint">
        {problem !== null && (
          <p role="alert" className="pb-1 text-need">
            {problem.message}
          </p>
        )}
        {note}
      </div>
    </div>
  );
}
