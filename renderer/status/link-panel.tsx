import { useEffect, useState } from 'react';
import type { ReactNode, Ref } from 'react';
import type { LinkState, Problem } from '../../src/contract/index.ts';
import { keyFixedWords, settingsStepWords, tryAgainWords } from '../problem-words.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { isConnected, streamingAnswer } from '../store/conversations.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { linkWords, words } from '../words.ts';
import { LinkFigures } from './link-figures.tsx';
import { LinkGlyph } from './link-glyph.tsx';
import { durationWords, timeOf } from './times.ts';
import { useNow } from './now.ts';
import { useMendingPlace } from './mending-place.ts';

const TICK_MS = 1_000;

interface LinkPanelProps {
  readonly ref: { current: HTMLDivElement | null };
  readonly id: string;
  readonly link: LinkState;
  readonly sessionId: string;
  readonly onClose: () => void;
}

/** All about a session's link: its state, what can be done with it, how well it is, and the connections before. */
export function LinkPanel({ ref, id, link, sessionId, onClose }: LinkPanelProps) {
  useEffect(() => ref.current?.focus(), [ref]);
  useEscape(onClose);
  return (
    <div
      ref={ref as Ref<HTMLDivElement>}
      id={id}
      role="dialog"
      aria-label={words.health.heading}
      data-testid="link-panel"
      tabIndex={-1}
      className="absolute inset-x-2 bottom-full z-20 mb-1 flex max-h-[min(38rem,calc(100dvh-6rem))] flex-col rounded-lg border border-line bg-raised text-ui text-ink shadow-raised outline-none sm:right-auto sm:w-[27rem]"
    >
      <div className="flex h-11 shrink-0 items-center border-b border-line pr-1.5 pl-4">
        <h2 className="flex-1 font-semibold">{words.health.heading}</h2>
        <IconButton label={words.health.close} onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </div>
      <div className="min-h-0 overflow-y-auto overscroll-contain">
        <Present link={link} />
        <Steps link={link} sessionId={sessionId} />
        <LinkFigures sessionId={sessionId} changed={`${link.kind} ${link.since}`} />
      </div>
    </div>
  );
}

/**
 * Esc closes the panel wherever the focus is: the button that had it may be gone, and to take it elsewhere closes the panel
 * anyway. Without the panel Esc stops the answer.
 */
function useEscape(onEscape: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      onEscape();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [onEscape]);
}

function Present({ link }: { link: LinkState }) {
  const now = useNow(TICK_MS);
  const more = moreWords(link, now);
  return (
    <div className="px-4 pt-3">
      <p className="flex items-baseline gap-2 font-medium">
        <LinkGlyph kind={link.kind} />
        <span className="min-w-0 [overflow-wrap:anywhere]">
          {link.kind === 'needs-you' ? words.link.needsYou : linkWords(link)}
        </span>
      </p>
      <p className="mt-0.5 pl-[18px] text-note text-faint tabular-nums">
        {words.link.sinceFor(timeOf(link.since, now), durationWords(Math.max(0, now - link.since)))}
      </p>
      {more !== null && (
        <p
          className={`mt-2 pl-[18px] [overflow-wrap:anywhere] ${link.kind === 'needs-you' ? 'text-need' : 'text-soft'}`}
        >
          {more}
        </p>
      )}
    </div>
  );
}

function moreWords(link: LinkState, now: number): string | null {
  switch (link.kind) {
    case 'waiting':
      return words.link.attempt(link.problem.message, link.attempt, Math.max(0, Math.ceil((link.until - now) / 1_000)));
    case 'needs-you':
      return link.problem.message;
    case 'rotating':
      return words.link.rotatingUntil(timeOf(link.until, now));
    case 'idle':
    case 'connecting':
    case 'restoring':
    case 'live':
    case 'paused':
    case 'closed':
      return null;
  }
}

