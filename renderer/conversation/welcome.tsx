import { isMac, keysOf } from '../shortcuts.ts';
import type { Shortcut } from '../shortcuts.ts';
import { useSelect } from '../store/context.tsx';
import { Mark } from '../ui/mark.tsx';
import { words } from '../words.ts';

const SHOWN: readonly { kind: Shortcut['kind']; words: string }[] = [
  { kind: 'new', words: words.shortcuts.create },
  { kind: 'tab', words: words.shortcuts.switch },
  { kind: 'close', words: words.shortcuts.close },
  { kind: 'rename', words: words.shortcuts.rename },
  { kind: 'stop', words: words.shortcuts.stop },
];

/** No session is open: what this is, and how to begin. */
export function Welcome() {
  const any = useSelect((state) => Object.keys(state.sessions).length > 0);
  const mac = isMac();
  return (
    <div className="flex min-h-0 flex-1 overflow-y-auto px-4 py-8 sm:px-8">
      <div className="m-auto w-full max-w-md">
        <Mark className="-ml-1.5 size-10 text-live" />
        <h1 className="mt-6 text-2xl font-semibold tracking-tight text-balance">{words.welcome.heading}</h1>
        <p className="mt-2 text-body text-soft">{any ? words.welcome.pickUp : words.welcome.body}</p>
        <h2 className="mt-10 hidden border-b border-line pb-2 text-note font-medium text-faint sm:block">
          {words.welcome.shortcuts}
        </h2>
        <dl className="hidden sm:block">
          {SHOWN.map((shortcut) => (
            <div key={shortcut.kind} className="flex h-8 items-center justify-between border-b border-line text-soft">
              <dt>{shortcut.words}</dt>
              <dd className="font-mono text-note">{keysOf(shortcut.kind, mac)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </div>
  );
}
