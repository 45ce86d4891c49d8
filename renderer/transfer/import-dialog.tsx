import { useEffect, useId, useRef, useState } from 'react';
import type { ImportFile, ImportProgress, ImportResult, Problem } from '../../src/contract/index.ts';
import { useActions } from '../store/context.tsx';
import { Button } from '../ui/button.tsx';
import { words } from '../words.ts';
import { Progress, takesFocus, TransferFrame } from './dialog.tsx';
import { Report } from './report.tsx';

type Step =
  | { readonly kind: 'choosing'; readonly problem: Problem | null; readonly cancelled: boolean }
  | { readonly kind: 'running'; readonly progress: ImportProgress }
  | { readonly kind: 'done'; readonly result: ImportResult };

/** Asks for files, brings them in, and says what became of each session in them. */
export function ImportDialog() {
  const actions = useActions();
  const [step, setStep] = useState<Step>({ kind: 'choosing', problem: null, cancelled: false });
  const [copies, setCopies] = useState(false);
  const [files, setFiles] = useState<readonly File[]>([]);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const keeping = step.kind === 'running' && step.progress.phase === 'keeping';
  const close = () => {
    // It cannot be cancelled any more, and its report is about to come.
    if (!keeping) actions.showTransfer(null);
  };

  const start = async (chosen: readonly File[], damaged: 'refuse' | 'keep') => {
    const cancel = new AbortController();
    running.current = cancel;
    setFiles(chosen);
    setStep({ kind: 'running', progress: { phase: 'sending', done: 0, total: 0 } });
    const imported = await actions.importFiles(chosen.map(importFile), {
      changed: copies ? 'copy' : 'skip',
      damaged,
      signal: cancel.signal,
      onProgress: (progress) => setStep({ kind: 'running', progress }),
    });
    if (!imported.ok) setStep({ kind: 'choosing', problem: imported.problem, cancelled: false });
    else if (imported.value === null) setStep({ kind: 'choosing', problem: null, cancelled: true });
    else setStep({ kind: 'done', result: imported.value });
  };

  return (
    <TransferFrame heading={words.transfer.importHeading} testId="import-dialog" onClose={close}>
      <div className="flex flex-col gap-6 p-6">
        {step.kind === 'choosing' && (
          <Choice
            copies={copies}
            problem={step.problem}
            cancelled={step.cancelled}
            onCopies={setCopies}
            onFiles={(chosen) => void start(chosen, 'refuse')}
          />
        )}
        {step.kind === 'running' && (
          <>
            <Progress
              label={words.transfer.phases[step.progress.phase]}
              done={step.progress.done}
              total={step.progress.total}
              detail={keeping ? words.transfer.keeping(step.progress.done, step.progress.total) : ''}
            />
            <div className="flex justify-end">
              <Button
                ref={takesFocus}
                data-testid="import-cancel"
                disabled={keeping}
                onClick={() => running.current?.abort()}
              >
                {words.transfer.cancel}
              </Button>
            </div>
          </>
        )}
        {step.kind === 'done' && (
          <Report
            result={step.result}
            onOpen={(sessionId) => {
              actions.showTransfer(null);
              void actions.openSession(sessionId);
            }}
            onKeepReadable={() => void start(files, 'keep')}
            onClose={close}
          />
        )}
      </div>
    </TransferFrame>
  );
}

interface ChoiceProps {
  readonly copies: boolean;
  readonly problem: Problem | null;
  readonly cancelled: boolean;
  readonly onCopies: (copies: boolean) => void;
  readonly onFiles: (files: readonly File[]) => void;
}

function Choice({ copies, problem, cancelled, onCopies, onFiles }: ChoiceProps) {
  const noteId = useId();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <p className="text-soft">{words.transfer.importBody}</p>
      <div className="flex flex-col gap-1.5">
        <label className="flex items-center gap-2.5 font-medium">
          <input
            type="checkbox"
            data-testid="import-copies"
            className="size-4 accent-live"
            aria-describedby={noteId}
            checked={copies}
            onChange={(event) => onCopies(event.target.checked)}
          />
          {words.transfer.copies}
        </label>
        <p id={noteId} className="text-note text-faint">
          {words.transfer.copiesNote}
        </p>
      </div>
      {problem !== null && (
        <p role="alert" className="text-need">
          {problem.message}
        </p>
      )}
      {cancelled && <p role="status">{words.transfer.cancelled}</p>}
      <div className="flex justify-end">
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept=".json,.zip,.txt,application/json,application/zip"
          data-testid="import-input"
          onChange={(event) => {
            const chosen = [...(event.target.files ?? [])];
            // The same file may be chosen again after it was mended.
            event.target.value = '';
            if (chosen.length > 0) onFiles(chosen);
          }}
        />
        <Button tone="primary" data-testid="import-choose" data-first-focus="" onClick={() => input.current?.click()}>
          {words.transfer.choose}
        </Button>
      </div>
    </>
  );
}

const importFile = (file: File): ImportFile => ({
  name: file.name,
  size: file.size,
  modifiedAt: Math.max(0, Math.trunc(file.lastModified)),
  read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
});
