import { memo, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { textOf } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import type { PendingSend } from '../store/state.ts';
import { Icon } from '../ui/icon.tsx';
import type { IconName } from '../ui/icon.tsx';
import { isMendedInSettings, words } from '../words.ts';
import { copyText } from './clipboard.ts';
import { MessageParts } from './message-parts.tsx';
import { MessageText } from './message-text.tsx';

const COPIED_MS = 1_500;

interface MessageProps {
  readonly turn: Turn;
  /** The last turn of its session: it alone is worth saying to be waited for, and shows its buttons without asking. */
  readonly latest: boolean;
}

/** One turn. Rendered again only when the turn itself changes, whatever else streams. */
export const Message = memo(function Message({ turn, latest }: MessageProps) {
  return turn.role === 'user' ? (
    <UserMessage turn={turn} latest={latest} />
  ) : (
    <ModelMessage turn={turn} latest={latest} />
  );
});

function UserMessage({ turn, latest }: MessageProps) {
  const failed = turn.status === 'failed';
  return (
    <article
      data-testid="message"
      data-role="user"
      data-status={turn.status}
      data-turn-id={turn.id}
      className="group/message flex flex-col items-end"
    >
      <h3 className="sr-only">{words.conversation.you}</h3>
      <div className={`max-w-[85%] min-w-0 rounded-lg px-4 py-2 text-body ${failed ? 'bg-need-wash' : 'bg-wash'}`}>
        <MessageParts parts={turn.parts} />
      </div>
      {failed && <ProblemLine turn={turn} end />}
      <Meta at={turn.createdAt} pinned={failed} end>
        {latest && turn.status === 'queued' && <Quiet>{words.conversation.status.queued}</Quiet>}
        {latest && turn.status === 'sent' && <Quiet>{words.conversation.status.sent}</Quiet>}
        {failed && <AskAgain turn={turn} label={words.conversation.sendAgain} />}
        <Copy turn={turn} />
      </Meta>
    </article>
  );
}

const EDGES: Partial<Record<Turn['status'], string>> = {
  streaming: 'border-live',
  interrupted: 'border-wait-mark',
  failed: 'border-need',
};

function ModelMessage({ turn, latest }: MessageProps) {
  const streaming = turn.status === 'streaming';
  const cut = turn.status === 'interrupted' || turn.status === 'failed' || turn.status === 'stopped';
  return (
    <article
      data-testid="message"
      data-role="model"
      data-status={turn.status}
      data-turn-id={turn.id}
      aria-busy={streaming}
      className={`group/message -ml-4 border-l-2 pl-3.5 ${EDGES[turn.status] ?? 'border-transparent'}`}
    >
      <header className="flex h-6 items-center gap-2 text-note text-faint">
        <h3
          className={`font-medium ${turn.provider === 'demo' ? 'rounded-sm border border-line px-1.5 text-soft' : ''}`}
        >
          {answererOf(turn)}
        </h3>
        {streaming && turn.parts.length === 0 && <span>{words.conversation.answering}</span>}
      </header>
      <div className="text-body">
        <MessageParts parts={turn.parts} />
      </div>
      {turn.status === 'interrupted' && (
        <p className="mt-2 text-ui text-wait">{words.conversation.status.interrupted}</p>
      )}
      {turn.status === 'stopped' && <p className="mt-2 text-ui text-faint">{words.conversation.status.stopped}</p>}
      {turn.status === 'failed' && <ProblemLine turn={turn} />}
      {!streaming && (
        <Meta at={turn.endedAt ?? turn.createdAt} pinned={cut || latest}>
          <AskAgain turn={turn} label={words.conversation.askAgain} />
          <Copy turn={turn} />
        </Meta>
      )}
    </article>
  );
}

/** Who a model turn is from, in the user's words. */
export function answererOf(turn: Turn): string {
  return turn.provider === 'demo' ? words.conversation.demo : words.conversation.gemini;
}

/** A turn that the core has not confirmed: shown so that nobody wonders where it went. */
export function UnkeptMessage({ pending }: { pending: PendingSend }) {
  return (
    <article
      data-testid="message"
      data-role="user"
      data-status="unkept"
      data-turn-id={pending.turnId}
      className="flex flex-col items-end"
    >
      <h3 className="sr-only">{words.conversation.you}</h3>
      <div className="max-w-[85%] min-w-0 rounded-lg border border-dashed border-wait-mark px-4 py-2 text-body text-soft">
        <MessageText text={pending.text} testId="message-text" />
      </div>
      <p className="mt-1 text-right text-note text-wait">{words.conversation.unkept}</p>
    </article>
  );
}

function ProblemLine({ turn, end = false }: { turn: Turn; end?: boolean }) {
  const actions = useActions();
  return (
    <div
      className={`mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-ui text-need ${end ? 'justify-end text-right' : ''}`}
    >
      <p className="[overflow-wrap:anywhere]">{turn.problem?.message ?? words.conversation.status.failed}</p>
      {turn.problem !== undefined && isMendedInSettings(turn.problem.code) && (
        <MetaButton icon="settings" label={words.link.openSettings} onClick={() => actions.showSettings(true)} />
      )}
    </div>
  );
}

interface MetaProps {
  readonly at: number;
  /** Shown without hovering. */
  readonly pinned: boolean;
  readonly end?: boolean;
  readonly children: ReactNode;
}

/** The line under a message. It always takes its room, so that nothing moves when it shows. */
function Meta({ at, pinned, end = false, children }: MetaProps) {
  const show = pinned
    ? ''
    : '[&_button]:opacity-0 group-focus-within/message:[&_button]:opacity-100 group-hover/message:[&_button]:opacity-100 [@media(hover:none)]:[&_button]:opacity-100';
  return (
    <div className={`mt-1 flex min-h-6 flex-wrap items-center gap-x-3 ${end ? 'justify-end' : ''} ${show}`}>
      {!end && <Time at={at} />}
      <div className="flex items-center gap-x-1">{children}</div>
      {end && <Time at={at} />}
    </div>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

function Time({ at }: { at: number }) {
  return (
    <time
      dateTime={new Date(at).toISOString()}
      title={calendar.format(at)}
      className="font-mono text-note text-faint tabular-nums"
    >
      {clock.format(at)}
    </time>
  );
}

function Quiet({ children }: { children: ReactNode }) {
  return <span className="text-note text-faint">{children}</span>;
}

function AskAgain({ turn, label }: { turn: Turn; label: string }) {
  const actions = useActions();
  return <MetaButton icon="again" label={label} onClick={() => void actions.regenerate(turn.sessionId, turn.id)} />;
}

function Copy({ turn }: { turn: Turn }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <MetaButton
      icon={copied ? 'check' : 'copy'}
      label={copied ? words.conversation.copied : words.conversation.copy}
      onClick={() => void copyText(textOf(turn)).then(setCopied)}
    />
  );
}

interface MetaButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
}

function MetaButton({ icon, label, onClick }: MetaButtonProps) {
  return (
    <button
      type="button"
      className="inline-flex h-6 items-center gap-1 rounded-sm px-1.5 text-note text-soft transition-opacity hover:bg-wash hover:text-ink"
      onClick={onClick}
    >
      <Icon name={icon} className="size-3.5" />
      {label}
    </button>
  );
}
