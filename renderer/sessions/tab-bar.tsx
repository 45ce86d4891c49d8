import { useEffect, useMemo, useRef } from 'react';
import type { KeyboardEvent } from 'react';
import type { Session } from '../../src/contract/index.ts';
import { LinkGlyph } from '../status/link-glyph.tsx';
import { useActions, useSelect } from '../store/context.tsx';
import { tabsOf } from '../store/sessions.ts';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { linkWords, words } from '../words.ts';
import { InlineRename } from './inline-rename.tsx';

/** The open sessions. One tab is in the tab order; arrow keys go from tab to tab, Delete closes. */
export function TabBar({ withMenu }: { withMenu: boolean }) {
  const sessions = useSelect((state) => state.sessions);
  const activeId = useSelect((state) => state.activeId);
  const drawerOpen = useSelect((state) => state.drawerOpen);
  const tabs = useMemo(() => tabsOf(sessions), [sessions]);
  const actions = useActions();
  const list = useRef<HTMLDivElement>(null);

  const goTo = (place: number) => {
    const tab = tabs[(place + tabs.length) % tabs.length];
    if (tab === undefined) return;
    actions.activate(tab.id);
    document.getElementById(`tab-${tab.id}`)?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = tabs.findIndex((tab) => tab.id === activeId);
    const active = tabs[at];
    const forward = getComputedStyle(event.currentTarget).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') goTo(event.key === forward ? at + 1 : at - 1);
    else if (event.key === 'Home') goTo(0);
    else if (event.key === 'End') goTo(tabs.length - 1);
    else if (event.key === 'Delete' && active !== undefined) closeFromKeyboard(active.id);
    else return;
    event.preventDefault();
  };

  const closeFromKeyboard = (sessionId: string) => {
    void actions.closeSession(sessionId).then(() => {
      // The focus stays among the tabs instead of falling to the page.
      requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
    });
  };

  return (
    <header className="flex h-11 shrink-0 items-stretch border-b border-line bg-surface">
      {withMenu && (
        <IconButton
          label={words.sessions.openList}
          aria-expanded={drawerOpen}
          className="m-1.5"
          onClick={() => actions.showDrawer(true)}
        >
          <Icon name="menu" />
        </IconButton>
      )}
      <div
        ref={list}
        role="tablist"
        aria-label={words.sessions.tabs}
        className="-mb-px flex min-w-0 overflow-x-auto overflow-y-hidden [scrollbar-width:none]"
        onKeyDown={onKeyDown}
      >
        {tabs.map((session) => (
          <Tab key={session.id} session={session} selected={session.id === activeId} />
        ))}
      </div>
      <IconButton label={words.sessions.create} className="m-1.5" onClick={() => void actions.newSession()}>
        <Icon name="plus" />
      </IconButton>
    </header>
  );
}

function Tab({ session, selected }: { session: Session; selected: boolean }) {
  const actions = useActions();
  const ref = useRef<HTMLButtonElement>(null);
  const renaming = useSelect((state) => state.renaming?.place === 'tab' && state.renaming.sessionId === session.id);

  const returnFocus = useRef(false);
  useEffect(() => {
    if (renaming || !returnFocus.current) return;
    returnFocus.current = false;
    ref.current?.focus();
  }, [renaming]);

  useEffect(() => {
    if (selected) ref.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [selected]);

  return (
    <div
      role="presentation"
      className={`group relative flex max-w-56 min-w-32 shrink-0 items-center border-r border-line ${selected ? 'bg-ground' : 'border-b hover:bg-wash'}`}
      onMouseDown={(event) => {
        // Otherwise the middle button starts the browser's own scrolling.
        if (event.button === 1) event.preventDefault();
      }}
      onAuxClick={(event) => {
        if (event.button === 1) void actions.closeSession(session.id);
      }}
    >
      {renaming ? (
        <InlineRename
          title={session.title}
          className="mx-2"
          onDone={(title, byKey) => {
            returnFocus.current = byKey;
            actions.rename(null);
            if (title !== null) void actions.renameSession(session.id, title);
          }}
        />
      ) : (
        <>
          <button
            ref={ref}
            type="button"
            role="tab"
            id={`tab-${session.id}`}
            data-testid="session-tab"
            data-session-id={session.id}
            aria-selected={selected}
            aria-controls={selected ? 'session-panel' : undefined}
            tabIndex={selected ? 0 : -1}
            title={`${session.title}\n${linkWords(session.link)}`}
            className={`flex h-full min-w-0 flex-1 items-center gap-2 pr-8 pl-3 text-left -outline-offset-2 ${selected ? 'text-ink' : 'text-soft'}`}
            onClick={(event) => {
              actions.activate(session.id);
              // A click means going there to write; someone who steps through tabs by key stays among them.
              if (event.detail > 0) actions.focusComposer();
            }}
            onDoubleClick={() => actions.rename({ sessionId: session.id, place: 'tab' })}
          >
            <LinkGlyph kind={session.link.kind} />
            <span className="truncate" dir="auto">
              {session.title}
            </span>
          </button>
          {/* For the mouse alone: a tab may not contain a button. The keyboard closes with Delete, the list has a button too. */}
          <button
            type="button"
            tabIndex={-1}
            aria-hidden="true"
            title={words.sessions.closeTab}
            className={`absolute right-1.5 inline-flex size-6 items-center justify-center rounded-sm text-faint transition-opacity hover:bg-wash hover:text-ink ${selected ? '' : 'opacity-0 group-hover:opacity-100 [@media(hover:none)]:opacity-100'}`}
            onClick={() => void actions.closeSession(session.id)}
          >
            <Icon name="close" className="size-3.5" />
          </button>
        </>
      )}
    </div>
  );
}
