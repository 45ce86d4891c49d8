import { useEffect, useMemo, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { useActions, useSelect } from '../store/context.tsx';
import { groupByAge } from '../store/sessions.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Mark } from '../ui/mark.tsx';
import { Modal } from '../ui/modal.tsx';
import { words } from '../words.ts';
import { SessionItem } from './session-item.tsx';

/** The list of sessions beside the conversation. */
export function Sidebar() {
  return (
    <aside aria-label={words.sessions.heading} className="flex w-68 shrink-0 flex-col border-r border-line bg-surface">
      <SidebarBody />
    </aside>
  );
}

/** The same list over the conversation, where there is no room beside it. */
export function Drawer() {
  const actions = useActions();
  const close = () => actions.showDrawer(false);
  return (
    <Modal
      label={words.sessions.heading}
      onClose={close}
      className="m-0 h-dvh max-h-none w-[min(20rem,calc(100vw-3rem))] max-w-none border-r border-line bg-surface"
    >
      <div className="flex h-full flex-col">
        <SidebarBody onClose={close} />
      </div>
    </Modal>
  );
}

function SidebarBody({ onClose }: { onClose?: () => void }) {
  const actions = useActions();
  const version = useSelect((state) => state.info?.version);
  return (
    <>
      <div className="flex h-11 shrink-0 items-center gap-2 pr-1.5 pl-4">
        <Mark className="size-5 text-live" />
        <span className="flex-1 text-[0.9375rem] font-semibold tracking-tight">{words.app}</span>
        {onClose !== undefined && (
          <IconButton label={words.sessions.closeList} onClick={onClose}>
            <Icon name="close" />
          </IconButton>
        )}
      </div>
      <div className="px-3 pt-1 pb-2">
        <Button
          data-testid="new-session"
          className="w-full justify-start bg-raised pl-2.5"
          onClick={() => void actions.newSession()}
        >
          <Icon name="plus" />
          {words.sessions.create}
        </Button>
      </div>
      <SessionList />
      <div className="flex items-center gap-2 border-t border-line p-1.5">
        <Button
          tone="quiet"
          data-testid="settings-open"
          className="flex-1 justify-start px-2.5"
          onClick={() => {
            onClose?.();
            actions.showSettings(true);
          }}
        >
          <Icon name="settings" />
          {words.settings.open}
        </Button>
        {version !== undefined && <span className="pr-2.5 font-mono text-note text-faint">{version}</span>}
      </div>
    </>
  );
}

function SessionList() {
  const sessions = useSelect((state) => state.sessions);
  const loaded = useSelect((state) => state.loaded);
  const more = useSelect((state) => state.sessionsCursor !== null);
  const today = useToday();
  const groups = useMemo(() => groupByAge(sessions, new Date(today)), [sessions, today]);
  const actions = useActions();

  return (
    <nav
      aria-label={words.sessions.heading}
      className="min-h-0 flex-1 overflow-y-auto px-1.5 pb-3"
      onKeyDown={stepThrough}
    >
      {loaded && groups.length === 0 && <p className="px-2.5 py-2 text-faint">{words.sessions.noneYet}</p>}
      {groups.map((group) => (
        <section key={group.age} aria-labelledby={`age-${group.age}`}>
          <h2 id={`age-${group.age}`} className="px-2.5 pt-4 pb-1 text-note font-medium text-faint">
            {words.sessions.age[group.age]}
          </h2>
          <ul>
            {group.sessions.map((session) => (
              <SessionItem key={session.id} session={session} />
            ))}
          </ul>
        </section>
      ))}
      {more && (
        <Button tone="quiet" className="mt-2 w-full" onClick={() => void actions.loadMoreSessions()}>
          {words.sessions.more}
        </Button>
      )}
    </nav>
  );
}

/** Up and down go from session to session, as in any list. */
function stepThrough(event: KeyboardEvent<HTMLElement>) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const entries = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-session-entry]')];
  const at = entries.findIndex((entry) => entry.closest('li')?.contains(document.activeElement));
  const next = entries[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (at < 0 || next === undefined) return;
  next.focus();
  event.preventDefault();
}

/** The start of the user's present day in milliseconds; changes at midnight, so that the groups do. */
function useToday(): number {
  const [today, setToday] = useState(startOfToday);
  useEffect(() => {
    const now = new Date();
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime();
    const timer = setTimeout(() => setToday(startOfToday()), midnight - now.getTime() + 1_000);
    return () => clearTimeout(timer);
  }, [today]);
  return today;
}

function startOfToday(): number {
  return new Date().setHours(0, 0, 0, 0);
}
