import type { ReactNode } from 'react';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Modal } from '../ui/modal.tsx';
import { words } from '../words.ts';

interface TransferDialogProps {
  readonly heading: string;
  readonly testId: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The frame of both dialogs, as the settings have it. */
export function TransferFrame({ heading, testId, onClose, children }: TransferDialogProps) {
  return (
    <Modal
      label={heading}
      testId={testId}
      onClose={onClose}
      className="m-auto max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] max-w-none rounded-lg border border-line shadow-raised"
    >
      <div className="flex min-h-12 items-center border-b border-line py-1 pr-2 pl-6">
        <h2 dir="auto" className="min-w-0 flex-1 truncate text-[0.9375rem] font-semibold">
          {heading}
        </h2>
        <IconButton label={words.transfer.close} onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </div>
      {children}
    </Modal>
  );
}

/**
 * For the first button of a step: its step took away what had the focus. After the frame, because where Enter sent a form
 * the browser itself still moves the focus.
 */
export function takesFocus(button: HTMLButtonElement | null): void {
  if (button !== null) requestAnimationFrame(() => button.focus());
}

interface ProgressProps {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** In words; what it is of, if not percent. */
  readonly detail: string;
}

export function Progress({ label, done, total, detail }: ProgressProps) {
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex justify-between gap-4">
        <span>{label}</span>
        <span className="text-faint tabular-nums">{detail}</span>
      </div>
      <progress
        aria-label={label}
        className="h-1.5 w-full appearance-none overflow-hidden rounded-sm bg-wash [&::-moz-progress-bar]:bg-live [&::-webkit-progress-bar]:bg-wash [&::-webkit-progress-value]:bg-live"
        max={Math.max(1, total)}
        value={Math.min(done, total)}
      />
    </div>
  );
}
