import type { Problem, Restoration, Usage } from '../../contract/index.ts';
import type { ConnectionEnd } from '../close-reasons.ts';
import type { ServerSignal } from '../signals.ts';

/**
 * A user's turn on its way. It leaves the outbox when its answer is over.
 * `waiting` → `sent` → (`answering`) → gone; a lost connection puts it back to `waiting` or cuts it.
 */
export interface OutTurn {
  readonly turnId: string;
  readonly stage: 'waiting' | 'sent' | 'answering' | 'stopping';
  /** The connection that it was last handed to, and the index of its frame there, counting the setup as 0. */
  readonly epoch?: number;
  readonly messageIndex?: number;
  readonly sentAt?: number;
  /** How often it was handed to a connection in vain. */
  readonly losses: number;
  /** How often a connection died of it: refused it as invalid, or went deaf at it. */
  readonly deaths: number;
  /** Words of an answer have come, not only thoughts or sound. */
  readonly spoke: boolean;
  /** Its answer was cut: what is sent is the wish to go on, not the question. */
  readonly continuation: boolean;
  /** The server said `interrupted` at our own `stop`; its `turnComplete` is still to come. */
  readonly interrupted: boolean;
}

/**
 * One rung of the ladder by which a conversation is climbed back into. Only handles that came at a turn boundary (or
 * with an acknowledgement) are kept, so what a rung stands for is certain: everything up to and with the exchange
 * `after`, and nothing of what was sent later.
 */
export interface Rung {
  readonly handle: string;
  /** Handles are good for the model and the server that gave them. */
  readonly model: string;
  readonly at: number;
  /** Its watermark: the last question whose answer was over when it came. Absent: nothing had been asked. */
  readonly after: string | undefined;
  /** A question that the server acknowledged but had not answered. */
  readonly pending: string | undefined;
  /** The server has what came before only from the instructions, which every setup states anew. */
  readonly summarised: boolean;
}

/** What the next connection is to start from. */
export type Plan =
  | { readonly kind: 'handle'; readonly rung: Rung; readonly older: boolean }
  /** Nothing on the server: the history is told, if there is any. */
  | { readonly kind: 'history' }
  /** The history as turns was refused too: a summary of it in the system instruction. */
  | { readonly kind: 'summary' };

export interface Connection {
  readonly epoch: number;
  readonly plan: Plan;
  /** `opened`: its setup waits for the context. `ready`: the server said `setupComplete` and was told what it lacks. */
  readonly stage: 'preparing' | 'dialling' | 'opened' | 'setup' | 'ready' | 'leaving';
  readonly dialledAt: number;
  readonly readyAt?: number;
  readonly model: string;
  readonly restored: Restoration;
  /** Frames sent on it, the setup included. */
  readonly sent: number;
  /** A first answer has come: the way in which it was restored holds. */
  readonly proven: boolean;
  /** Turns that it is told beside what its handle stands for; unknown while they are gathered. */
  readonly contextTurns: number | undefined;
  /** It is told them in a frame of their own. */
  readonly contextAsFrame: boolean;
  /** What it is told stands in the setup already, or is announced there. */
  readonly setupWaits: boolean;
  /** What the server has said since `setupComplete`, while the context is still gathered. */
  readonly early: readonly ServerSignal[] | undefined;
  /** Something was asked on it. */
  readonly asked: boolean;
  /** An answer ended in silence; its `turnComplete` may still come. */
  readonly endOwed: boolean;
  /** Sound was sent on it: what it hears may be new. */
  readonly listened: boolean;
  /** The first question that was asked on it. */
  readonly firstAsked?: string;
  /** Why we leave it. */
  readonly why?: LeaveReason;
}
export type LeaveReason = 'rotated' | 'paused' | 'settings' | 'closed' | 'idle' | 'fresh' | 'lost';

/** What the link is about, besides the connection that it has or has not. */
export type Phase =
  | { readonly kind: 'idle' }
  /** There is a connection, or one is being made. */
  | { readonly kind: 'connected' }
  /** The connection was lost; the next is dialled as soon as it is down. */
  | { readonly kind: 'redial' }
  /** The connection is to be replaced at the next turn boundary, at the latest at `until`. */
  | { readonly kind: 'rotating'; readonly until: number }
  | { readonly kind: 'waiting'; readonly until: number; readonly attempt: number; readonly problem: Problem }
  | { readonly kind: 'paused'; readonly by: 'user' | 'offline' }
  | { readonly kind: 'needs-you'; readonly problem: Problem }
  | { readonly kind: 'closed' };

