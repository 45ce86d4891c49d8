import { useEffect } from 'react';
import { Composer } from './composer/composer.tsx';
import { ConversationPanel } from './conversation/conversation-panel.tsx';
import { Welcome } from './conversation/welcome.tsx';
import { SettingsDialog } from './settings/settings-dialog.tsx';
import { Drawer, Sidebar } from './sessions/sidebar.tsx';
import { TabBar } from './sessions/tab-bar.tsx';
import { Banners } from './status/banners.tsx';
import { LinkBar } from './status/link-bar.tsx';
import { Refused } from './status/refused.tsx';
import { useSelect } from './store/context.tsx';
import { NEW_DRAFT } from './store/state.ts';
import { applyTheme } from './theme.ts';
import { Transfer } from './transfer/transfer.tsx';
import { useMedia, WIDE } from './ui/media.ts';
import { useShortcuts } from './use-shortcuts.ts';
import { words } from './words.ts';

export function App() {
  const refused = useSelect((state) => state.connection === 'refused');
  useTheme();
  useTitle();
  return refused ? <Refused /> : <Window />;
}

function Window() {
  useShortcuts();
  const wide = useMedia(WIDE);
  const drawerOpen = useSelect((state) => state.drawerOpen);
  const settingsOpen = useSelect((state) => state.settingsOpen);
  const activeId = useSelect((state) => state.activeId);
  const shown = useSelect((state) => (activeId !== null && state.sessions[activeId] !== undefined ? activeId : null));
  const making = useSelect((state) => (state.making === state.activeId ? state.making : null));

  return (
    <div className="flex h-full">
      {wide && <Sidebar />}
      <div className="flex min-w-0 flex-1 flex-col">
        <TabBar withMenu={!wide} />
        <Banners />
        <main className="flex min-h-0 flex-1 flex-col">
          <div
            className="flex min-h-0 flex-1 flex-col"
            {...(shown !== null && { id: 'session-panel', role: 'tabpanel', 'aria-labelledby': `tab-${shown}` })}
          >
            <Content shown={shown} making={making} />
          </div>
          <LinkBar sessionId={shown} />
        </main>
      </div>
      {!wide && drawerOpen && <Drawer />}
      {settingsOpen && <SettingsDialog />}
      <Transfer />
    </div>
  );
}

/** There is no composer until it is known which session it writes to: what is typed must not change its place. */
function Content({ shown, making }: { shown: string | null; making: string | null }) {
  const loaded = useSelect((state) => state.loaded);
  if (!loaded) return <p className="m-auto animate-late text-soft">{words.sessions.loading}</p>;
  return (
    <>
      {shown !== null ? (
        <ConversationPanel key={shown} sessionId={shown} />
      ) : making === null ? (
        <Welcome />
      ) : (
        <div className="flex-1" />
      )}
      <Composer sessionId={shown ?? making ?? NEW_DRAFT} />
    </>
  );
}

function useTheme() {
  const theme = useSelect((state) => state.settings?.settings.theme);
  useEffect(() => {
    if (theme !== undefined) applyTheme(theme);
  }, [theme]);
}

function useTitle() {
  const title = useSelect((state) => (state.activeId === null ? undefined : state.sessions[state.activeId]?.title));
  useEffect(() => {
    document.title = title === undefined || title === '' ? words.app : words.windowTitle(title);
  }, [title]);
}
