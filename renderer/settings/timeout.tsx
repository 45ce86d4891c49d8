import { useState } from 'react';
import type { Problem, Settings } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { words } from '../words.ts';
import { Field } from './field.tsx';

const CHOICES = [5, 15, 30, 60, 240, 1_440] as const;

/** After how long a silence a session's live state is given up. Counts at once. */
export function Timeout({ minutes }: { minutes: Settings['timeoutMinutes'] }) {
  const actions = useActions();
  const [problem, setProblem] = useState<Problem | null>(null);
  const choices = [...new Set([...CHOICES, minutes])].sort((a, b) => a - b);
  return (
    <Field label={words.settings.timeout} note={words.settings.timeoutNote} problem={problem}>
      {(ids) => (
        <select
          {...ids}
          data-testid="timeout-minutes"
          className="h-9 w-full rounded-md border border-edge bg-ground px-2 text-ui text-ink"
          value={minutes}
          onChange={(event) =>
            void actions.updateSettings({ timeoutMinutes: Number(event.target.value) }).then(setProblem)
          }
        >
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {words.settings.minutes(choice)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
