import { useState } from 'react';
import type { Problem, SettingsView } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { Button } from '../ui/button.tsx';
import { words } from '../words.ts';

/** What is known of the key, and the way to take it away. */
export function KeyNote({ view, onProblem }: { view: SettingsView; onProblem: (problem: Problem | null) => void }) {
  const actions = useActions();
  const [asking, setAsking] = useState(false);
  const { source, hint } = view.apiKey;
  switch (source) {
    case 'none':
      return words.settings.keyNone;
    case 'environment':
      return `${hint === undefined ? words.settings.keyEnvironmentPlain : words.settings.keyEnvironment(hint)} ${words.settings.fixed}`;
    case 'stored':
      return (
        <div className="flex flex-wrap items-center gap-2">
          <span className="flex-1">
            {asking
              ? words.settings.removeQuestion
              : hint === undefined
                ? words.settings.keyStoredPlain
                : words.settings.keyStored(hint)}
          </span>
          {asking ? (
            <>
              <Button
                tone="danger"
                data-testid="api-key-remove-confirm"
                size="tiny"
                onClick={() => void actions.setApiKey(null).then(onProblem)}
              >
                {words.settings.remove}
              </Button>
              <Button autoFocus size="tiny" onClick={() => setAsking(false)}>
                {words.settings.keep}
              </Button>
            </>
          ) : (
            <Button data-testid="api-key-remove" size="tiny" onClick={() => setAsking(true)}>
              {words.settings.removeKey}
            </Button>
          )}
        </div>
      );
  }
}
