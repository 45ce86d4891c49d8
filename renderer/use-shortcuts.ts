import { useEffect } from 'react';
import { isMac, shortcutOf } from './shortcuts.ts';
import { useActions, useHoldfastStore } from './store/context.tsx';
import { isAnswering } from './store/conversations.ts';
import type { State } from './store/state.ts';

/** Listens for the window's shortcuts. A dialog or a field that has a use for the key comes first. */
export function useShortcuts(): void {
  const actions = useActions();
  const store = useHoldfastStore();
  useEffect(() => {
    const mac = isMac();
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.repeat) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const shortcut = shortcutOf(event, mac);
      if (shortcut === null) return;
      const { activeId } = store.getState();
      switch (shortcut.kind) {
        case 'new':
          void actions.newSession();
          break;
        case 'tab':
          actions.activateTab(shortcut.place);
          break;
        case 'close':
          if (activeId !== null) void actions.closeSession(activeId);
          break;
        case 'rename':
          if (activeId !== null) actions.rename({ sessionId: activeId, place: 'tab' });
          break;
        case 'stop':
          if (activeId !== null && isRunning(store.getState(), activeId)) void actions.stop(activeId);
          break;
      }
      event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [actions, store]);
}

function isRunning(state: State, sessionId: string): boolean {
  return isAnswering(state.conversations[sessionId], state.sessions[sessionId]?.link);
}
