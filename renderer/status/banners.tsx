import type { Problem } from '../../src/contract/index.ts';
import { useActions, useSelect } from '../store/context.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { isMendedInSettings, words } from '../words.ts';

/** What the whole window has to say, above every session: its own connection, the demo, notices. */
export function Banners() {
  return (
    <>
      <ConnectionBanner />
      <DemoBanner />
      <Notices />
    </>
  );
}

/** By who mends it: we, the user, or nobody, which is news and not a task. */
const TONES: Record<Problem['retry'], string> = {
  automatic: 'border-wait/30 bg-wait-wash text-wait',
  user: 'border-need/30 bg-need-wash text-need',
  never: 'border-line bg-surface text-soft',
};

const ROW = 'flex min-h-10 items-center gap-x-3 gap-y-1 border-b px-4 py-1.5';

function ConnectionBanner() {
  const connection = useSelect((state) => state.connection);
  if (connection === 'open' || connection === 'refused') return null;
  const first = connection === 'connecting';
  return (
    <div
      role="status"
      data-testid="connection-banner"
      className={`${ROW} animate-late border-wait/30 bg-wait-wash text-wait`}
    >
      <span className="font-medium">{first ? words.connection.connecting : words.connection.lost}</span>
      {!first && <span className="hidden sm:inline">{words.connection.lostBody}</span>}
    </div>
  );
}

function DemoBanner() {
  const demo = useSelect((state) => state.settings?.provider === 'demo');
  const actions = useActions();
  if (!demo) return null;
  return (
    <div data-testid="demo-banner" className={`${ROW} border-line bg-surface text-soft`}>
      <p className="min-w-0 flex-1 text-note sm:text-ui">{words.demo.banner}</p>
      <Button size="small" onClick={() => actions.showSettings(true)}>
        {words.demo.addKey}
      </Button>
    </div>
  );
}

function Notices() {
  const notices = useSelect((state) => state.notices);
  const dismissed = useSelect((state) => state.dismissed);
  const actions = useActions();
  const shown = notices.filter((notice) => !dismissed.has(notice.id));
  return (
    <ul aria-label={words.notices.heading} aria-live="polite" className="max-h-[30vh] shrink-0 overflow-y-auto">
      {shown.map(({ id, problem }) => (
        <li key={id} data-testid="notice" data-code={problem.code} className={`${ROW} ${TONES[problem.retry]}`}>
          <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">{problem.message}</p>
          {isMendedInSettings(problem.code) && (
            <Button size="small" onClick={() => actions.showSettings(true)}>
              {words.link.openSettings}
            </Button>
          )}
          <IconButton label={words.notices.dismiss} size="small" onClick={() => actions.dismissNotice(id)}>
            <Icon name="close" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}
