import { useState } from 'react';
import type { Problem, Settings } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { words } from '../words.ts';

/** Takes effect at once: to see it is the way to choose it. */
export function ThemeChoice({ theme }: { theme: Settings['theme'] }) {
  const actions = useActions();
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="pb-1.5 font-medium">{words.settings.theme}</legend>
      <div className="grid grid-cols-3 gap-px overflow-hidden rounded-md border border-edge bg-edge">
        {(['system', 'light', 'dark'] as const).map((value) => (
          <label
            key={value}
            className="flex h-9 items-center justify-center bg-ground text-soft -outline-offset-2 has-checked:bg-live-wash has-checked:font-medium has-checked:text-live-strong has-focus-visible:outline-2 has-focus-visible:outline-live"
          >
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              className="sr-only"
              onChange={() => void actions.updateSettings({ theme: value }).then(setProblem)}
            />
            {words.settings.themes[value]}
          </label>
        ))}
      </div>
      {problem !== null && (
        <p role="alert" className="text-note text-need">
          {problem.message}
        </p>
      )}
    </fieldset>
  );
}
