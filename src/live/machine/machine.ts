import type { LinkState } from '../../contract/index.ts';
import { finish, heard, leaveIfCollapsed, silent, stopIgnored } from './answer.ts';
import { pump } from './ask.ts';
import { defaultLinkConfig } from './config.ts';
import type { LinkConfig } from './config.ts';
import {
  connect,
  contextGathered,
  cut,
  CUT_OFF,
  gone,
  keepEarly,
  leave,
  lose,
  opened,
  pauseOffline,
  prepared,
  ready,
  rotate,
  setUp,
  wait,
} from './connect.ts';
import { enter, outstanding, patchConnection, patchTurn, removeTurn, startTimer, stopTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { dropLadder, isCovered } from './ladder.ts';
import { REPLAY_MAX_CHARS, SAID_KEPT } from './replay.ts';
import type { LinkData, LinkEffect, LinkInput, OutTurn, Rung, TimerName } from './types.ts';

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

export interface LinkStart {
  readonly at: number;
  readonly ladder: readonly Rung[];
  readonly tokens: LinkData['tokens'];
  readonly lastAnswered: string | undefined;
  /** The words of the last answers, newest first: a server that resumes may say one once more. */
  readonly said: readonly string[];
  readonly lifetimes: LinkData['lifetimes'];
  /** The number of the last connection of an earlier run. */
  readonly epoch: number;
  readonly online: boolean;
}

/** A link that is not connected yet. */
export function startLink(start: LinkStart): LinkData {
  return {
    phase: { kind: 'idle' },
    since: start.at,
    connection: undefined,
    epoch: start.epoch,
    outbox: [],
    ladder: start.ladder,
    seeding: 'history',
    fallen: false,
    rungFailures: 0,
    lastAnswered: start.lastAnswered,
    speaking: '',
    said: start.said.slice(0, SAID_KEPT).map((text) => text.slice(0, REPLAY_MAX_CHARS)),
    replay: undefined,
    greets: false,
    suspect: undefined,
    suspectPrompt: undefined,
    settling: false,
    attempts: 0,
    dials: [],
    online: start.online,
    unasked: false,
    tokens: start.tokens,
    usage: undefined,
    tools: {},
    ranTools: [],
    orphans: [],
    audio: [],
    audioBytes: 0,
    lifetimes: start.lifetimes,
  };
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
      dropLadder(draft);
      data.seeding = 'history';
      data.tokens = undefined;
      renew(draft, 'fresh');
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
      if (contextGathered(draft, input.turns)) begin(draft);
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

/** The connection is live: what the server has said meanwhile is heard, then what waits is asked. */
function begin(draft: Draft): void {
  const early = draft.data.connection?.early ?? [];
  ready(draft);
  for (const signal of early) heard(draft, signal);
  pump(draft);
}

function ask(draft: Draft, turnId: string, continuation: boolean): void {
  const { data } = draft;
  if (data.outbox.some((turn) => turn.turnId === turnId)) return;
  const turn: OutTurn = {
    turnId,
    stage: 'waiting',
    losses: 0,
    deaths: 0,
    spoke: false,
    continuation,
    interrupted: false,
  };
  data.outbox = [...data.outbox, turn];
  if (data.connection?.stage === 'ready') pump(draft);
  // A wait or a pause goes on; what needs the user may have been mended by now.
  else if (data.phase.kind === 'idle' || data.phase.kind === 'needs-you') connect(draft);
}

function stop(draft: Draft): void {
  const { data, config } = draft;
  const turn = outstanding(data) ?? data.outbox[0];
  if (turn === undefined || turn.stage === 'stopping') return;
  const { connection } = data;
  if (turn.stage === 'waiting' || connection?.stage !== 'ready') {
    removeTurn(draft, turn.turnId);
    tell(draft, { type: 'answered', turnId: turn.turnId, how: 'stopped', usage: undefined });
    return;
  }
  patchTurn(draft, turn.turnId, { stage: 'stopping', interrupted: false });
  stopTimer(draft, 'answer', 'end');
  draft.effects.push({ type: 'interrupt', epoch: connection.epoch });
  patchConnection(draft, { sent: connection.sent + 1 });
  startTimer(draft, 'stop', config.stopGrace);
}

function sendAudio(draft: Draft, base64: string): void {
  const { data, config } = draft;
  const { connection } = data;
  if (connection?.stage === 'ready' && data.phase.kind === 'connected') {
    draft.effects.push({ type: 'audio', epoch: connection.epoch, base64 });
    patchConnection(draft, { sent: connection.sent + 1, asked: true, listened: true });
    return;
  }
  const audio = [...data.audio, base64];
  let bytes = data.audioBytes + bytesIn(base64);
  while (bytes > config.audioMaxBytes && audio.length > 1) bytes -= bytesIn(audio.shift()!);
  data.audio = audio;
  data.audioBytes = bytes;
  if (data.phase.kind === 'idle') connect(draft);
}

/** How many bytes a piece of base64 stands for. */
function bytesIn(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}

function toolResult(draft: Draft, result: LinkData['orphans'][number]): void {
  const { data } = draft;
  const call = data.tools[result.id];
  if (call === undefined) return;
  const tools = { ...data.tools };
  delete tools[result.id];
  data.tools = tools;
  const { connection } = data;
  if (connection?.stage === 'ready' && connection.epoch === call.epoch) {
    draft.effects.push({ type: 'tool-response', epoch: connection.epoch, result });
    patchConnection(draft, { sent: connection.sent + 1 });
    return;
  }
  // Its connection is gone, and a response to a call that the next one never made would end that too.
  data.orphans = [...data.orphans, result];
}

function reconnect(draft: Draft): void {
  const { data } = draft;
  if (data.connection?.stage === 'ready') return renew(draft, 'fresh');
  if (data.connection !== undefined) return;
  data.attempts = 0;
  goOn(draft, true);
}

/** Leaves whatever kept the link from being connected. */
function goOn(draft: Draft, byUser: boolean): void {
  const { data } = draft;
  stopTimer(draft, 'retry');
  if (data.connection !== undefined) enter(draft, { kind: 'redial' });
  else {
    enter(draft, { kind: 'idle' });
    connect(draft, byUser);
  }
}

/** The next connection is to be a new one: at once between turns, otherwise when the answer that comes is over. */
function renew(draft: Draft, why: 'fresh' | 'settings'): void {
  const { data, at, config } = draft;
  const { connection, phase } = data;
  if (connection === undefined) {
    if (phase.kind === 'waiting' || phase.kind === 'needs-you') {
      stopTimer(draft, 'retry');
      enter(draft, { kind: 'idle' });
    }
    if (why === 'fresh' || data.outbox.length > 0) {
      if (data.phase.kind === 'idle') connect(draft, why === 'fresh');
    }
    return;
  }
  if (connection.stage === 'leaving') return;
  if (outstanding(data) !== undefined || data.unasked) {
    enter(draft, { kind: 'rotating', until: at + config.answerSilence, forced: true });
    startTimer(draft, 'margin', config.answerSilence);
    return;
  }
  enter(draft, { kind: 'redial' });
  leave(draft, why);
}

/** What the connection has in hand goes back to the queue: it is we who hang up. */
function putBack(draft: Draft): void {
  const { data } = draft;
  const turn = outstanding(data);
  if (turn === undefined) {
    if (data.unasked) tell(draft, { type: 'cut', turnId: undefined, problem: CUT_OFF, goesOn: false });
    data.unasked = false;
    return;
  }
  const { turnId } = turn;
  if (turn.stage === 'sent') {
    patchTurn(draft, turnId, { stage: 'waiting', interrupted: false, losses: turn.losses + 1 });
    tell(draft, { type: 'requeued', turnId });
    return;
  }
  if (turn.stage === 'stopping') {
    data.lastAnswered = turnId;
    removeTurn(draft, turnId);
    tell(draft, { type: 'answered', turnId, how: 'stopped', usage: undefined });
  } else cut(draft, turn, CUT_OFF);
}

function network(draft: Draft, online: boolean): void {
  const { data } = draft;
  if (data.online === online) return;
  data.online = online;
  const { phase } = data;
  if (!online) {
    if (phase.kind === 'waiting' && data.connection === undefined) pauseOffline(draft);
    return;
  }
  if (phase.kind === 'waiting' || (phase.kind === 'paused' && phase.by === 'offline')) goOn(draft, false);
}

function wake(draft: Draft): void {
  const { data, config } = draft;
  const { connection, phase } = data;
  if (connection?.stage === 'ready') {
    if (outstanding(data) !== undefined) startTimer(draft, 'answer', config.wakeGrace);
    else {
      // It may be long dead without a sign; a new one costs little and is certain.
      enter(draft, { kind: 'redial' });
      leave(draft, 'lost');
    }
  } else if (
    connection === undefined &&
    (phase.kind === 'waiting' || (phase.kind === 'paused' && phase.by === 'offline'))
  ) {
    goOn(draft, false);
  }
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
      if (outstanding(data) !== undefined) silent(draft, config.answerSilence);
      return;
    case 'end':
      finish(draft);
      return;
    case 'stop':
      stopIgnored(draft);
      return;
    case 'suspect': {
      const { suspect, suspectPrompt } = data;
      data.suspect = undefined;
      if (suspect !== undefined && suspectPrompt !== undefined && connection?.stage === 'ready') {
        leaveIfCollapsed(draft, suspectPrompt);
      }
      return;
    }
    case 'settle':
      data.settling = false;
      pump(draft);
      return;
    case 'rotate':
      if (connection?.stage !== 'ready') return;
      // Planned, not forced: without a handle that covers everything there is nothing to gain by it now.
      if (phase.kind === 'connected' && outstanding(data) === undefined && isCovered(data)) {
        rotate(draft, at + config.lifetimeMargin, false);
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

function expire(draft: Draft): void {
  const { data } = draft;
  if (isBusy(data)) return;
  dropLadder(draft);
  // A pause, a wait and what needs the user stay what they are.
  if (data.connection === undefined || (data.phase.kind !== 'connected' && data.phase.kind !== 'rotating')) return;
  enter(draft, { kind: 'idle' });
  leave(draft, 'idle');
}

/** Whether something is being said, or waits to be. */
export function isBusy({ outbox, unasked, audio }: LinkData): boolean {
  return outbox.length > 0 || unasked || audio.length > 0;
}

/** The state in the words of the contract. */
export function linkState(data: LinkData): LinkState {
  const { phase, connection, since } = data;
  switch (phase.kind) {
    case 'closed':
      return { kind: 'closed', since };
    case 'needs-you':
      return { kind: 'needs-you', since, problem: phase.problem };
    case 'paused':
      return { kind: 'paused', since, by: phase.by };
    case 'waiting':
      return { kind: 'waiting', since, attempt: phase.attempt, until: phase.until, problem: phase.problem };
    case 'idle':
      return { kind: 'idle', since };
    case 'redial':
      return { kind: 'connecting', since };
    case 'rotating':
      return { kind: 'rotating', since, until: phase.until };
    case 'connected':
      if (connection?.stage === 'ready') {
        return { kind: 'live', since: connection.readyAt ?? since, restored: connection.restored };
      }
      return connection?.contextTurns !== undefined && connection.contextTurns > 0
        ? { kind: 'restoring', since, turns: connection.contextTurns }
        : { kind: 'connecting', since };
  }
}
