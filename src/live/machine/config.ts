/** All times in milliseconds. */
export interface LinkConfig {
  /** A dial that has been made so long ago is given up when the user wants to connect. */
  readonly dialPatience: number;
  /** From the dial to `setupComplete`. */
  readonly setupLimit: number;
  /** Without a frame for this long while an answer is due, the server counts as gone. */
  readonly answerSilence: number;
  /** The same for the first answer after a resume: a poisoned handle hears and never answers. */
  readonly deafAfter: number;
  /** Some models never send `turnComplete`: silence after `generationComplete` ends a turn too. */
  readonly endSilence: number;
  /** How long the server may take to confirm that it was stopped. */
  readonly stopGrace: number;
  /** How long a socket may take to close before the next is opened all the same. */
  readonly leaveGrace: number;
  /** How long the next question waits for the handle that covers the last answer. */
  readonly settle: number;
  /** The same after the first answer on a restored connection, which may turn out to have been a greeting; and longer
   * where the server has greeted before. */
  readonly settleSuspect: number;
  readonly settleGreeter: number;
  /** How long a server that has greeted before is given to greet again, before it is asked anything. */
  readonly greetingWait: number;
  /** For how long words that nobody asked for may be the true answer. */
  readonly suspectFor: number;
  readonly backoffFirst: number;
  readonly backoffCap: number;
  /** A connection that lasted this long resets the backoff. */
  readonly healthyAfter: number;
  /** No more than this many dials in a window, of which the last few are kept for the user's own wish. */
  readonly dialsMax: number;
  readonly dialsForUser: number;
  readonly dialWindow: number;
  /** What is left of `goAway.timeLeft` when a rotation can wait no longer. */
  readonly goAwayMargin: number;
  /** How long a rotation between turns waits for a better handle. */
  readonly rotateIdle: number;
  /** `goAway` without a time. */
  readonly goAwayDefault: number;
  /** A connection's lifetime before one was seen, and the longest that is believed. */
  readonly lifetimeGuess: number;
  readonly lifetimeMax: number;
  readonly lifetimeMin: number;
  /** How long before the end of a known lifetime a rotation is planned. */
  readonly lifetimeMargin: number;
  /** Older handles are not tried: by one source they live two hours. */
  readonly handleLifetime: number;
  readonly ladderLength: number;
  /** Whether the rest of an answer that was cut is asked for by itself, once. */
  readonly goOn: boolean;
  /** How often the same turn is handed to connections in vain before the user is asked. */
  readonly lossesMax: number;
  /** A turn that kills this many connections is put aside. */
  readonly deathsMax: number;
  /** Where the device says that there is no network, a dial is tried all the same this often. */
  readonly offlineRetry: number;
  /** After waking, an answer that is under way must show a sign of life within this. */
  readonly wakeGrace: number;
  /** Bytes of sound kept while there is no connection: a little over 30 s of PCM16 at 16 kHz. */
  readonly audioMaxBytes: number;
  /** A resumed context smaller than this share of what it should have gained has collapsed. */
  readonly collapseShare: number;
  readonly collapseMinTokens: number;
  /** Compression may shrink the context beyond this size, in tokens. */
  readonly compressionTokens: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const defaultLinkConfig: LinkConfig = {
  dialPatience: 0.5 * SECOND,
  setupLimit: 15 * SECOND,
  answerSilence: 30 * SECOND,
  deafAfter: 8 * SECOND,
  endSilence: 1.5 * SECOND,
  stopGrace: 2 * SECOND,
  leaveGrace: 1.5 * SECOND,
  settle: 150,
  settleSuspect: 2 * SECOND,
  settleGreeter: 3 * SECOND,
  greetingWait: 400,
  suspectFor: 10 * SECOND,
  backoffFirst: 250,
  backoffCap: 30 * SECOND,
  healthyAfter: MINUTE,
  dialsMax: 20,
  dialsForUser: 3,
  dialWindow: 10 * MINUTE,
  goAwayMargin: 1.5 * SECOND,
  rotateIdle: SECOND,
  goAwayDefault: 10 * SECOND,
  lifetimeGuess: 9 * MINUTE,
  lifetimeMax: 57 * MINUTE,
  lifetimeMin: 5 * MINUTE,
  lifetimeMargin: 15 * SECOND,
  handleLifetime: 110 * MINUTE,
  ladderLength: 4,
  goOn: true,
  lossesMax: 5,
  deathsMax: 2,
  offlineRetry: 30 * SECOND,
  wakeGrace: 5 * SECOND,
  audioMaxBytes: 31 * 16_000 * 2,
  collapseShare: 0.5,
  collapseMinTokens: 60,
  compressionTokens: 60_000,
};
