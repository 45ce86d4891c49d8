import { memo, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { textOf } from '../../src/contract/index.ts';
import type { Part, Turn } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { afterCut, isConnected, isCutQuestion } from '../store/conversations.ts';
import type { PendingSend } from '../store/state.ts';
import { Icon } from '../ui/icon.tsx';
import type { IconName } from '../ui/icon.tsx';
import { settingsStepWords } from '../problem-words.ts';
import { isMendedInSettings, noteWords, words } from '../words.ts';
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
  switch (turn.role) {
    case 'user':
      return <UserMessage turn={turn} latest={latest} />;
    case 'model':
      return <ModelMessage turn={turn} latest={latest} />;
    case 'note':
      return <NoteLine turn={turn} />;
  }
});

function UserMessage({ turn, latest }: MessageProps) {
  const failed = turn.status === 'failed';
  const stopped = turn.status === 'stopped';
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
      {stopped && (
        <p className="mt-2 text-right text-ui text-faint">
          {turn.problem?.message ?? words.conversation.questionStopped}
        </p>
      )}
      <Meta at={turn.createdAt} pinned={failed || stopped} end>
        {turn.status === 'queued' && <QueuedWords turn={turn} latest={latest} />}
        {latest && turn.status === 'sent' && <Quiet>{words.conversation.status.sent}</Quiet>}
        {(failed || stopped) && <AskAgain turn={turn} label={words.conversation.sendAgain} />}
        <Copy turn={turn} />
      </Meta>
    </article>
  );
}

/** What a turn waits for that is kept and not sent. While Holdfast is out of reach nothing is claimed of the link. */
function QueuedWords({ turn, latest }: MessageProps) {
  const offline = useSelect(
    (state) => state.connection === 'open' && !isConnected(state.sessions[turn.sessionId]?.link),
  );
  const cut = useSelect((state) => isCutQuestion(state.conversations[turn.sessionId], turn));
  // What its answer waits for is said where that was cut.
  if (cut) return null;
  if (offline) return <Quiet>{words.conversation.willBeSent}</Quiet>;
  return latest ? <Quiet>{words.conversation.status.queued}</Quiet> : null;
}

const EDGES: Partial<Record<Turn['status'], string>> = {
  streaming: 'border-live',
  interrupted: 'border-wait-mark',
  failed: 'border-need',
};

function ModelMessage({ turn, latest }: MessageProps) {
  const streaming = turn.status === 'streaming';
  const interrupted = turn.status === 'interrupted';
  const cut = interrupted || turn.status === 'failed' || turn.status === 'stopped';
  const after = useSelect((state) => (interrupted ? afterCut(state.conversations[turn.sessionId], turn) : 'nothing'));
  const connected = useSelect((state) => isConnected(state.sessions[turn.sessionId]?.link));
  const continued = after === 'continued';
  const waits = after === 'waiting' && !connected;
  const joins = turn.continues !== undefined;
  return (
    <article
      data-testid="message"
      data-role="model"
      data-status={turn.status}
      data-turn-id={turn.id}
      aria-busy={streaming}
      data-continues={turn.continues}
      className={`group/message -ml-4 border-l-2 pl-3.5 ${(continued ? undefined : EDGES[turn.status]) ?? 'border-transparent'} ${joins ? '-mt-4' : ''}`}
    >
      <header className="flex h-6 items-center gap-2 text-note text-faint">
        <h3
          className={`font-medium ${joins ? 'sr-only' : turn.provider === 'demo' ? 'rounded-sm border border-line px-1.5 text-soft' : ''}`}
        >
          {answererOf(turn)}
        </h3>
        {joins && <span>{words.conversation.goesOn}</span>}
        {streaming && turn.parts.length === 0 && <span>{words.conversation.answering}</span>}
      </header>
      <div className="text-body">
        <MessageParts parts={joins ? withoutLeadingSpace(turn.parts) : turn.parts} />
      </div>
      {interrupted && !continued && (
        <p className="mt-2 text-ui text-wait">
          {turn.problem?.message ?? words.conversation.status.interrupted}
          {waits && ` ${words.conversation.willGoOn}.`}
        </p>
      )}
      {turn.status === 'stopped' && (
        <p className="mt-2 text-ui text-faint">{turn.problem?.message ?? words.conversation.status.stopped}</p>
      )}
      {turn.status === 'failed' && <ProblemLine turn={turn} />}
      {!streaming && (
        <Meta at={turn.endedAt ?? turn.createdAt} pinned={(cut && !continued) || latest}>
          {continued && <Quiet>{words.conversation.cutHere}</Quiet>}
          {!continued && !waits && <AskAgain turn={turn} label={words.conversation.askAgain} />}
          <Copy turn={turn} />
        </Meta>
      )}
    </article>
  );
}

/** The space that joined what goes on to what was cut would only indent the new paragraph. */
function withoutLeadingSpace(parts: readonly Part[]): readonly Part[] {
  const at = parts.findIndex((part) => part.type === 'text');
  return parts.map((part, place) =>
    place === at && part.type === 'text' ? { ...part, text: part.text.trimStart() } : part,
  );
}

/** Who a model turn is from, in the user's words. */
export function answererOf(turn: Turn): string {
  return turn.provider === 'demo' ? words.conversation.demo : words.conversation.gemini;
}

/** What happened to the connection at this point: a quiet line, said by nobody. */
function NoteLine({ turn }: { turn: Turn }) {
  return turn.parts.map((part, at) =>
    part.type !== 'note' ? null : (
      <div
        key={at}
        role="note"
        data-testid="note"
        data-note={part.note}
        data-turn-id={turn.id}
        title={calendar.format(turn.createdAt)}
        className="-my-1 flex items-center gap-3 text-center text-note text-faint before:h-px before:min-w-4 before:flex-1 before:bg-line after:h-px after:min-w-4 after:flex-1 after:bg-line"
      >
        <span className="text-balance">{noteWords(part.note, part.turns)}</span>
      </div>
    ),
  );
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
        <MetaButton
          icon="settings"
          label={settingsStepWords(turn.problem.code).name}
          onClick={() => actions.showSettings(true)}
        />
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
      className="inline-flex h-6 items-center gap-1 rounded-sm px-1.5 text-note whitespace-nowrap text-soft transition-opacity hover:bg-wash hover:text-ink"
      onClick={onClick}
    >
      <Icon name={icon} className="size-3.5" />
      {label}
    </button>
  );
}