export interface LinkData {
  readonly phase: Phase;
  readonly since: number;
  readonly connection: Connection | undefined;
  readonly epoch: number;
  /** Oldest first. */
  readonly outbox: readonly OutTurn[];
  /** Newest first. */
  readonly ladder: readonly Rung[];
  /** How far down the ladder the handles have been given up: then history, then a summary. */
  readonly seeding: 'history' | 'summary';
  /** Handles were given up since the last one came: the rungs that are left are older ones. */
  readonly fallen: boolean;
  /** Dials in a row that failed with the topmost rung in a way that it may be to blame for. */
  readonly rungFailures: number;
  /** The last question whose answer is over. */
  readonly lastAnswered: string | undefined;
  /** The words of the answer under way, and of the last few, newest first; cut to what a replay is told by. */
  readonly speaking: string;
  readonly said: readonly string[];
  /** The server says again something that it has said: as much of it as has come. */
  readonly replay: string | undefined;
  /** This server has spoken unasked after a resume: its first words are waited for. */
  readonly greets: boolean;
  /** The first answer on a restored connection: it may have been a greeting, with the answer still to come. */
  readonly suspect: OutTurn | undefined;
  /** A handle that came after it: of use once it is known what it stands for. */
  readonly heldHandle: string | undefined;
  /** Its prompt's size in tokens. */
  readonly suspectPrompt: number | undefined;
  /** The answer is over; the handle that covers it is waited for a little before the next question goes out. */
  readonly settling: boolean;
  readonly attempts: number;
  /** Times of the dials of the last ten minutes. */
  readonly dials: readonly number[];
  readonly online: boolean;
  /** Words are coming that nobody asked for. */
  readonly unasked: boolean;
  /** Context size in tokens: when the server's side of the conversation began, and at the last count. */
  readonly tokens: { readonly base: number; readonly last: number } | undefined;
  readonly usage: Usage | undefined;
  /** Tool calls under way, by id: the connection that asked, and whether a result is still wanted. */
  readonly tools: Readonly<Record<string, { readonly name: string; readonly epoch: number }>>;
  /** Ids of calls that were run, oldest first: a call that comes again is not run again. */
  readonly ranTools: readonly string[];
  /** The last results, newest first, with the connection that each was told to: for calls that come again on another. */
  readonly toolResults: readonly { readonly result: ToolResult; readonly epoch: number }[];
  /** Results whose connection went before they came. */
  readonly orphans: readonly ToolResult[];
  /** Sound that waits for a connection, base64 PCM16 at 16 kHz; the oldest goes first when it grows too long. */
  readonly audio: readonly string[];
  readonly audioBytes: number;
  /** Observed lifetime of connections by model, in milliseconds. */
  readonly lifetimes: Readonly<Record<string, number>>;
}

export interface ToolResult {
  readonly id: string;
  readonly name: string;
  readonly response: Record<string, unknown>;
}

export type AskForm = 'question' | 'continuation' | 'nudge';

export type TimerName =
  'dial' | 'retry' | 'answer' | 'end' | 'stop' | 'rotate' | 'margin' | 'healthy' | 'leave' | 'settle' | 'suspect';

/** What happens to a link. */
export type LinkInput =
  /** `continuation`: its answer was cut in an earlier run of the program, and the rest is wanted. */
  | { readonly type: 'ask'; readonly turnId: string; readonly continuation?: boolean }
  | { readonly type: 'stop' }
  | { readonly type: 'audio'; readonly base64: string }
  | { readonly type: 'tool-result'; readonly result: ToolResult }
  | { readonly type: 'reconnect' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'start-fresh' }
  /** Settings have changed: the next connection is to use them. */
  | { readonly type: 'refresh' }
  | { readonly type: 'network'; readonly online: boolean }
  /** The machine slept, or its interfaces changed: what looks connected may not be. */
  | { readonly type: 'wake' }
  /** Nothing was said for long: the live state is given up, the history remains. */
  | { readonly type: 'expire' }
  | { readonly type: 'close' }
  | { readonly type: 'timer'; readonly name: TimerName }
  | {
      readonly type: 'prepared';
      readonly epoch: number;
      readonly model: string;
      /** The setup depends on the context: it is sent when both are there. */
      readonly setupWaits: boolean;
    }
  /** How many turns the connection will be told, beside what the handle stands for. */
  | {
      readonly type: 'context';
      readonly epoch: number;
      readonly turns: number;
      /** As a frame after the setup, and not within it. */
      readonly asFrame: boolean;
    }
  | { readonly type: 'unprepared'; readonly epoch: number; readonly problem: Problem }
  | { readonly type: 'opened'; readonly epoch: number }
  | { readonly type: 'signal'; readonly epoch: number; readonly signal: ServerSignal }
  | { readonly type: 'ended'; readonly epoch: number; readonly end: ConnectionEnd };

