import { afterEach, describe, expect, it, vi } from 'vitest';
import { textOf } from '../../src/contract/index.ts';
import type { LinkState, Problem } from '../../src/contract/index.ts';
import { createHoldfast } from '../../renderer/store/holdfast.ts';
import type { Holdfast } from '../../renderer/store/holdfast.ts';
import type { NetworkPort } from '../../renderer/store/network.ts';
import { NEW_DRAFT } from '../../renderer/store/state.ts';
import { createWindowMemory } from '../../renderer/store/window-memory.ts';
import type { StoragePort } from '../../renderer/store/window-memory.ts';
import { createFakeCore } from './fake-core.ts';

/** Node has no frames; a turn of the event loop does as well. */
const clock = {
  nextFrame(run: () => void) {
    const id = setImmediate(run);
    return () => clearImmediate(id);
  },
  after: () => () => undefined,
};

function storage(kept = new Map<string, string>()): StoragePort & { kept: Map<string, string> } {
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    key: (at) => [...kept.keys()][at] ?? null,
    get length() {
      return kept.size;
    },
  };
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

const steady: NetworkPort = { online: () => true, onChange: () => () => undefined };

async function window(core = createFakeCore(), kept = storage(), network = steady) {
  const holdfast = createHoldfast(core.connection, createWindowMemory(kept), clock, network);
  undo.push(() => {
    holdfast.stop();
    core.connection.close();
  });
  await vi.waitFor(() => expect(holdfast.store.getState().loaded).toBe(true));
  return { core, kept, holdfast, state: () => holdfast.store.getState(), actions: holdfast.actions };
}

const turnsOf = (holdfast: Holdfast, id: string) => holdfast.store.getState().conversations[id]?.turns ?? [];
const calls = (core: ReturnType<typeof createFakeCore>, name: string) =>
  core.calls.filter((call) => call.name === name);
const diskFull: Problem = { code: 'disk_full', message: 'The disk is full.', retry: 'user' };

describe('the window after a start', () => {
  it('shows the remembered session with its history', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a', lastActivityAt: 1 });
    core.addSession({ id: 'b', lastActivityAt: 2 });
    core.addTurn('a', { role: 'user', parts: [{ type: 'text', text: 'hello' }] });
    const { holdfast, state } = await window(core, storage(new Map([['holdfast:active', 'a']])));
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a').map(textOf)).toEqual(['hello']));
    expect(state().activeId).toBe('a');
    expect(state().settings?.provider).toBe('demo');
  });

  it('comes up to date after a reset without having been empty in between', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    core.addTurn('a', { role: 'user' });
    const { holdfast } = await window(core);
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a')).toHaveLength(1));
    const seen: number[] = [];
    undo.push(holdfast.store.subscribe((state) => seen.push(state.conversations['a']?.turns.length ?? 0)));
    core.addTurn('a', { role: 'model' }, true);
    core.sessions.set('new', { ...core.addSession({ id: 'new' }) });
    core.reset();
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a')).toHaveLength(2));
    expect(Math.min(...seen)).toBe(1);
  });

  it('keeps asking for the list until the core answers', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    core.failNext('sessions.list', { code: 'internal', message: 'No.', retry: 'user' });
    const { state } = await window(core);
    expect(Object.keys(state().sessions)).toEqual(['a']);
  });

  it('fetches older turns in pages and keeps their order', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    for (let at = 0; at < 250; at += 1) core.addTurn('a', { role: 'user' }, true);
    const { holdfast, actions, state } = await window(core);
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a')).toHaveLength(100));
    await Promise.all([actions.loadOlder('a'), actions.loadOlder('a')]);
    expect(turnsOf(holdfast, 'a')).toHaveLength(200);
    await actions.loadOlder('a');
    expect(turnsOf(holdfast, 'a').map((turn) => turn.index)).toEqual(Array.from({ length: 250 }, (_, at) => at + 1));
    expect(state().conversations['a']?.hasMore).toBe(false);
  });
});

describe('a streamed answer', () => {
  it('arrives whole when the window heard only part of it', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { holdfast } = await window(core);
    await vi.waitFor(() => expect(holdfast.store.getState().conversations['a']?.newest.kind).toBe('ready'));
    const answer = core.addTurn('a', { role: 'model', status: 'streaming' });
    core.delta(answer, 'one ');
    const list = core.turns.get('a') ?? [];
    // The core moves on without telling: the next delta leaves a gap.
    list[0] = { ...(list[0] as typeof answer), parts: [{ type: 'text', text: 'one two ' }] };
    core.delta(answer, 'three');
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a').map(textOf)).toEqual(['one two three']));
  });
});

