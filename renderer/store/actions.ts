import type { StoreApi } from 'zustand/vanilla';
import { failed, fetchExport, ok, randomId, sendImport, toProblem } from '../../src/contract/index.ts';
import type {
  CoreClient,
  ExportedFile,
  ExportSteps,
  ExportWish,
  ImportFile,
  ImportResult,
  ImportSteps,
  LinkHealth,
  LinkState,
  Problem,
  Result,
  Session,
  Settings,
  SettingsView,
  Turn,
} from '../../src/contract/index.ts';
import type { Outbox } from './outbox.ts';
import { tabsOf, withImported, withoutSession, withSession } from './sessions.ts';
import { NEW_DRAFT, without } from './state.ts';
import type { Renaming, State, TransferDialog } from './state.ts';
import type { Sync } from './sync.ts';

export interface ActionPorts {
  readonly client: CoreClient;
  readonly store: StoreApi<State>;
  readonly outbox: Outbox;
  readonly sync: Sync;
  /** Takes in a turn that a request returned. */
  readonly takeTurn: (turn: Turn) => void;
}

export type Actions = ReturnType<typeof createActions>;

/** Everything that the user can do. What fails without a place of its own to say so becomes a notice. */
export function createActions({ client, store, outbox, sync, takeTurn }: ActionPorts) {
  const { getState, setState } = store;
  /** Kept until it has come to be, so that trying again makes no second session. */
  let nextSessionId = randomId();
  let creating: Promise<Problem | null> = Promise.resolve(null);
  let queue: Promise<unknown> = Promise.resolve();

  const takeSession = (session: Session) => setState((state) => withSession(state, session, 'answer'));

  const report = (problem: Problem) => {
    const notice = { id: `window-${randomId()}`, at: Date.now(), problem };
    setState((state) => ({ notices: [...state.notices.filter((one) => one.problem.code !== problem.code), notice] }));
  };

  async function ask<T>(request: Promise<T>, take: (answer: T) => void): Promise<Problem | null> {
    try {
      take(await request);
      return null;
    } catch (error) {
      return toProblem(error);
    }
  }

  /** As `ask`, for what has no place of its own to show a problem. */
  async function askOrReport<T>(request: Promise<T>, take: (answer: T) => void): Promise<Problem | null> {
    const problem = await ask(request, take);
    if (problem !== null) report(problem);
    return problem;
  }

  /** An event may have told of a newer state meanwhile. */
  const takeLink = (sessionId: string) => (link: LinkState) =>
    setState((state) => {
      const session = state.sessions[sessionId];
      if (session === undefined || session.link.since > link.since) return state;
      return { sessions: { ...state.sessions, [sessionId]: { ...session, link } } };
    });

  const focusComposer = () => setState((state) => ({ focusRequests: state.focusRequests + 1 }));
  const activate = (sessionId: string) => setState({ activeId: sessionId, drawerOpen: false });

  /**
   * Brings the new session forward before the core has made it, so that no key press falls between. Without an answer
   * its text goes back to the draft that has no session.
   */
  function createSession(): Promise<string | null> {
    // One after the other: the next id is only known once this one has come to be.
    const made = queue.then(makeSession);
    queue = made;
    return made;
  }

  async function makeSession(): Promise<string | null> {
    const id = nextSessionId;
    setState((state) => ({
      making: id,
      activeId: id,
      drawerOpen: false,
      focusRequests: state.focusRequests + 1,
      sendProblems: without(state.sendProblems, NEW_DRAFT),
    }));
    const asked = ask(client.sessions.create({ sessionId: id }), takeSession);
    creating = asked;
    const problem = await asked;
    if (problem === null) {
      nextSessionId = randomId();
      setState({ making: null });
      return id;
    }
    setState((state) => ({
      ...moveDraft(state, id, NEW_DRAFT),
      making: null,
      activeId: state.activeId === id ? null : state.activeId,
      sendProblems: { ...state.sendProblems, [NEW_DRAFT]: problem },
    }));
    return null;
  }

  return {
    async newSession(): Promise<void> {
      await createSession();
    },

    activate,
    focusComposer,

    async openSession(sessionId: string): Promise<void> {
      if (getState().sessions[sessionId]?.status === 'open') {
        activate(sessionId);
        focusComposer();
        return;
      }
      await askOrReport(client.sessions.open({ sessionId }), (session) => {
        takeSession(session);
        activate(sessionId);
        focusComposer();
      });
    },

    async closeSession(sessionId: string): Promise<void> {
      await askOrReport(client.sessions.close({ sessionId }), takeSession);
    },

    async renameSession(sessionId: string, title: string): Promise<void> {
      const trimmed = title.trim();
      if (trimmed === '' || trimmed === getState().sessions[sessionId]?.title) return;
      await askOrReport(client.sessions.rename({ sessionId, title: trimmed }), takeSession);
    },

    async deleteSession(sessionId: string): Promise<void> {
      await askOrReport(client.sessions.delete({ sessionId }), () =>
        setState((state) => withoutSession(state, sessionId)),
      );
    },

    setDraft(sessionId: string, text: string): void {
      setState((state) => ({
        drafts: text === '' ? without(state.drafts, sessionId) : { ...state.drafts, [sessionId]: text },
        sendProblems: without(state.sendProblems, sessionId),
      }));
    },

    /** Sends the draft of a session. The draft that has no session yet gets one first. */
    async send(sessionId: string): Promise<void> {
      if (sessionId !== NEW_DRAFT && sessionId !== getState().making) {
        outbox.send(sessionId);
        return;
      }
      if (sessionId === NEW_DRAFT) {
        if ((getState().drafts[NEW_DRAFT] ?? '').trim() === '') return;
        setState((state) => moveDraft(state, NEW_DRAFT, nextSessionId));
        const made = await createSession();
        if (made !== null) outbox.send(made);
      } else if ((await creating) === null) outbox.send(sessionId);
    },

    async stop(sessionId: string): Promise<void> {
      const problem = await ask(client.turns.stop({ sessionId }), takeTurn);
      // The answer may have ended on its own a moment before.
      if (problem !== null && problem.code !== 'nothing_to_stop') report(problem);
    },

    async regenerate(sessionId: string, turnId: string): Promise<void> {
      await askOrReport(client.turns.regenerate({ sessionId, turnId }), takeTurn);
    },

    async reconnect(sessionId: string): Promise<void> {
      await askOrReport(client.links.reconnect({ sessionId }), takeLink(sessionId));
    },

    async pauseLink(sessionId: string): Promise<void> {
      await askOrReport(client.links.pause({ sessionId }), takeLink(sessionId));
    },

    async resumeLink(sessionId: string): Promise<void> {
      await askOrReport(client.links.resume({ sessionId }), takeLink(sessionId));
    },

    /** Resolves to whether the core did it. */
    async startFresh(sessionId: string): Promise<boolean> {
      return (await askOrReport(client.links.startFresh({ sessionId }), takeLink(sessionId))) === null;
    },

    /** For one who looks at it: not kept in the state, since it is old at once. */
    async linkHealth(sessionId: string): Promise<Result<LinkHealth>> {
      try {
        return ok(await client.links.health({ sessionId }));
      } catch (error) {
        return failed(toProblem(error));
      }
    },

    loadHistory: (sessionId: string) => sync.history(sessionId),
    loadOlder: (sessionId: string) => sync.older(sessionId),

    async loadMoreSessions(): Promise<void> {
      const problem = await sync.moreSessions();
      if (problem !== null) report(problem);
    },

    updateSettings: (change: Partial<Settings>): Promise<Problem | null> =>
      ask(client.settings.update(change), (settings: SettingsView) => setState({ settings })),

    setApiKey: (key: string | null): Promise<Problem | null> =>
      ask(client.settings.setApiKey({ key }), (settings: SettingsView) => setState({ settings })),

    dismissNotice(id: string): void {
      setState((state) => ({ dismissed: new Set(state.dismissed).add(id) }));
    },

    /** The tab at `place`, counted from 0. */
    activateTab(place: number): void {
      const tab = tabsOf(getState().sessions)[place];
      if (tab !== undefined) activate(tab.id);
    },

    rename: (renaming: Renaming | null) => setState({ renaming }),
    /** With no value where it was cancelled. */
    exportSessions: (wish: ExportWish, steps: ExportSteps): Promise<Result<ExportedFile | null>> =>
      cancellable(fetchExport(client, wish, steps), steps.signal),

    async importFiles(files: readonly ImportFile[], steps: ImportSteps): Promise<Result<ImportResult | null>> {
      const imported = await cancellable(sendImport(client, files, steps), steps.signal);
      if (imported.ok && imported.value?.outcome.kind === 'imported') {
        // The event that says so may come later than this answer.
        const ids = imported.value.items.flatMap((item) => ('sessionId' in item ? [item.sessionId] : []));
        setState((state) => withImported(state, ids));
      }
      return imported;
    },

    showTransfer: (transfer: TransferDialog | null) => setState({ transfer }),
    showSettings: (settingsOpen: boolean) => setState({ settingsOpen }),
    showDrawer: (drawerOpen: boolean) => setState({ drawerOpen }),
  };
}

async function cancellable<T>(request: Promise<T>, signal: AbortSignal | undefined): Promise<Result<T | null>> {
  try {
    return ok(await request);
  } catch (error) {
    return signal?.aborted === true ? ok(null) : failed(toProblem(error));
  }
}

/** Text that is already at the new place stays, in front. */
function moveDraft(state: State, from: string, to: string): Pick<State, 'drafts'> {
  const texts = [state.drafts[to] ?? '', state.drafts[from] ?? ''].filter((text) => text !== '');
  if (texts.length === 0) return { drafts: state.drafts };
  return { drafts: { ...without(state.drafts, from), [to]: texts.join('\n') } };
}
