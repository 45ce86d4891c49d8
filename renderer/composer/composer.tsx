import { useEffect, useRef } from 'react';
import type { KeyboardEvent } from 'react';
import { TURN_TEXT_MAX } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { isAnswering } from '../store/conversations.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { isMendedInSettings, words } from '../words.ts';

/** Where the user writes. What is typed stays until the core has it on disk. */
export function Composer({ sessionId }: { sessionId: string }) {
  const actions = useActions();
  const draft = useSelect((state) => state.drafts[sessionId] ?? '');
  const pending = useSelect((state) => state.pending[sessionId]);
  const problem = useSelect((state) => state.sendProblems[sessionId]);
  const answering = useSelect((state) => isAnswering(state.conversations[sessionId], state.sessions[sessionId]?.link));
  const field = useComposerFocus();

  const over = draft.trim().length - TURN_TEXT_MAX;
  const sendable = draft.trim() !== '' && over <= 0 && pending === undefined;
  const send = () => {
    if (!sendable) return;
    void actions.send(sessionId);
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a word; Safari tells it by the key code alone.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="px-4 pb-3 sm:px-8"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto max-w-measure">
        <div className="flex items-end gap-2 rounded-lg border border-edge bg-raised p-1.5 focus-within:border-live focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-live/40">
          <textarea
            ref={field}
            data-testid="composer"
            aria-label={words.composer.label}
            aria-describedby="composer-says"
            placeholder={words.composer.placeholder}
            rows={1}
            dir="auto"
            value={draft}
            className={`grows max-h-[40vh] min-h-8 min-w-0 flex-1 resize-none bg-transparent px-2.5 py-1 text-base leading-6 outline-none placeholder:text-faint ${pending === undefined ? '' : 'text-soft'}`}
            onChange={(event) => actions.setDraft(sessionId, event.target.value)}
            onKeyDown={onKeyDown}
          />
          {answering && (
            <Button data-testid="stop" className="px-2.5" onClick={() => void actions.stop(sessionId)}>
              <Icon name="stop" />
              <span className="sr-only sm:not-sr-only">{words.composer.stop}</span>
            </Button>
          )}
          <Button
            type="submit"
            tone="primary"
            data-testid="send"
            title={words.composer.hint}
            className="px-2.5"
            disabled={!sendable}
          >
            <Icon name="send" />
            <span className="sr-only sm:not-sr-only">{words.composer.send}</span>
          </Button>
        </div>
        <div id="composer-says" role="status" className="text-note empty:hidden">
          {problem !== undefined ? (
            <p
              data-testid="send-problem"
              className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-ui text-need"
            >
              {problem.message}
              {isMendedInSettings(problem.code) && (
                <Button size="tiny" onClick={() => actions.showSettings(true)}>
                  {words.link.openSettings}
                </Button>
              )}
            </p>
          ) : over > 0 ? (
            <p className="mt-2 text-ui text-need">{words.composer.tooLong(over)}</p>
          ) : pending?.state === 'unreached' ? (
            <p className="mt-2 text-wait">{words.composer.unreached}</p>
          ) : null}
        </div>
      </div>
    </form>
  );
}

/** Takes the focus at the start and whenever it is asked for, unless that would bring up a keyboard on the screen. */
function useComposerFocus() {
  const field = useRef<HTMLTextAreaElement>(null);
  const requests = useSelect((state) => state.focusRequests);
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) field.current?.focus();
  }, [requests]);
  return field;
}
