import { finish, heard, silent, stopIgnored } from './answer.ts';
import { pump } from './ask.ts';
import { defaultLinkConfig } from './config.ts';
import type { LinkConfig } from './config.ts';
import { connect, contextGathered, keepEarly, opened, prepared, ready, setUp } from './connect.ts';
import { enter, outstanding, patchConnection, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { isCovered, offerRung } from './ladder.ts';
import { gone, leave, rotate } from './leave.ts';
import { lose } from './lose.ts';
import { leaveIfSuspectCollapsed } from './proof.ts';
import { isBusy, linkState } from './state.ts';
import type { LinkData, LinkEffect, LinkInput, TimerName } from './types.ts';
import { wait } from './wait.ts';
import {
  ask,
  expire,
  goOn,
  network,
  putBack,
  reconnect,
  renew,
  sendAudio,
  startFresh,
  stop,
  toolResult,
  wake,
} from './wishes.ts';

export interface Step {
  readonly data: LinkData;
  /** To be performed in order. */
  readonly effects: readonly LinkEffect[];
}

export interface Moment {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A number in [0, 1), for whatever is to be spread out. */
  readonly random: number;
}

/**
 * The link: one step of a session's live tie to its provider. Pure: the same data, input and moment always give the
 * same step, and `data` is not changed. It knows no timers and no sockets; the effects say what is to be done, and what
 * comes of it comes back as input.
 */
export function step(
  data: LinkData,
  input: LinkInput,
  { at, random }: Moment,
  config: LinkConfig = defaultLinkConfig,
): Step {
  const draft: Draft = { data: { ...data }, effects: [], at, random, config };
  const before = JSON.stringify(linkState(data));
  if (data.phase.kind !== 'closed') apply(draft, input);
  if (JSON.stringify(linkState(draft.data)) !== before) tell(draft, { type: 'state' });
  return { data: draft.data, effects: draft.effects };
}

function apply(draft: Draft, input: LinkInput): void {
  const { data } = draft;
  if ('epoch' in input && input.epoch !== data.connection?.epoch) return;
  switch (input.type) {
    case 'ask':
      ask(draft, input.turnId, input.continuation === true);
      return;
    case 'stop':
      stop(draft);
      return;
    case 'audio':
      sendAudio(draft, input.base64);
      return;
    case 'tool-result':
      toolResult(draft, input.result);
      return;
    case 'reconnect':
      reconnect(draft);
      return;
    case 'pause':
      if (data.phase.kind === 'paused' && data.phase.by === 'user') return;
      putBack(draft);
      stopTimer(draft, 'retry');
      enter(draft, { kind: 'paused', by: 'user' });
      leave(draft, 'paused');
      return;
    case 'resume':
      if (data.phase.kind === 'paused') goOn(draft, true);
      return;
    case 'start-fresh':
      startFresh(draft);
      return;
    case 'refresh':
      data.seeding = 'history';
      data.attempts = 0;
      renew(draft, 'settings');
      return;
    case 'network':
      network(draft, input.online);
      return;
    case 'wake':
      wake(draft);
      return;
    case 'expire':
      expire(draft);
      return;
    case 'close':
      putBack(draft);
      stopTimer(draft, 'retry');
      leave(draft, 'closed');
      enter(draft, { kind: 'closed' });
      gone(draft);
      return;
    case 'timer':
      timer(draft, input.name);
      return;
    case 'prepared':
      prepared(draft, input.model, input.setupWaits);
      return;
    case 'context':
      if (contextGathered(draft, input.turns, input.asFrame)) begin(draft);
      return;
    case 'unprepared':
      stopTimer(draft, 'dial');
      data.attempts += 1;
      wait(draft, draft.at + draft.config.backoffCap, input.problem);
      leave(draft, 'lost');
      return;
    case 'opened':
      opened(draft);
      return;
    case 'signal':
      if (data.connection?.stage === 'setup') {
        if (input.signal.kind !== 'setup-complete') keepEarly(draft, input.signal);
        else if (setUp(draft)) begin(draft);
      } else heard(draft, input.signal);
      return;
    case 'ended':
      lose(draft, input.end, true);
      return;
  }
}

/** Nothing has come in the place of the first answer, and nothing was asked since: its handle stands for it. */
function offerHeld(draft: Draft): void {
  const { heldHandle } = draft.data;
  draft.data.heldHandle = undefined;
  if (heldHandle !== undefined && !isBusy(draft.data)) offerRung(draft, heldHandle, undefined);
}

/** The connection is live: what the server has said meanwhile is heard, then what waits is asked. */
function begin(draft: Draft): void {
  const early = draft.data.connection?.early ?? [];
  ready(draft);
  for (const signal of early) heard(draft, signal);
  pump(draft);
}

function timer(draft: Draft, name: TimerName): void {
  const { data, at, config } = draft;
  const { phase, connection } = data;
  switch (name) {
    case 'dial':
      lose(draft, { kind: 'silent', waitedMs: config.setupLimit }, connection?.stage === 'preparing');
      return;
    case 'retry':
      if (connection !== undefined) {
        // The old one is not down yet; it goes on from there.
        if (phase.kind === 'waiting') data.phase = { ...phase, until: Math.min(phase.until, at) };
        return;
      }
      if (phase.kind === 'waiting' || (phase.kind === 'paused' && phase.by === 'offline')) connect(draft);
      return;
    case 'answer':
      silent(draft);
      return;
    case 'end':
      if (outstanding(data) !== undefined) patchConnection(draft, { endOwed: true });
      finish(draft);
      return;
    case 'stop':
      stopIgnored(draft);
      return;
    case 'suspect':
      if (!leaveIfSuspectCollapsed(draft)) offerHeld(draft);
      return;
    case 'settle':
      data.settling = false;
      pump(draft);
      return;
    case 'rotate':
      if (connection?.stage !== 'ready') return;
      // Planned, not forced: without a handle that covers everything there is nothing to gain by it now.
      if (phase.kind === 'connected' && outstanding(data) === undefined && isCovered(data)) {
        rotate(draft, at + config.lifetimeMargin);
      } else startTimer(draft, 'rotate', config.lifetimeMargin);
      return;
    case 'margin':
      if (phase.kind !== 'rotating' || connection?.stage !== 'ready') return;
      putBack(draft);
      leave(draft, 'rotated');
      return;
    case 'healthy':
      data.attempts = 0;
      return;
    case 'leave':
      if (connection?.stage === 'leaving') gone(draft);
      return;
  }
}
