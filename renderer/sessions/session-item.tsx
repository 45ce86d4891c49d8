import { memo, useEffect, useRef, useState } from 'react';
import type { Session } from '../../src/contract/index.ts';
import { LinkGlyph } from '../status/link-glyph.tsx';
import { useActions, useSelect } from '../store/context.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { linkWords, words } from '../words.ts';
import { InlineRename } from './inline-rename.tsx';

/** One session in the list: opens it, and offers to rename, to close and to delete in place. */
export const SessionItem = memo(function SessionItem({ session }: { session: Session }) {
  const actions = useActions();
  const active = useSelect((state) => state.activeId === session.id);
  const renaming = useSelect((state) => state.renaming?.place === 'sidebar' && state.renaming.sessionId === session.id);
  const [asking, setAsking] = useState(false);
  const entry = useRef<HTMLButtonElement>(null);
  const returnFocus = useRef(false);
  useEffect(() => {
    if (asking || renaming || !returnFocus.current) return;
    returnFocus.current = false;
    entry.current?.focus();
  }, [asking, renaming]);

  const ask = () => setAsking(true);
  const rename = () => actions.rename({ sessionId: session.id, place: 'sidebar' });

  return (
    <li
      data-testid="session-item"
      data-session-id={session.id}
      className={`group relative flex min-h-9 items-center rounded-md ${active ? 'bg-wash' : 'hover:bg-wash/60'}`}
    >
      {asking ? (
        <DeleteQuestion
          title={session.title}
          onKeep={() => {
            returnFocus.current = true;
            setAsking(false);
          }}
          onDelete={() => {
            setAsking(false);
            void actions.deleteSession(session.id);
          }}
        />
      ) : renaming ? (
        <InlineRename
          title={session.title}
          className="mx-1.5"
          onDone={(title, byKey) => {
            returnFocus.current = byKey;
            actions.rename(null);
            if (title !== null) void actions.renameSession(session.id, title);
          }}
        />
      ) : (
        <>
          <button
            ref={entry}
            type="button"
            data-session-entry=""
            aria-current={active ? 'true' : undefined}
            title={session.title}
            className={`flex h-9 min-w-0 flex-1 items-center gap-2.5 rounded-md px-2.5 text-left -outline-offset-2 ${active ? 'text-ink' : 'text-soft group-hover:text-ink'}`}
            onClick={() => void actions.openSession(session.id)}
            onDoubleClick={rename}
            onKeyDown={(event) => {
              if (event.key === 'F2') rename();
              else if (event.key === 'Delete') ask();
              else return;
              event.preventDefault();
            }}
          >
            <LinkGlyph kind={session.status === 'open' ? session.link.kind : 'closed'} />
            <span className="truncate" dir="auto">
              {session.title}
            </span>
            <span className="sr-only">{session.status === 'open' ? linkWords(session.link) : words.link.closed}</span>
          </button>
          <div
            role="group"
            aria-label={words.sessions.actions(session.title)}
            className="hidden shrink-0 items-center pr-1 group-focus-within:flex group-hover:flex [@media(hover:none)]:flex"
          >
            <IconButton label={words.sessions.rename} size="small" onClick={rename}>
              <Icon name="rename" />
            </IconButton>
            <IconButton
              label={words.sessions.export}
              size="small"
              onClick={() => {
                // The dialog gives the focus back to where it was, and this button is hidden by then.
                entry.current?.focus();
                actions.showTransfer({ kind: 'export', session: { id: session.id, title: session.title } });
              }}
            >
              <Icon name="export" />
            </IconButton>
            {session.status === 'open' && (
              <IconButton
                label={words.sessions.closeTab}
                size="small"
                onClick={() => void actions.closeSession(session.id)}
              >
                <Icon name="close" />
              </IconButton>
            )}
            <IconButton label={words.sessions.delete} size="small" onClick={ask}>
              <Icon name="trash" />
            </IconButton>
          </div>
        </>
      )}
    </li>
  );
});

interface DeleteQuestionProps {
  readonly title: string;
  readonly onKeep: () => void;
  readonly onDelete: () => void;
}

function DeleteQuestion({ title, onKeep, onDelete }: DeleteQuestionProps) {
  return (
    <div
      role="group"
      aria-label={words.sessions.deleteNamed(title)}
      className="flex w-full items-center gap-1 rounded-md bg-need-wash p-1"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onKeep();
      }}
    >
      <Button tone="danger" size="small" className="min-w-0 flex-1" onClick={onDelete}>
        {words.sessions.deleteForGood}
      </Button>
      <Button tone="quiet" size="small" autoFocus onClick={onKeep}>
        {words.sessions.keep}
      </Button>
    </div>
  );
}