describe('sending', () => {
  it('clears the draft only once the core has the turn', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state, holdfast } = await window(core);
    actions.setDraft('a', ' hello ');
    void actions.send('a');
    expect(state().drafts['a']).toBe(' hello ');
    await vi.waitFor(() => expect(state().drafts['a']).toBeUndefined());
    expect(turnsOf(holdfast, 'a').map(textOf)).toEqual(['hello']);
    expect(state().pending).toEqual({});
  });

  it('keeps what was typed behind the turn while it was under way', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state } = await window(core);
    actions.setDraft('a', 'first');
    void actions.send('a');
    actions.setDraft('a', 'first and then');
    await vi.waitFor(() => expect(state().pending).toEqual({}));
    expect(state().drafts['a']).toBe('and then');
  });

  it('leaves the text where it is and says why when the core refuses', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state, kept } = await window(core);
    core.failNext('turns.send', diskFull);
    actions.setDraft('a', 'precious');
    void actions.send('a');
    await vi.waitFor(() => expect(state().sendProblems['a']).toEqual(diskFull));
    expect(state().drafts['a']).toBe('precious');
    expect(state().pending).toEqual({});
    expect(kept.kept.get('holdfast:draft:a')).toBe('precious');
    void actions.send('a');
    await vi.waitFor(() => expect(state().drafts['a']).toBeUndefined());
    expect(state().sendProblems).toEqual({});
  });

  it('sends the same turn again once the core is back, and once only', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state, holdfast, kept } = await window(core);
    core.setStatus('lost');
    actions.setDraft('a', 'through the storm');
    void actions.send('a');
    void actions.send('a');
    await vi.waitFor(() => expect(state().pending['a']?.state).toBe('unreached'));
    const { turnId } = state().pending['a'] ?? {};
    expect(state().drafts['a']).toBe('through the storm');
    expect(kept.kept.get('holdfast:pending:a')).toContain(turnId);
    core.setStatus('open');
    await vi.waitFor(() => expect(turnsOf(holdfast, 'a').map((turn) => turn.id)).toEqual([turnId]));
    expect(state().drafts).toEqual({});
    expect(kept.kept.has('holdfast:pending:a')).toBe(false);
    expect(calls(core, 'turns.send')).toHaveLength(1);
  });

  it('takes up after a reload what could not be delivered before', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const first = await window(core);
    core.setStatus('lost');
    first.actions.setDraft('a', 'unfinished business');
    void first.actions.send('a');
    await vi.waitFor(() => expect(first.state().pending['a']?.state).toBe('unreached'));
    first.holdfast.stop();
    core.setStatus('open');
    const second = await window(core, first.kept);
    await vi.waitFor(() => expect(turnsOf(second.holdfast, 'a').map(textOf)).toEqual(['unfinished business']));
    expect(second.state().drafts).toEqual({});
  });

  it('makes as many sessions as it is asked for', async () => {
    const { actions, state } = await window();
    await Promise.all([actions.newSession(), actions.newSession()]);
    await actions.newSession();
    expect(Object.keys(state().sessions)).toHaveLength(3);
    expect(state().making).toBeNull();
  });

  it('takes what is typed before a new session is there as its draft', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state } = await window(core);
    actions.setDraft('a', 'of a');
    const made = actions.newSession();
    await Promise.resolve();
    const id = state().activeId ?? '';
    expect(id).not.toBe('a');
    actions.setDraft(id, 'early bird');
    await made;
    expect(state()).toMatchObject({ activeId: id, drafts: { a: 'of a', [id]: 'early bird' } });
  });

  it('makes a session for a first message, and one only however often it is tried', async () => {
    const core = createFakeCore();
    const { actions, state, holdfast } = await window(core);
    core.failNext('sessions.create', diskFull);
    actions.setDraft(NEW_DRAFT, 'hello');
    await actions.send(NEW_DRAFT);
    expect(state().sendProblems[NEW_DRAFT]).toEqual(diskFull);
    expect(state().drafts[NEW_DRAFT]).toBe('hello');
    await actions.send(NEW_DRAFT);
    const id = state().activeId ?? '';
    await vi.waitFor(() => expect(turnsOf(holdfast, id).map(textOf)).toEqual(['hello']));
    expect(core.sessions.size).toBe(1);
    expect(state().drafts).toEqual({});
    const asked = calls(core, 'sessions.create').map((call) => (call.input as { sessionId: string }).sessionId);
    expect(new Set(asked)).toEqual(new Set([id]));
  });
});

