import { useId, useState } from 'react';
import type { Problem, Settings } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { words } from '../words.ts';

/** What is done about an answer that the connection cut. Counts at once. */
export function CutAnswers({ choice }: { choice: Settings['cutAnswers'] }) {
  const actions = useActions();
  const noteId = useId();
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <div className="flex flex-col gap-1.5">
      <label className="flex items-center gap-2.5 font-medium">
        <input
          type="checkbox"
          data-testid="cut-answers"
          className="size-4 accent-live"
          aria-describedby={noteId}
          checked={choice === 'go-on'}
          onChange={(event) =>
            void actions.updateSettings({ cutAnswers: event.target.checked ? 'go-on' : 'leave' }).then(setProblem)
          }
        />
        {words.settings.cutAnswers}
      </label>
      <p id={noteId} className="text-note text-faint">
        {problem === null ? words.settings.cutAnswersNote : problem.message}
      </p>
    </div>
  );
}
