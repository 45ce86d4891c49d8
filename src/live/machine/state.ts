import type { LinkState } from '../../contract/index.ts';
import { REPLAY_MAX_CHARS, SAID_KEPT } from './replay.ts';
import type { LinkData, Rung } from './types.ts';

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
  /** Times of the last dials of an earlier link of the same session. */
  readonly dials?: readonly number[];
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
    heldHandle: undefined,
    suspectPrompt: undefined,
    settling: false,
    attempts: 0,
    dials: start.dials ?? [],
    online: start.online,
    unasked: false,
    tokens: start.tokens,
    usage: undefined,
    tools: {},
    ranTools: [],
    toolResults: [],
    orphans: [],
    audio: [],
    audioBytes: 0,
    lifetimes: start.lifetimes,
  };
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