describe('what fails without a place of its own', () => {
  it('becomes a notice, which stays away once dismissed', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state, kept } = await window(core);
    core.failNext('sessions.rename', diskFull);
    await actions.renameSession('a', 'Better');
    const [notice] = state().notices;
    expect(notice?.problem).toEqual(diskFull);
    actions.dismissNotice(notice?.id ?? '');
    expect(
      createWindowMemory(kept)
        .read()
        .dismissed.has(notice?.id ?? ''),
    ).toBe(true);
  });

  it('says nothing of an answer that ended before it could be stopped', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const { actions, state } = await window(core);
    await actions.stop('a');
    expect(state().notices).toEqual([]);
  });
});

describe('the network', () => {
  it('is told to the core at the start, at each change, and again once the core is back', async () => {
    let online = true;
    const heard = new Set<() => void>();
    const network: NetworkPort = {
      online: () => online,
      onChange(listener) {
        heard.add(listener);
        return () => heard.delete(listener);
      },
    };
    const turn = (to: boolean) => {
      online = to;
      for (const listener of heard) listener();
    };
    const { core, holdfast } = await window(createFakeCore(), storage(), network);
    const told = () => calls(core, 'links.network').map((call) => call.input);
    await vi.waitFor(() => expect(told()).toEqual([{ online: true }]));
    turn(false);
    await vi.waitFor(() => expect(told()).toEqual([{ online: true }, { online: false }]));
    core.setStatus('lost');
    turn(true);
    core.setStatus('open');
    await vi.waitFor(() => expect(told()).toEqual([{ online: true }, { online: false }, { online: true }]));
    holdfast.stop();
    expect(heard.size).toBe(0);
  });
});

describe('the link', () => {
  const live: LinkState = { kind: 'live', since: 1_000, restored: 'new' };

  it('is paused, goes on and starts fresh when asked', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a', link: live });
    const { state, actions } = await window(core);
    const kind = () => state().sessions['a']?.link.kind;
    await actions.pauseLink('a');
    expect(kind()).toBe('paused');
    await actions.resumeLink('a');
    expect(kind()).toBe('connecting');
    expect(await actions.startFresh('a')).toBe(true);
    expect(calls(core, 'links.startFresh').map((call) => call.input)).toEqual([{ sessionId: 'a' }]);
    core.failNext('links.startFresh', diskFull);
    expect(await actions.startFresh('a')).toBe(false);
    expect(state().notices.map((notice) => notice.problem.code)).toEqual(['disk_full']);
  });

  it('keeps what an event told when the answer to a request is older', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a', link: live });
    const { state, actions } = await window(core);
    const later = Date.now() + 60_000;
    core.setLink('a', { kind: 'live', since: later, restored: 'resumed' });
    await vi.waitFor(() => expect(state().sessions['a']?.link.since).toBe(later));
    core.setLink = (_id, link) => link;
    await actions.pauseLink('a');
    expect(state().sessions['a']?.link).toEqual({ kind: 'live', since: later, restored: 'resumed' });
  });

  it('has its health told when asked, or why not', async () => {
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    core.health = { roundTripMs: 40, dropsLastHour: 2, connections: [] };
    const { state, actions } = await window(core);
    expect(await actions.linkHealth('a')).toEqual({ ok: true, value: core.health });
    core.failNext('links.health', diskFull);
    expect(await actions.linkHealth('a')).toEqual({ ok: false, problem: diskFull });
    expect(state().notices).toEqual([]);
  });
});

describe('a storage that does not work', () => {
  it('costs the remembering and nothing else', async () => {
    const refuse = () => {
      throw new Error('QuotaExceededError');
    };
    const broken: StoragePort = { getItem: refuse, setItem: refuse, removeItem: refuse, key: refuse, length: 1 };
    const core = createFakeCore();
    core.addSession({ id: 'a' });
    const holdfast = createHoldfast(core.connection, createWindowMemory(broken), clock, steady);
    undo.push(() => holdfast.stop());
    await vi.waitFor(() => expect(holdfast.store.getState().loaded).toBe(true));
    holdfast.actions.setDraft('a', 'still here');
    expect(holdfast.store.getState().drafts['a']).toBe('still here');
  });

  it('ignores what it does not understand', () => {
    const strange = storage(
      new Map([
        ['holdfast:pending:a', '{"turnId":1}'],
        ['holdfast:pending:b', 'not json'],
        ['holdfast:dismissed', '{}'],
      ]),
    );
    expect(createWindowMemory(strange).read()).toEqual({
      activeId: null,
      drafts: {},
      pending: {},
      dismissed: new Set(),
    });
  });
});
