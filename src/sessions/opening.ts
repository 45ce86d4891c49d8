import type { Archive, SessionRecord } from '../archive/index.ts';
import { textOf } from '../contract/index.ts';
import type { CoreEvent, Problem, Turn } from '../contract/index.ts';
import type { Journal, Journals, OpenedJournal } from '../journal/index.ts';
import { contextForm, contextFrom, createLink, defaultLinkConfig, NO_CONTEXT } from '../live/index.ts';
import type { Clock, Context, Dial, Endpoint, LinkConfig, LinkData, ModelTraits, Plan } from '../live/index.ts';
import { storageProblem } from '../storage/index.ts';
import { earlierQuestions, turnsToTell } from './context.ts';
import { createConversation } from './conversation.ts';
import type { Conversation } from './conversation.ts';
import type { LiveSessions } from './live-sessions.ts';
import { createSessionState } from './record.ts';
import { CLOSED, CLOSED_GOES_ON } from './transcript.ts';

/** As many turns as are looked at when a conversation is told anew. */
const CONTEXT_TURNS = 400;
/** Among so many newest turns are the answers that a server may say again. */
const LAST_TURNS = 50;

export interface SessionsPorts {
  readonly journals: Journals;
  readonly archive: Archive;
  readonly liveSessions: LiveSessions;
  readonly endpoint: () => Promise<Endpoint>;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: () => number;
  /** An id that nothing else has. */
  readonly newId: () => string;
  readonly linkConfig?: () => LinkConfig;
  /** Another maker of links, for whoever wants to look at them. */
  readonly createLink?: typeof createLink;
  /** Whether there is a network, as far as is known. */
  readonly online: () => boolean;
  readonly publish: (event: CoreEvent) => void;
  readonly notify: (problem: Problem) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
}

/** A session in use, with the file that it is written to. */
export interface Live {
  readonly conversation: Conversation;
  readonly journal: Journal;
  /** Its live state is of a moment ago: it was in use, and has not expired. */
  readonly fresh: boolean;
}

