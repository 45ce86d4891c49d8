import { useEffect, useRef, useState } from 'react';
import type { LinkState, Problem } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { happenedWords, settingsStepWords } from '../problem-words.ts';
import { linkWords, words } from '../words.ts';
import { LinkGlyph } from './link-glyph.tsx';
import { LinkPanel } from './link-panel.tsx';
import { useNow } from './now.ts';
import { useMendingPlace } from './mending-place.ts';
import { timeOf } from './times.ts';

const COUNT_MS = 250;
/** After midnight a time is told with its day. */
const DAY_CHECK_MS = 60_000;
/** Words up to this length leave room for the time in a narrow window. */
const SHORT_WORDS = 24;
const PANEL_ID = 'link-panel';

/** The state of the shown session's link, in words, with what can be done about it. */
export function LinkBar({ sessionId }: { sessionId: string | null }) {
  const link = useSelect((state) => (sessionId === null ? undefined : state.sessions[sessionId]?.link));
  const model = useSelect((state) => state.settings?.settings.model);
  const demo = useSelect((state) => state.settings?.provider === 'demo');
  // What the core last said of the link may have changed since; to claim it would be a guess.
  const reached = useSelect((state) => state.connection === 'open');
  const needsYou = reached && link?.kind === 'needs-you';
  return (
    <footer
      className={`relative flex min-h-8 flex-wrap items-center gap-x-2 gap-y-1 border-t px-2.5 py-1 text-note sm:flex-nowrap ${needsYou ? 'border-need/40 bg-need-wash' : 'border-line bg-surface'}`}
    >
      {link !== undefined && sessionId !== null && reached && (
        <LinkLine key={sessionId} link={link} sessionId={sessionId} />
      )}
      {link !== undefined && !reached && (
        <div data-testid="link-state" data-kind="unknown" className="flex min-w-0 items-center gap-2 px-1.5 text-soft">
          <LinkGlyph kind="closed" />
          {words.link.unknown}
        </div>
      )}
      {/* While it waits the reason is worth more. */}
      <span
        className={`ml-auto hidden min-w-0 truncate px-1.5 font-mono text-faint ${reached && link?.kind === 'waiting' ? 'lg:block' : 'sm:block'}`}
      >
        {demo ? words.conversation.demo : model}
      </span>
    </footer>
  );
}

function LinkLine({ link, sessionId }: { link: LinkState; sessionId: string }) {
  const [open, setOpen] = useState(false);
  const now = useNow(DAY_CHECK_MS);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  useDismissal(open, panel, button, () => setOpen(false));
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      {open && <LinkPanel ref={panel} id={PANEL_ID} link={link} sessionId={sessionId} onClose={close} />}
      <button
        ref={button}
        type="button"
        data-testid="link-state"
        data-kind={link.kind}
        title={words.health.open}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={open ? PANEL_ID : undefined}
        className={`flex min-h-6 min-w-0 items-center gap-2 rounded-sm px-1.5 text-left text-soft -outline-offset-2 hover:bg-wash hover:text-ink ${open ? 'bg-wash text-ink' : ''}`}
        onClick={() => setOpen(!open)}
      >
        <LinkGlyph kind={link.kind} />
        {link.kind === 'waiting' ? (
          <>
            {/* In a narrow window the reason has a line of its own. */}
            <span className="flex min-w-0 flex-col sm:flex-row">
              <span aria-hidden="true" className="whitespace-nowrap text-wait tabular-nums">
                <Countdown until={link.until} />
              </span>
              <span className="sr-only">{linkWords(link)}</span>
              <span className="min-w-0 sm:truncate sm:before:content-['·'] sm:before:mx-1.5">
                {happenedWords(link.problem)}
              </span>
            </span>
          </>
        ) : (
          <span className={link.kind === 'needs-you' ? 'text-ui text-need' : ''}>{linkWords(link)}</span>
        )}
        <span
          className={`whitespace-nowrap text-faint ${link.kind === 'waiting' ? 'hidden xl:inline' : linkWords(link).length > SHORT_WORDS ? 'hidden min-[28rem]:inline' : ''}`}
        >
          {' '}
          {words.link.since(timeOf(link.since, now))}
        </span>
        <Icon name="chevron" className={`size-3.5 text-faint ${open ? 'rotate-90' : '-rotate-90'}`} />
      </button>
      {/* The words without the running count: a count would be read aloud every second. */}
      <span role="status" className="sr-only">
        {linkWords(link)}
        {link.kind === 'waiting' && `: ${happenedWords(link.problem)}`}
      </span>
      {!open && <NextStep link={link} sessionId={sessionId} />}
    </>
  );
}

/** What is most likely wanted, without opening the panel. The panel has it too. */
function NextStep({ link, sessionId }: { link: LinkState; sessionId: string }) {
  const actions = useActions();
  switch (link.kind) {
    case 'waiting':
      return (
        <Button size="tiny" onClick={() => void actions.reconnect(sessionId)}>
          {words.link.reconnectNow}
        </Button>
      );
    case 'paused':
      return link.by === 'user' ? (
        <Button size="tiny" data-testid="link-resume" onClick={() => void actions.resumeLink(sessionId)}>
          {words.link.resume}
        </Button>
      ) : (
        <Button size="tiny" onClick={() => void actions.reconnect(sessionId)}>
          {words.link.tryAgain}
        </Button>
      );
    case 'needs-you':
      return <Mending problem={link.problem} sessionId={sessionId} />;
    case 'idle':
    case 'connecting':
    case 'restoring':
    case 'live':
    case 'rotating':
    case 'closed':
      return null;
  }
}

function Mending({ problem, sessionId }: { problem: Problem; sessionId: string }) {
  const actions = useActions();
  const inSettings = useMendingPlace(problem.code) === 'settings';
  return (
    <span className="flex shrink-0 flex-wrap gap-2">
      {inSettings && (
        <Button size="tiny" onClick={() => actions.showSettings(true)}>
          {settingsStepWords(problem.code).name}
        </Button>
      )}
      <Button size="tiny" onClick={() => void actions.reconnect(sessionId)}>
        {words.link.tryAgain}
      </Button>
    </span>
  );
}

/** `until` in milliseconds since the epoch. */
function Countdown({ until }: { until: number }) {
  const seconds = Math.max(0, Math.ceil((until - useNow(COUNT_MS)) / 1_000));
  return (
    <>
      <span className="max-sm:hidden">{words.link.waiting} – </span>
      <span className="inline-block max-sm:first-letter:uppercase">{words.link.tryingAgain(seconds)}</span>
    </>
  );
}

type Box = { readonly current: HTMLElement | null };

/** Closes what is open when the reader turns to something else: presses elsewhere, or takes the focus there. */
function useDismissal(open: boolean, panel: Box, button: Box, onDismiss: () => void): void {
  const dismiss = useRef(onDismiss);
  useEffect(() => {
    dismiss.current = onDismiss;
  });
  useEffect(() => {
    if (!open) return undefined;
    const onTurn = ({ target }: Event) => {
      if (!(target instanceof Node)) return;
      if (panel.current?.contains(target) !== true && button.current?.contains(target) !== true) dismiss.current();
    };
    document.addEventListener('pointerdown', onTurn);
    document.addEventListener('focusin', onTurn);
    return () => {
      document.removeEventListener('pointerdown', onTurn);
      document.removeEventListener('focusin', onTurn);
    };
  }, [open, panel, button]);
}