/** What the runner is to do, in order. */
export type LinkEffect =
  | { readonly type: 'prepare'; readonly epoch: number; readonly plan: Plan }
  | { readonly type: 'dial'; readonly epoch: number }
  | { readonly type: 'setup'; readonly epoch: number }
  | { readonly type: 'tell-context'; readonly epoch: number }
  /**
   * `question`: the turn's own words. `continuation`: the wish to go on with an answer that was cut. `nudge`: nothing but
   * the wish for an answer, since the server has the question.
   */
  | { readonly type: 'ask'; readonly epoch: number; readonly turnId: string; readonly form: AskForm }
  | { readonly type: 'interrupt'; readonly epoch: number }
  | { readonly type: 'tool-response'; readonly epoch: number; readonly result: ToolResult }
  | { readonly type: 'tell-results'; readonly epoch: number; readonly results: readonly ToolResult[] }
  | { readonly type: 'audio'; readonly epoch: number; readonly base64: string }
  | { readonly type: 'hang-up'; readonly epoch: number }
  | { readonly type: 'start-timer'; readonly name: TimerName; readonly ms: number }
  | { readonly type: 'stop-timer'; readonly name: TimerName }
  | { readonly type: 'tell'; readonly fact: LinkFact };

/** What has happened, for the conversation to keep and to show. */
export type LinkFact =
  | { readonly type: 'state' }
  | { readonly type: 'sent'; readonly turnId: string; readonly epoch: number }
  /** What came as the answer to this turn was the end of something else; its own answer is still to come. */
  | { readonly type: 'not-the-answer'; readonly turnId: string }
  | {
      readonly type: 'words';
      readonly turnId: string | undefined;
      readonly kind: 'text' | 'thought';
      readonly text: string;
    }
  | {
      readonly type: 'tool-call';
      readonly turnId: string | undefined;
      readonly id: string;
      readonly name: string;
      readonly args: Record<string, unknown>;
    }
  | { readonly type: 'tool-cancelled'; readonly ids: readonly string[] }
  | {
      readonly type: 'answered';
      readonly turnId: string | undefined;
      readonly how: 'complete' | 'stopped' | 'interrupted';
      readonly usage: Usage | undefined;
    }
  /** The connection went in mid-answer. `goesOn`: the rest is asked for by itself. */
  | { readonly type: 'cut'; readonly turnId: string | undefined; readonly problem: Problem; readonly goesOn: boolean }
  /** Handed to a connection in vain; it is sent again by itself. */
  | { readonly type: 'requeued'; readonly turnId: string }
  /** Given up. The text is kept; the user decides. */
  | { readonly type: 'failed'; readonly turnId: string; readonly problem: Problem }
  | { readonly type: 'restored'; readonly how: Restoration; readonly turns: number }
  /** The server had lost the conversation, though it said it resumed. */
  | { readonly type: 'context-lost'; readonly expected: number; readonly found: number }
  /** To be stored, once everything told before is on disk. */
  | { readonly type: 'ladder'; readonly ladder: readonly Rung[]; readonly tokens: LinkData['tokens'] }
  | {
      readonly type: 'connection';
      readonly epoch: number;
      readonly openedAt: number;
      readonly endedAt: number;
      readonly restored: Restoration | undefined;
      readonly problem: Problem | undefined;
      readonly why: LeaveReason;
    }
  | { readonly type: 'first-delta'; readonly ms: number }
  | { readonly type: 'odd'; readonly what: string; readonly facts: Readonly<Record<string, string | number>> };
