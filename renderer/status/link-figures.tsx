import { useEffect, useState } from 'react';
import type { ConnectionRecord, LinkHealth, Result } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { Icon } from '../ui/icon.tsx';
import { happenedWords, rawWords } from '../problem-words.ts';
import { words } from '../words.ts';
import { useNow } from './now.ts';
import { durationWords, measuredWords, timeOf } from './times.ts';

/** How soon what is looked at is read again. */
const REFRESH_MS = 2_000;
const TICK_MS = 1_000;

/** How well a link is, and its earlier connections; read again while it is looked at, and at once when `changed` does. */
export function LinkFigures({ sessionId, changed }: { sessionId: string; changed: string }) {
  const read = useHealth(sessionId, changed);
  const now = useNow(TICK_MS);
  if (read === null) return <p className="animate-late px-4 py-3 text-note text-faint">{words.health.loading}</p>;
  if (!read.ok) {
    return (
      <p className="px-4 py-3 text-note text-wait">
        {words.health.failed} {read.problem.message}
      </p>
    );
  }
  return (
    <>
      <Figures health={read.value} now={now} />
      <Connections records={read.value.connections} now={now} />
    </>
  );
}

function useHealth(sessionId: string, changed: string): Result<LinkHealth> | null {
  const actions = useActions();
  const [read, setRead] = useState<Result<LinkHealth> | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wanted = true;
    const refresh = async () => {
      const found = await actions.linkHealth(sessionId);
      if (!wanted) return;
      setRead(found);
      timer = setTimeout(() => void refresh(), REFRESH_MS);
    };
    void refresh();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [actions, sessionId, changed]);
  return read;
}

function Figures({ health, now }: { health: LinkHealth; now: number }) {
  const { roundTripMs, firstDeltaMs, contextTokens, nextRotationAt, dropsLastHour } = health;
  return (
    <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 px-4 py-3 text-note">
      <Figure name={words.health.roundTrip} value={roundTripMs === undefined ? null : measuredWords(roundTripMs)} />
      <Figure name={words.health.firstWords} value={firstDeltaMs === undefined ? null : measuredWords(firstDeltaMs)} />
      <Figure name={words.health.drops} value={dropsLastHour.toLocaleString()} />
      <Figure
        name={words.health.rotation}
        value={nextRotationAt === undefined ? words.health.notPlanned : rotationWords(nextRotationAt, now)}
      />
      <Figure
        name={words.health.context}
        value={contextTokens === undefined ? null : words.health.tokens(contextTokens)}
      />
    </dl>
  );
}

function rotationWords(at: number, now: number): string {
  return at <= now ? words.health.rotationNow : words.health.rotationAt(timeOf(at, now), durationWords(at - now));
}

function Figure({ name, value }: { name: string; value: string | null }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className={`text-right tabular-nums ${value === null ? 'text-faint' : ''}`}>{value ?? words.health.none}</dd>
    </>
  );
}

function Connections({ records, now }: { records: readonly ConnectionRecord[]; now: number }) {
  return (
    <div className="border-t border-line px-4 pt-3 pb-2">
      <h3 className="text-note font-medium text-faint">{words.health.history}</h3>
      {records.length === 0 && <p className="py-2 text-note text-soft">{words.health.historyNone}</p>}
      <ol className="divide-y divide-line">
        {records.map((record) => (
          <ConnectionLine key={record.epoch} record={record} now={now} />
        ))}
      </ol>
    </div>
  );
}

function ConnectionLine({ record, now }: { record: ConnectionRecord; now: number }) {
  const { openedAt, endedAt, problem, why, restored } = record;
  const raw = problem === undefined ? null : rawWords(problem);
  return (
    <li data-testid="connection-record" data-why={why} className="flex gap-4 py-2 text-note">
      <p className="w-28 shrink-0 text-faint tabular-nums">
        <time dateTime={new Date(openedAt).toISOString()} className="block text-soft">
          {timeOf(openedAt, now)}
        </time>
        {words.health.lasted(durationWords(Math.max(0, endedAt - openedAt)))}
      </p>
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <p className={why === 'lost' ? 'text-ink' : 'text-soft'}>
          {why === 'lost' && problem !== undefined ? happenedWords(problem) : words.health.ended[why]}
        </p>
        <p className="text-faint">
          {restored === undefined ? words.health.neverReady : words.health.restored[restored]}
        </p>
        {raw !== null && (
          <details className="group/raw text-faint">
            <summary className="-ml-1 inline-flex min-h-6 list-none items-center gap-1 rounded-sm pr-1.5 hover:text-ink [&::-webkit-details-marker]:hidden">
              <Icon name="chevron" className="size-3.5 transition-transform group-open/raw:rotate-90" />
              {words.health.details}
            </summary>
            <p dir="ltr" className="pb-1 font-mono">
              {raw}
            </p>
          </details>
        )}
      </div>
    </li>
  );
}
