import { memo, useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import { textOf } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { lastSaid } from '../store/conversations.ts';
import type { Conversation } from '../store/state.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { words } from '../words.ts';
import { answererOf, Message, UnkeptMessage } from './message.tsx';
import { useStickToEnd } from './stick-to-end.ts';
import { sameTurns, stretchesOf, stretchKey } from './stretches.ts';

/** Longer messages are read aloud in part: a reader can go to the rest. */
const ANNOUNCED_MAX = 1_000;

/** The messages of one session. */
export function ConversationPanel({ sessionId }: { sessionId: string }) {
  const conversation = useSelect((state) => state.conversations[sessionId]);
  const title = useSelect((state) => state.sessions[sessionId]?.title ?? '');
  const pending = useSelect((state) => state.pending[sessionId]);
  const unkept = pending?.state === 'unreached' ? pending : undefined;
  const actions = useActions();
  const turns = conversation?.turns ?? [];
  const ready = conversation?.newest.kind === 'ready';
  const onNearTop = useCallback(() => void actions.loadOlder(sessionId), [actions, sessionId]);
  const { scroller, content, atEnd, toEnd, onScroll } = useStickToEnd(sessionId, turns[0]?.id, onNearTop);
  const last = lastSaid(turns);
  const lastId = last?.id;

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        tabIndex={-1}
        className="h-full overflow-x-hidden overflow-y-auto outline-none"
        onScroll={onScroll}
      >
        <div ref={content} className="flex min-h-full flex-col px-4 sm:px-8">
          {conversation?.newest.kind === 'failed' ? (
            <LoadFailed message={conversation.newest.problem.message} onAgain={() => actions.loadHistory(sessionId)} />
          ) : (
            <div
              role="log"
              aria-live="off"
              aria-label={words.conversation.log(title)}
              className="mx-auto flex w-full max-w-measure flex-1 flex-col pt-4 pb-6"
            >
              {!ready && turns.length === 0 && (
                <Centred>{<p className="animate-late">{words.conversation.loading}</p>}</Centred>
              )}
              {ready && turns.length === 0 && unkept === undefined && <Empty />}
              {ready && conversation !== undefined && turns.length > 0 && (
                <Beginning conversation={conversation} onMore={onNearTop} />
              )}
              {stretchesOf(turns).map((stretch) => (
                <Stretch
                  key={stretchKey(stretch)}
                  turns={stretch}
                  lastId={stretch.some((turn) => turn.id === lastId) ? lastId : undefined}
                />
              ))}
              {unkept !== undefined && (
                <div className="pt-6">
                  <UnkeptMessage pending={unkept} />
                </div>
              )}
            </div>
          )}
        </div>
      </div>
      {!atEnd && (
        <Button
          className="absolute bottom-3 left-1/2 -translate-x-1/2 bg-raised shadow-raised"
          data-testid="jump-to-latest"
          onClick={toEnd}
        >
          <Icon name="down" />
          {words.conversation.toLatest}
        </Button>
      )}
      <Announcer last={last} />
    </div>
  );
}

interface StretchProps {
  readonly turns: readonly Turn[];
  readonly lastId: string | undefined;
}

const Stretch = memo(
  function Stretch({ turns, lastId }: StretchProps) {
    return (
      <div data-stretch="" className="stretch-of-messages -mx-4 flex flex-col gap-6 px-4 py-3 sm:-mx-8 sm:px-8">
        {turns.map((turn) => (
          <Message key={turn.id} turn={turn} latest={turn.id === lastId} />
        ))}
      </div>
    );
  },
  (before, after) => before.lastId === after.lastId && sameTurns(before.turns, after.turns),
);

function Beginning({ conversation, onMore }: { conversation: Conversation; onMore: () => void }) {
  const text = 'py-2 text-center text-note text-faint';
  if (conversation.older === 'failed') {
    return (
      <div className="flex items-center justify-center gap-3 py-2 text-note text-faint">
        {words.conversation.olderFailed}
        <Button size="tiny" onClick={onMore}>
          {words.conversation.loadAgain}
        </Button>
      </div>
    );
  }
  return (
    <p className={text}>{conversation.hasMore ? words.conversation.loadingOlder : words.conversation.beginning}</p>
  );
}

function Centred({ children }: { children: ReactNode }) {
  return <div className="m-auto max-w-sm py-8 text-center text-soft">{children}</div>;
}

function Empty() {
  return (
    <Centred>
      <p className="text-body font-medium text-ink">{words.conversation.empty}</p>
      <p className="mt-1">{words.conversation.emptyBody}</p>
    </Centred>
  );
}

function LoadFailed({ message, onAgain }: { message: string; onAgain: () => void }) {
  return (
    <Centred>
      <p className="text-body font-medium text-ink">{words.conversation.loadFailed}</p>
      <p className="mt-1">{message}</p>
      <Button className="mt-4" onClick={onAgain}>
        {words.conversation.loadAgain}
      </Button>
    </Centred>
  );
}

/** Tells a screen reader of an answer once, when it is whole, instead of word by word. */
function Announcer({ last }: { last: Turn | undefined }) {
  const [heard, setHeard] = useState<{ id: string; streaming: boolean; text: string } | null>(null);
  if (last?.role === 'model') {
    const streaming = last.status === 'streaming';
    if (heard?.id !== last.id) setHeard({ id: last.id, streaming, text: '' });
    else if (heard.streaming && !streaming) {
      const text = words.conversation.announce(answererOf(last), textOf(last).slice(0, ANNOUNCED_MAX));
      setHeard({ id: last.id, streaming, text });
    }
  }
  return (
    <div aria-live="polite" className="sr-only">
      {heard?.text}
    </div>
  );
}