/** What can be done with the link, each with what it does. */
function Steps({ link, sessionId }: { link: LinkState; sessionId: string }) {
  const actions = useActions();
  const [begunFresh, setBegunFresh] = useState(false);
  const cut = useCutWords(link, sessionId);
  if (link.kind === 'closed') return null;
  const reconnect = reconnectWords(link);
  const paused = link.kind === 'paused' && link.by === 'user';
  return (
    <div className="mt-3 flex flex-col divide-y divide-line border-y border-line px-4">
      {link.kind === 'needs-you' && <MendingStep problem={link.problem} />}
      {reconnect !== null && (
        <Step says={reconnect.says + cut}>
          <Button size="small" data-testid="link-reconnect" onClick={() => void actions.reconnect(sessionId)}>
            {reconnect.name}
          </Button>
        </Step>
      )}
      {paused ? (
        <Step says={words.link.resumeNote}>
          <Button
            tone="primary"
            size="small"
            data-testid="link-resume"
            onClick={() => void actions.resumeLink(sessionId)}
          >
            {words.link.resume}
          </Button>
        </Step>
      ) : (
        <Step says={words.link.pauseNote}>
          <Button size="small" data-testid="link-pause" onClick={() => void actions.pauseLink(sessionId)}>
            {words.link.pause}
          </Button>
        </Step>
      )}
      <Step says={begunFresh ? freshWords(link) : words.link.freshNote + cut}>
        <Button
          size="small"
          data-testid="link-fresh"
          onClick={() => void actions.startFresh(sessionId).then(setBegunFresh)}
        >
          {words.link.fresh}
        </Button>
      </Step>
    </div>
  );
}

function freshWords(link: LinkState): string {
  return link.kind === 'live' ? words.link.freshDone : words.link.freshNext;
}

/** What becomes of the answer that is under way when its connection is left; nothing where there is none. */
function useCutWords(link: LinkState, sessionId: string): string {
  const goesOn = useSelect((state) => state.settings?.settings.cutAnswers === 'go-on');
  const streaming = useSelect((state) => streamingAnswer(state.conversations[sessionId]));
  if (streaming === undefined || !isConnected(link)) return '';
  // Only once by itself.
  return ` ${goesOn && streaming.continues === undefined ? words.link.cutsAnswer.goesOn : words.link.cutsAnswer.left}`;
}

function MendingStep({ problem: { code } }: { problem: Problem }) {
  const actions = useActions();
  const place = useMendingPlace(code);
  if (place === 'elsewhere') return null;
  if (place === 'key-fixed') return <Step says={keyFixedWords} />;
  const { name, says } = settingsStepWords(code);
  return (
    <Step says={says}>
      <Button size="small" onClick={() => actions.showSettings(true)}>
        {name}
      </Button>
    </Step>
  );
}

/** `null`: it waits for the user to go on, or is closed. */
function reconnectWords(link: LinkState): { readonly name: string; readonly says: string } | null {
  switch (link.kind) {
    case 'idle':
      return { name: words.link.connectNow, says: words.link.connectNowNote };
    case 'waiting':
      return { name: words.link.reconnectNow, says: words.link.reconnectNowNote };
    case 'needs-you':
      return { name: words.link.tryAgain, says: tryAgainWords(link.problem.code) };
    case 'paused':
      return link.by === 'user' ? null : { name: words.link.tryAgain, says: words.link.tryOffline };
    case 'connecting':
    case 'restoring':
      return { name: words.link.reconnectNow, says: words.link.reconnectAnewNote };
    case 'live':
    case 'rotating':
      return { name: words.link.reconnectNow, says: words.link.replaceNote };
    case 'closed':
      return null;
  }
}

function Step({ says, children }: { says: string; children?: ReactNode }) {
  return (
    <div className="flex items-center gap-4 py-2">
      <p className="min-w-0 flex-1 text-note text-soft">{says}</p>
      {children !== undefined && <div className="flex w-32 shrink-0 justify-end [&>button]:w-full">{children}</div>}
    </div>
  );
}
