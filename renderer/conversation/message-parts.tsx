import type { ReactNode } from 'react';
import type { Part } from '../../src/contract/index.ts';
import { Icon } from '../ui/icon.tsx';
import { noteWords, words } from '../words.ts';
import { MessageText } from './message-text.tsx';

/** The parts of a turn in their order. Places are stable: parts are only ever added. */
export function MessageParts({ parts }: { parts: readonly Part[] }) {
  return (
    <div className="flex flex-col gap-3">
      {parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
    </div>
  );
}

function PartView({ part }: { part: Part }) {
  switch (part.type) {
    case 'text':
      return part.text === '' ? null : <MessageText text={part.text} testId="message-text" />;
    case 'thought':
      return (
        <Disclosure summary={words.conversation.thinking}>
          <div className="text-ui text-soft">
            <MessageText text={part.text} />
          </div>
        </Disclosure>
      );
    case 'tool':
      return <ToolCall part={part} />;
    case 'note':
      return <p className="text-note text-faint">{noteWords(part.note, part.turns)}</p>;
  }
}

type ToolPart = Extract<Part, { type: 'tool' }>;

function ToolCall({ part }: { part: ToolPart }) {
  return (
    <Disclosure
      summary={
        <>
          <span className="truncate font-mono">{part.name}</span>
          <span aria-hidden="true">·</span>
          <span>{toolState(part)}</span>
        </>
      }
    >
      <Values heading={words.conversation.toolArgs} values={part.args} />
      {part.result !== undefined && <Values heading={words.conversation.toolResult} values={part.result} />}
    </Disclosure>
  );
}

function toolState(part: ToolPart): string {
  if (part.cancelled === true) return words.conversation.toolCancelled;
  return part.result === undefined ? words.conversation.toolRunning : words.conversation.toolDone;
}

function Values({ heading, values }: { heading: string; values: Readonly<Record<string, unknown>> }) {
  return (
    <div className="mt-1 first:mt-0">
      <p className="text-note text-faint">{heading}</p>
      <pre dir="ltr" className="font-mono text-note [overflow-wrap:anywhere] whitespace-pre-wrap text-soft">
        {JSON.stringify(values, null, 2)}
      </pre>
    </div>
  );
}

function Disclosure({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  return (
    <details className="group/more text-note">
      <summary className="inline-flex h-6 max-w-full list-none items-center gap-1.5 rounded-sm pr-1.5 text-faint hover:text-ink [&::-webkit-details-marker]:hidden">
        <Icon name="chevron" className="size-3.5 transition-transform group-open/more:rotate-90" />
        {summary}
      </summary>
      <div className="mt-1 ml-1.5 border-l border-line py-1 pl-3">{children}</div>
    </details>
  );
}
