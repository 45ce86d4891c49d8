import { memo } from 'react';
import { blocksOf, runsOf } from './text-blocks.ts';

/** Plain text as it was written: nothing in it is read as markup. */
export function MessageText({ text, testId }: { text: string; testId?: string }) {
  return (
    <div dir="auto" data-testid={testId}>
      {blocksOf(text).map((block, at) => (
        <TextBlock key={at} block={block} />
      ))}
    </div>
  );
}

const TextBlock = memo(function TextBlock({ block }: { block: string }) {
  return (
    <div className="message-text">
      {runsOf(block).map((run, at) => (
        <span key={at}>{run}</span>
      ))}
    </div>
  );
});
