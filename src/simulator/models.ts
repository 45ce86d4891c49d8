import { closes, type Close } from './closes.ts';

/** What a model takes and how long its connections live. Source: Google's documentation and connections seen. */
export interface ModelCapabilities {
  readonly name: string;
  /** What it can answer in. One of these a session. */
  readonly outputs: readonly ('AUDIO' | 'TEXT')[];
  /** `always`: any time. `seedOnly`: history before the talk, and only if `historyConfig` announced it. */
  readonly clientContent: 'always' | 'seedOnly';
  readonly contextUpdate: boolean;
  readonly thinkingConfig: boolean;
  readonly affectiveDialog: boolean;
  /** Takes `proactivity.proactiveAudio: false`; a model that is always proactive refuses it. */
  readonly proactiveAudioOff: boolean;
  /** Functions do not hold the talk up unless declared `BLOCKING`. */
  readonly asynchronousFunctions: boolean;
  /** Names the session in `setupComplete`. */
  readonly sessionId: boolean;
  readonly thoughts: boolean;
  /** Tokens in before a window without compression is full. */
  readonly inputTokenLimit: number;
  readonly lifetime: Lifetime;
}

export interface Lifetime {
  /** From the opening of the connection to its close. */
  readonly connectionMs: number;
  /** `goAway` this long before the close; `null`: none comes. */
  readonly goAwayBeforeMs: number | null;
  readonly end: Close;
}

const TEN_MINUTE_LIFETIME: Lifetime = { connectionMs: 590_000, goAwayBeforeMs: 50_000, end: closes.goAwayIgnored };
const HOUR_LIFETIME: Lifetime = { connectionMs: 58 * 60_000, goAwayBeforeMs: null, end: closes.deadline };

const nativeAudio = {
  outputs: ['AUDIO', 'TEXT'],
  clientContent: 'always',
  contextUpdate: false,
  thinkingConfig: true,
  affectiveDialog: true,
  proactiveAudioOff: true,
  asynchronousFunctions: false,
  sessionId: false,
  thoughts: true,
  inputTokenLimit: 131_072,
  lifetime: TEN_MINUTE_LIFETIME,
} as const;

const table: readonly ModelCapabilities[] = [
  {
    name: 'gemini-3.8-live',
    outputs: ['AUDIO'],
    clientContent: 'always',
    contextUpdate: true,
    thinkingConfig: false,
    affectiveDialog: false,
    proactiveAudioOff: false,
    asynchronousFunctions: true,
    sessionId: true,
    thoughts: true,
    inputTokenLimit: 131_072,
    lifetime: HOUR_LIFETIME,
  },
  { ...nativeAudio, name: 'gemini-3.1-flash-live-preview', clientContent: 'seedOnly' },
  { ...nativeAudio, name: 'gemini-2.5-flash-native-audio-preview-09-2025' },
  { ...nativeAudio, name: 'gemini-2.5-flash-native-audio-preview-12-2025' },
];

/** Names without the `models/` prefix. */
export const modelNames: readonly string[] = table.map((model) => model.name);

/** @param resource as in `setup.model`, with its `models/` prefix */
export function findModel(resource: string): ModelCapabilities | undefined {
  return table.find((model) => `models/${model.name}` === resource);
}
