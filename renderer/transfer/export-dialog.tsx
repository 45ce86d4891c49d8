import { useEffect, useRef, useState } from 'react';
import type { ExportFormat, Problem } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import type { TransferDialog } from '../store/state.ts';
import { Button } from '../ui/button.tsx';
import { words } from '../words.ts';
import { Progress, takesFocus, TransferFrame } from './dialog.tsx';
import { saveFile } from './save-file.ts';

const FORMATS: readonly ExportFormat[] = ['json', 'markdown', 'html', 'text'];

type Step =
  | { readonly kind: 'choosing'; readonly problem: Problem | null }
  | { readonly kind: 'running'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly name: string; readonly sessions: number };

/** Asks for a format, fetches the file and hands it to the browser. */
export function ExportDialog({ session }: { session: Extract<TransferDialog, { kind: 'export' }>['session'] }) {
  const actions = useActions();
  const [format, setFormat] = useState<ExportFormat>('json');
  const [step, setStep] = useState<Step>({ kind: 'choosing', problem: null });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const close = () => actions.showTransfer(null);
  const start = async () => {
    const cancel = new AbortController();
    running.current = cancel;
    setStep({ kind: 'running', done: 0, total: session === 'all' ? 0 : 1 });
    const chunks: Uint8Array[] = [];
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const fetched = await actions.exportSessions(
      { format, timeZone, ...(session !== 'all' && { sessionIds: [session.id] }) },
      {
        signal: cancel.signal,
        onChunk: (bytes) => void chunks.push(bytes),
        onProgress: (done, total) => setStep({ kind: 'running', done, total }),
      },
    );
    if (!fetched.ok) setStep({ kind: 'choosing', problem: fetched.problem });
    else if (fetched.value === null) setStep({ kind: 'choosing', problem: null });
    else {
      const { name, mediaType, conversations } = fetched.value;
      saveFile(name, mediaType, chunks);
      setStep({ kind: 'done', name, sessions: conversations });
    }
  };

  return (
    <TransferFrame
      heading={session === 'all' ? words.transfer.exportAllHeading : words.transfer.exportOne(session.title)}
      testId="export-dialog"
      onClose={close}
    >
      <form
        className="flex flex-col gap-6 p-6"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        {step.kind === 'choosing' && (
          <>
            <Formats format={format} onChoose={setFormat} />
            {step.problem !== null && (
              <p role="alert" className="text-need">
                {step.problem.message}
              </p>
            )}
          </>
        )}
        {step.kind === 'running' && (
          <Progress
            label={words.transfer.formats[format][0]}
            done={step.done}
            total={step.total}
            detail={step.total === 0 ? '' : words.transfer.exporting(step.done, step.total)}
          />
        )}
        {step.kind === 'done' && (
          <p role="status" data-testid="export-done" className="[overflow-wrap:anywhere]">
            {words.transfer.exported(step.name, step.sessions)}
          </p>
        )}
        <div className="flex justify-end gap-3">
          {step.kind === 'done' ? (
            <Button key="done" ref={takesFocus} tone="primary" onClick={close}>
              {words.transfer.done}
            </Button>
          ) : step.kind === 'running' ? (
            <Button key="cancel" ref={takesFocus} data-testid="export-cancel" onClick={() => running.current?.abort()}>
              {words.transfer.cancel}
            </Button>
          ) : (
            <>
              <Button onClick={close}>{words.transfer.cancel}</Button>
              <Button type="submit" tone="primary" data-testid="export-start">
                {words.transfer.export}
              </Button>
            </>
          )}
        </div>
      </form>
    </TransferFrame>
  );
}

function Formats({ format, onChoose }: { format: ExportFormat; onChoose: (format: ExportFormat) => void }) {
  return (
    <fieldset className="flex flex-col">
      <legend className="pb-1.5 font-medium">{words.transfer.format}</legend>
      <div className="flex flex-col gap-px overflow-hidden rounded-md border border-edge bg-edge">
        {FORMATS.map((value) => {
          const [name, note] = words.transfer.formats[value];
          return (
            <label
              key={value}
              className="flex items-baseline gap-3 bg-ground px-3 py-2 -outline-offset-2 has-checked:bg-live-wash has-focus-visible:outline-2 has-focus-visible:outline-live"
            >
              <input
                type="radio"
                name="format"
                value={value}
                checked={format === value}
                data-testid={`export-format-${value}`}
                {...(format === value && { 'data-first-focus': '' })}
                className="size-3.5 translate-y-0.5 accent-live outline-none"
                onChange={() => onChoose(value)}
              />
              <span className="w-24 shrink-0 font-medium">{name}</span>
              <span className="text-note text-faint">{note}</span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
