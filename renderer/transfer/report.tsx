import type { ImportItem, ImportResult } from '../../src/contract/index.ts';
import { Button } from '../ui/button.tsx';
import { words } from '../words.ts';
import { takesFocus } from './dialog.tsx';

/** As many of a kind as a person reads; the rest is a number. */
const SHOWN_MAX = 100;
/** What needs a look comes first. */
const ORDER: readonly ImportItem['outcome'][] = ['unreadable', 'skipped', 'partly', 'duplicate', 'imported'];

interface ReportProps {
  readonly result: ImportResult;
  readonly onOpen: (sessionId: string) => void;
  /** Where a file could not be read to its end. */
  readonly onKeepReadable: () => void;
  readonly onClose: () => void;
}

/** What became of each session of an import. */
export function Report({ result: { outcome, items }, onOpen, onKeepReadable, onClose }: ReportProps) {
  const of = (kind: ImportItem['outcome']) => items.filter((item) => item.outcome === kind);
  const readable =
    outcome.kind === 'failed' && of('unreadable').length > 0 && of('imported').length + of('partly').length > 0;
  // Where nothing came of it, what would have been imported is no news.
  const kinds = ORDER.filter((kind) => outcome.kind === 'imported' || (kind !== 'imported' && kind !== 'partly'));
  return (
    <>
      <div role="status" data-testid="import-report" className="flex flex-col gap-1.5">
        {outcome.kind === 'failed' && of('unreadable').length === 0 && (
          <p className="text-need">{outcome.problem.message}</p>
        )}
        <p className="font-medium">{summary(outcome.kind, items)}</p>
      </div>
      {kinds.some((kind) => of(kind).length > 0) && (
        <div className="flex max-h-72 flex-col gap-4 overflow-y-auto" tabIndex={0}>
          {kinds.map((kind) => (
            <Items key={kind} kind={kind} items={of(kind)} onOpen={onOpen} />
          ))}
        </div>
      )}
      <div className="flex justify-end gap-3">
        {readable && (
          <Button data-testid="import-keep" onClick={onKeepReadable}>
            {words.transfer.keepReadable}
          </Button>
        )}
        <Button tone="primary" ref={takesFocus} data-testid="import-done" onClick={onClose}>
          {words.transfer.done}
        </Button>
      </div>
    </>
  );
}

function summary(kind: ImportResult['outcome']['kind'], items: readonly ImportItem[]): string {
  if (kind === 'failed') return words.transfer.nothingImported;
  if (kind === 'nothing-new') return words.transfer.nothingNew;
  const imported = items.filter(({ outcome }) => outcome === 'imported' || outcome === 'partly').length;
  const duplicates = items.filter(({ outcome }) => outcome === 'duplicate').length;
  const skipped = items.reduce((sum, item) => sum + (item.outcome === 'skipped' ? item.count : 0), 0);
  const said = [
    words.transfer.imported(imported),
    ...(duplicates > 0 ? [words.transfer.duplicates(duplicates)] : []),
    ...(skipped > 0 ? [words.transfer.skipped(skipped)] : []),
  ];
  return `${said.join(', ')}.`;
}

interface ItemsProps {
  readonly kind: ImportItem['outcome'];
  readonly items: readonly ImportItem[];
  readonly onOpen: (sessionId: string) => void;
}

function Items({ kind, items, onOpen }: ItemsProps) {
  if (items.length === 0) return null;
  return (
    <section>
      <h3 className="pb-1 text-note font-medium text-faint">{words.transfer.details[kind]}</h3>
      <ul className="flex flex-col gap-1.5">
        {items.slice(0, SHOWN_MAX).map((item, at) => (
          // The report is never sorted anew.
          <li key={at} data-outcome={kind} className="flex flex-col [overflow-wrap:anywhere]">
            {'sessionId' in item ? (
              <button
                type="button"
                dir="auto"
                className="self-start rounded-sm text-left text-live underline-offset-2 hover:underline"
                onClick={() => onOpen(item.sessionId)}
              >
                {item.title || item.file}
              </button>
            ) : (
              <span dir="auto">{item.title || item.file}</span>
            )}
            {kind !== 'imported' && <span className="text-note text-faint">{item.message}</span>}
          </li>
        ))}
      </ul>
      {items.length > SHOWN_MAX && (
        <p className="pt-1 text-note text-faint">{words.transfer.more(items.length - SHOWN_MAX)}</p>
      )}
    </section>
  );
}
