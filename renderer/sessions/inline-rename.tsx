import { useEffect, useRef } from 'react';
import { TITLE_MAX } from '../../src/contract/index.ts';
import { words } from '../words.ts';

interface InlineRenameProps {
  readonly title: string;
  readonly className?: string;
  /** `byKey`: the focus was still here and wants a place to go. */
  readonly onDone: (title: string | null, byKey: boolean) => void;
}

/** A field in the place of a title. Enter and leaving it keep the new title, Esc the old one. */
export function InlineRename({ title, className = '', onDone }: InlineRenameProps) {
  const ref = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  const finish = (value: string | null, byKey: boolean) => {
    if (done.current) return;
    done.current = true;
    onDone(value, byKey);
  };

  useEffect(() => {
    ref.current?.focus();
    ref.current?.select();
  }, []);

  return (
    <input
      ref={ref}
      defaultValue={title}
      maxLength={TITLE_MAX}
      aria-label={words.sessions.titleField}
      dir="auto"
      className={`h-7 w-full min-w-0 rounded-sm border border-edge bg-raised px-1.5 text-ui text-ink ${className}`}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter') finish(event.currentTarget.value, true);
        if (event.key === 'Escape') finish(null, true);
      }}
      onBlur={(event) => finish(event.currentTarget.value, false)}
    />
  );
}
