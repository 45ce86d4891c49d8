import { useEffect, useState } from 'react';
import type { LinkState } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { Button } from '../ui/button.tsx';
import { isMendedInSettings, linkWords, words } from '../words.ts';
import { LinkGlyph } from './link-glyph.tsx';

const TICK_MS = 250;

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
      className={`flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1.5 border-t px-4 py-1 text-note sm:flex-nowrap ${needsYou ? 'border-need/40 bg-need-wash' : 'border-line bg-surface'}`}
    >
      {link !== undefined && sessionId !== null && reached && <LinkLine link={link} sessionId={sessionId} />}
      {link !== undefined && !reached && (
        <div data-testid="link-state" data-kind="unknown" className="flex min-w-0 items-center gap-2 text-soft">
          <LinkGlyph kind="closed" />
          {words.link.unknown}
        </div>
      )}
      <span className="ml-auto hidden min-w-0 truncate pl-2 font-mono text-faint sm:block">
        {demo ? words.conversation.demo : model}
      </span>
    </footer>
  );
}

function LinkLine({ link, sessionId }: { link: LinkState; sessionId: string }) {
  const actions = useActions();
  return (
    <>
      <div data-testid="link-state" data-kind={link.kind} className="flex min-w-0 items-baseline gap-2 text-soft">
        <LinkGlyph kind={link.kind} />
        {link.kind === 'waiting' ? (
          <>
            <span aria-hidden="true" className="text-wait tabular-nums">
              <Countdown until={link.until} />
            </span>
            <span className="sr-only">{linkWords(link)}</span>
          </>
        ) : (
          <span className={link.kind === 'needs-you' ? 'text-ui text-need' : ''}>{linkWords(link)}</span>
        )}
      </div>
      {/* The words without the running count: a count would be read aloud every second. */}
      <span role="status" className="sr-only">
        {linkWords(link)}
      </span>
      {link.kind === 'waiting' && (
        <Button size="tiny" title={link.problem.message} onClick={() => void actions.reconnect(sessionId)}>
          {words.link.reconnectNow}
        </Button>
      )}
      {link.kind === 'needs-you' && (
        <span className="flex shrink-0 flex-wrap gap-2">
          {isMendedInSettings(link.problem.code) && (
            <Button size="tiny" onClick={() => actions.showSettings(true)}>
              {words.link.openSettings}
            </Button>
          )}
          <Button size="tiny" onClick={() => void actions.reconnect(sessionId)}>
            {words.link.tryAgain}
          </Button>
        </span>
      )}
    </>
  );
}

/** `until` in milliseconds since the epoch. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return words.link.waitingUntil(Math.max(0, Math.ceil((until - now) / 1_000)));
}