/** Brings sessions into use: their journal, their state, their link, and what each connection has to be told. */
export function createOpening(ports: SessionsPorts) {
  const { archive, journals, liveSessions, publish, clock } = ports;
  /** Lifetimes of connections by model, as any link has seen them. */
  let lifetimes: LinkData['lifetimes'] = {};
  /** When a session last dialled: to close it and open it again is no way around what bounds its dials. */
  const dials = new Map<string, readonly number[]>();

  function bring(
    record: SessionRecord,
    underWay: readonly Turn[],
    { journal }: OpenedJournal,
    said: readonly string[],
  ): Live {
    const sessionId = record.id;
    const state = createSessionState(record, underWay, {
      journal,
      archive,
      archiveFailed: (error) => ports.notify(storageProblem(error)),
    });
    const { session: stored, how } = liveSessions.restore(sessionId);
    const [top] = stored.ladder;
    /** Watermarks of the handles that the link holds, whatever has become of the stored live state. */
    let covered = new Map(stored.ladder.map(({ handle, covers }) => [handle, covers]));
    const conversation: Conversation = createConversation({
      state,
      publish,
      newId: ports.newId,
      now: clock.now,
      after: clock.after,
      report: (what, facts) => ports.report(what, { ...facts, sessionId }),
      active: () => liveSessions.refresh(sessionId),
      storageFailed: (error) => ports.notify(storageProblem(error)),
      keepLadder({ ladder, tokens }, covers) {
        covered = new Map(ladder.map(({ handle }) => [handle, covered.get(handle) ?? covers]));
        const known = new Map(liveSessions.getSession(sessionId)?.ladder.map((rung) => [rung.handle, rung]));
        liveSessions.updateState(sessionId, {
          tokens,
          epoch: conversation.link.data.epoch,
          ladder: ladder.map(
            (rung) => known.get(rung.handle) ?? { ...rung, covers: covered.get(rung.handle)!, seq: state.seq },
          ),
        });
      },
      link: ({ emit, words, roundTrip }) =>
        (ports.createLink ?? createLink)(
          {
            endpoint: ports.endpoint,
            dial: ports.dial,
            clock,
            random: ports.random,
            emit(fact, endpoint) {
              if (fact.type === 'connection') {
                lifetimes = { ...lifetimes, ...conversation.link.data.lifetimes };
                dials.set(sessionId, conversation.link.data.dials);
              }
              emit(fact, endpoint);
            },
            words,
            roundTrip,
            context: (plan, traits) => gather(conversation, plan, traits, (handle) => covered.get(handle)),
            report: (what, facts) => ports.report(what, { ...facts, sessionId }),
            ...(ports.linkConfig && { config: ports.linkConfig }),
          },
          {
            at: clock.now(),
            ladder: stored.ladder,
            tokens: stored.tokens,
            // What came after the newest handle is not covered by it.
            lastAnswered: top !== undefined && top.covers >= record.turnCount ? top.after : `${top?.after}+`,
            said,
            lifetimes,
            epoch: stored.epoch,
            dials: dials.get(sessionId) ?? [],
            online: ports.online(),
          },
        ),
    });
    return { conversation, journal, fresh: how === 'restored' };
  }

  /** Without waiting for the disk where what is on its way there is certain: the server is told what it would be told. */
  function gather(
    conversation: Conversation,
    plan: Plan,
    traits: ModelTraits,
    watermark: (handle: string) => number | undefined,
  ): Promise<Context> {
    const ahead = conversation.ahead();
    return ahead === undefined
      ? conversation.settled(() => contextOf(conversation, plan, traits, watermark, []))
      : contextOf(conversation, plan, traits, watermark, ahead);
  }

  /** What a connection that starts from `plan` has to be told: everything that was said and that it cannot know. */
  async function contextOf(
    conversation: Conversation,
    plan: Plan,
    traits: ModelTraits,
    watermark: (handle: string) => number | undefined,
    ahead: readonly Turn[],
  ): Promise<Context> {
    const sessionId = conversation.session.id;
    // Questions that wait follow as questions; one whose answer is to go on is part of what was said.
    const waiting = new Set(
      conversation.link.data.outbox.filter(({ continuation }) => !continuation).map(({ turnId }) => turnId),
    );
    // What stands only in the instructions is stated again with every setup, all of it.
    const summarised = plan.kind === 'summary' || (plan.kind === 'handle' && plan.rung.summarised);
    const covers = plan.kind === 'handle' ? watermark(plan.rung.handle) : 0;
    // To tell all of it on top of a handle would double it; and every handle of the link has gone through `keepLadder`.
    if (covers === undefined) throw new Error('A handle without a watermark');
    const after = summarised ? 0 : covers;
    if (after >= conversation.session.turnCount) return NO_CONTEXT;
    const stored = await archive.turnsAfter(sessionId, after, CONTEXT_TURNS);
    const newest = new Map([...stored, ...ahead.filter(({ index }) => index > after)].map((turn) => [turn.id, turn]));
    const turns = [...newest.values()].sort((a, b) => a.index - b.index);
    const earlier = new Map<string, Turn>();
    if (after > 0) {
      for (const turnId of earlierQuestions(turns)) {
        const question = await archive.turn(sessionId, turnId);
        if (question !== undefined) earlier.set(turnId, question);
      }
    }
    const whole = turnsToTell(turns, earlier, waiting);
    return contextFrom(whole, summarised ? 'instruction' : contextForm(traits, plan.kind));
  }

  async function load(record: SessionRecord): Promise<Live> {
    const underWay = await archive.unfinished(record.id);
    const newest = await archive.turns(record.id, undefined, LAST_TURNS);
    const said = newest
      .filter(({ role }) => role === 'model')
      .map(textOf)
      .reverse();
    let opened: OpenedJournal;
    try {
      opened = await journals.open(record.id, 'continue');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      opened = await beginAnew(record);
    }
    if (opened.content.damage.length > 0) {
      ports.notify({
        code: 'journal_damaged',
        message: `Part of the record of “${record.title}” is damaged on the disk. The archive still has all of it, and everything new is kept.`,
        retry: 'never',
        context: { path: journals.pathOf(record.id), places: opened.content.damage.length },
      });
    }
    const brought = bring(record, underWay, opened, said);
    await brought.conversation.exclusively(() => settle(brought));
    return brought;
  }

  /**
   * What the last use left unfinished: cut answers are marked, and whatever drew no answer is sent again. Sending again is
   * safe: a handle is stored only when nothing was outstanding, and only after what it covers was on disk, so no handle
   * that is left knows a turn that is unanswered here. A cut answer is gone on with by itself, once, unless it was cut so
   * long ago that nobody waits for it.
   */
  async function settle({ conversation, fresh }: Live): Promise<void> {
    for (const turn of conversation.underWay) {
      if (turn.status === 'streaming') {
        const { id, replyTo } = turn;
        const question = replyTo === undefined ? undefined : await archive.turn(conversation.session.id, replyTo);
        const wanted = (ports.linkConfig?.() ?? defaultLinkConfig).goOn;
        const goesOn = wanted && fresh && turn.continues === undefined && question?.status === 'answered';
        if (goesOn) conversation.take(question);
        await conversation.record({
          type: 'turn.ended',
          turnId: id,
          status: 'interrupted',
          problem: goesOn ? { ...CLOSED, message: CLOSED_GOES_ON } : CLOSED,
          ...(goesOn && { asksAgain: question.id }),
        });
      } else if (turn.status === 'sent') {
        await conversation.record({ type: 'turn.asked-again', turnId: turn.id });
      }
    }
    await conversation.askWaiting();
  }

  /** The journal is gone but the archive has the session: a new journal begins with all that the archive holds. */
  async function beginAnew(record: SessionRecord): Promise<OpenedJournal> {
    const turns = await archive.turns(record.id, undefined, Number.MAX_SAFE_INTEGER);
    const opened = await journals.open(record.id, 'create');
    const { bytes } = await opened.journal.append({ type: 'session.snapshot', session: record, turns });
    await archive.save(record, [], bytes);
    ports.notify({
      code: 'journal_damaged',
      message: `The record of “${record.title}” was missing from the data folder. It was written again from the archive.`,
      retry: 'never',
      context: { sessionId: record.id },
    });
    return opened;
  }

  return {
    /** A session that the archive knows. Rejects with the file system's or SQLite's error. */
    load,
    /** A session that was created just now. */
    begin: (record: SessionRecord, opened: OpenedJournal): Live => bring(record, [], opened, []),
  };
}
