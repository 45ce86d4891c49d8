import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { DEFAULT_MODEL } from '../../src/contract/index.ts';
import type { Problem, Settings, SettingsView } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Modal } from '../ui/modal.tsx';
import { words } from '../words.ts';
import { CutAnswers } from './cut-answers.tsx';
import { Field } from './field.tsx';
import { KeyNote } from './key-note.tsx';
import { ThemeChoice } from './theme-choice.tsx';
import { Timeout } from './timeout.tsx';

const FIELD =
  'h-9 w-full rounded-md border border-edge bg-ground px-2.5 text-ui text-ink placeholder:text-faint disabled:border-line disabled:text-faint';

/** The key, the model, the address and the look. */
export function SettingsDialog() {
  const actions = useActions();
  const view = useSelect((state) => state.settings);
  const info = useSelect((state) => state.info);
  const close = () => actions.showSettings(false);
  return (
    <Modal
      label={words.settings.heading}
      testId="settings-dialog"
      onClose={close}
      className="m-auto max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] max-w-none scroll-pb-20 rounded-lg border border-line shadow-raised"
    >
      <div className="flex h-12 items-center border-b border-line pr-2 pl-6">
        <h2 className="flex-1 text-[0.9375rem] font-semibold">{words.settings.heading}</h2>
        <IconButton label={words.settings.close} onClick={close}>
          <Icon name="close" />
        </IconButton>
      </div>
      {view === null ? (
        <p className="p-6 text-soft">{words.settings.loading}</p>
      ) : (
        <SettingsForm view={view} onClose={close}>
          <SessionFiles />
          {info !== null && (
            <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-note text-faint">
              <dt>{words.settings.dataDir}</dt>
              <dd dir="ltr" className="font-mono [overflow-wrap:anywhere]">
                {info.dataDir}
              </dd>
              <dt>{words.settings.version}</dt>
              <dd className="font-mono">{info.version}</dd>
            </dl>
          )}
        </SettingsForm>
      )}
    </Modal>
  );
}

/** Ways out for all sessions, and in. */
function SessionFiles() {
  const actions = useActions();
  const show = (transfer: Parameters<typeof actions.showTransfer>[0]) => {
    actions.showSettings(false);
    actions.showTransfer(transfer);
  };
  return (
    <section aria-labelledby="session-files" className="flex flex-wrap items-center gap-3">
      <h3 id="session-files" className="min-w-0 flex-1 font-medium whitespace-nowrap">
        {words.transfer.heading}
      </h3>
      <Button data-testid="import-open" onClick={() => show({ kind: 'import' })}>
        {words.transfer.import}
      </Button>
      <Button data-testid="export-all-open" onClick={() => show({ kind: 'export', session: 'all' })}>
        {words.transfer.exportAll}
      </Button>
    </section>
  );
}

interface SettingsFormProps {
  readonly view: SettingsView;
  readonly onClose: () => void;
  /** Shown between the fields and the buttons. */
  readonly children: ReactNode;
}

function SettingsForm({ view, onClose, children }: SettingsFormProps) {
  const actions = useActions();
  const form = useRef<HTMLFormElement>(null);
  const [key, setKey] = useState('');
  const [model, setModel] = useState(view.settings.model);
  const [baseUrl, setBaseUrl] = useState(view.settings.baseUrl ?? '');
  const [saving, setSaving] = useState(false);
  const [keyProblem, setKeyProblem] = useState<Problem | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isFixed = (field: SettingsView['fixed'][number]) => view.fixed.includes(field);

  // The buttons are always in view; the field that was refused may not be.
  useEffect(() => {
    if (keyProblem !== null || problem !== null) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [keyProblem, problem]);

  const change = changed(view.settings, model, baseUrl);
  const dirty = key.trim() !== '' || Object.keys(change).length > 0;

  const save = async () => {
    setSaving(true);
    const ofKey = key.trim() === '' ? null : await actions.setApiKey(key.trim());
    if (ofKey === null) setKey('');
    const ofRest = Object.keys(change).length === 0 ? null : await actions.updateSettings(change);
    setSaving(false);
    setKeyProblem(ofKey);
    setProblem(ofRest);
    if (ofKey === null && ofRest === null) onClose();
  };

  return (
    <form
      ref={form}
      noValidate
      className="flex flex-col gap-6 px-6 pt-6"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Field
        label={words.settings.apiKey}
        problem={keyProblem}
        note={<KeyNote view={view} onProblem={setKeyProblem} />}
      >
        {(ids) => (
          <input
            {...ids}
            data-testid="api-key-input"
            data-first-focus=""
            type="password"
            autoComplete="off"
            spellCheck={false}
            dir="ltr"
            value={key}
            disabled={isFixed('apiKey')}
            placeholder={view.apiKey.source === 'none' ? words.settings.keyPlaceholder : words.settings.keyReplace}
            className={`${FIELD} font-mono`}
            onChange={(event) => {
              setKey(event.target.value);
              setKeyProblem(null);
            }}
          />
        )}
      </Field>
      <Field
        label={words.settings.model}
        problem={problem}
        note={isFixed('model') ? words.settings.fixed : words.settings.modelNote(DEFAULT_MODEL)}
      >
        {(ids) => (
          <input
            {...ids}
            data-testid="model-input"
            autoComplete="off"
            spellCheck={false}
            dir="ltr"
            value={model}
            disabled={isFixed('model')}
            className={`${FIELD} font-mono`}
            onChange={(event) => {
              setModel(event.target.value);
              setProblem(null);
            }}
          />
        )}
      </Field>
      <Field
        label={words.settings.baseUrl}
        problem={null}
        note={isFixed('baseUrl') ? words.settings.fixed : words.settings.baseUrlNote}
      >
        {(ids) => (
          <input
            {...ids}
            data-testid="base-url-input"
            autoComplete="off"
            spellCheck={false}
            dir="ltr"
            inputMode="url"
            value={baseUrl}
            placeholder={words.settings.baseUrlPlaceholder}
            disabled={isFixed('baseUrl')}
            className={`${FIELD} font-mono`}
            onChange={(event) => {
              setBaseUrl(event.target.value);
              setProblem(null);
            }}
          />
        )}
      </Field>
      <ThemeChoice theme={view.settings.theme} />
      <CutAnswers choice={view.settings.cutAnswers} />
      <Timeout minutes={view.settings.timeoutMinutes} />
      {children}
      {/* In view however far the fields are scrolled; the dialog's scroll padding keeps what has the focus above it. */}
      <div
        data-testid="settings-buttons"
        className="sticky bottom-0 -mx-6 flex items-center gap-3 border-t border-line bg-raised px-6 py-3"
      >
        <p className="min-w-0 flex-1 text-note text-faint">{dirty ? words.settings.reconnectNote : ''}</p>
        <Button onClick={onClose}>{words.settings.cancel}</Button>
        <Button type="submit" tone="primary" data-testid="settings-save" disabled={!dirty || saving}>
          {saving ? words.settings.saving : words.settings.save}
        </Button>
      </div>
    </form>
  );
}

function changed(settings: Settings, model: string, baseUrl: string): Partial<Settings> {
  const url = baseUrl.trim() === '' ? null : baseUrl.trim();
  return {
    ...(model.trim() !== settings.model && { model: model.trim() }),
    ...(url !== settings.baseUrl && { baseUrl: url }),
  };
}
