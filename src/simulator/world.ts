import { createSessionMemory, type SessionMemory } from './memory.ts';
import type { Random } from './random.ts';
import { parseScript, type Script, type ScriptAction, type ScriptEvent, type ScriptInput } from './script.ts';

/** How fast answers come: as fast as speech, at once, or so many milliseconds a word. */
export type Pace = 'realtime' | 'instant' | number;

/** `gemini`: an API key, no transparent resumption. `vertex`: transparent resumption is allowed. */
export type Flavour = 'gemini' | 'vertex';

/** One moment at which rules can strike. */
export interface Moment {
  readonly event: ScriptEvent;
  readonly connection: number;
  readonly nth: number;
  readonly turn?: number | undefined;
  readonly text?: string | undefined;
  readonly resuming?: boolean | undefined;
}

export interface Strike {
  readonly action: ScriptAction;
  readonly afterMs: number;
}

export interface WorldOptions {
  readonly random: Random;
  /** Milliseconds since the Unix epoch, for whoever asks the demo the time. */
  readonly wallTime: () => number;
  readonly script?: ScriptInput | undefined;
  readonly pace?: Pace | undefined;
  readonly flavour?: Flavour | undefined;
  /** `brief`: 32 bytes a frame instead of speech. */
  readonly audio?: 'speech' | 'brief' | undefined;
  readonly timeZone?: string | undefined;
}

/** What all connections of one server share. Free of sockets, timers and clocks. */
export interface World {
  readonly random: Random;
  readonly memory: SessionMemory;
  readonly pace: Pace;
  readonly flavour: Flavour;
  readonly audio: 'speech' | 'brief';
  readonly timeZone: string | undefined;
  wallTime(): number;
  script(): Script;
  /** Replaces the script from the next event on. Counts of `times` and `hears` start anew. */
  setScript(script: ScriptInput): void;
  strikes(moment: Moment): readonly Strike[];
  /** What the next utterance is heard as, by the script. */
  nextHeard(): string | readonly string[] | undefined;
}

function scriptOf(input: ScriptInput | undefined): Script {
  const parsed = parseScript(input ?? {});
  if (!parsed.ok) throw new TypeError(`The simulator's script is not valid. ${parsed.issues.join('; ')}`);
  return parsed.script;
}

const noStrikes: readonly Strike[] = [];

/** @throws TypeError if the script is not valid; check scripts of other people with `parseScript` first */
export function createWorld(options: WorldOptions): World {
  let script = scriptOf(options.script);
  let struck = script.rules.map(() => 0);
  let heard = 0;
  let events = new Set(script.rules.map((rule) => rule.when.event));

  function matches(rule: Script['rules'][number], moment: Moment): boolean {
    const { when } = rule;
    if (when.event !== moment.event) return false;
    if (typeof when.connection === 'number' && when.connection !== moment.connection) return false;
    if (typeof when.connection === 'object') {
      const { from = 1, to = Number.POSITIVE_INFINITY } = when.connection;
      if (moment.connection < from || moment.connection > to) return false;
    }
    if (when.nth !== undefined && when.nth !== moment.nth) return false;
    if (when.turn !== undefined && when.turn !== moment.turn) return false;
    if (when.resuming !== undefined && when.resuming !== moment.resuming) return false;
    if (when.text !== undefined && (moment.text === undefined || !new RegExp(when.text, 'iu').test(moment.text)))
      return false;
    return rule.do.kind !== 'refuseHandle' || moment.resuming === true;
  }

  return {
    random: options.random,
    memory: createSessionMemory(options.random),
    pace: options.pace ?? 'realtime',
    flavour: options.flavour ?? 'gemini',
    audio: options.audio ?? 'speech',
    timeZone: options.timeZone,
    wallTime: options.wallTime,
    script: () => script,
    setScript(input) {
      script = scriptOf(input);
      struck = script.rules.map(() => 0);
      events = new Set(script.rules.map((rule) => rule.when.event));
      heard = 0;
    },
    strikes(moment) {
      if (!events.has(moment.event)) return noStrikes;
      return script.rules.flatMap((rule, at) => {
        if (struck[at]! >= (rule.times ?? Number.POSITIVE_INFINITY) || !matches(rule, moment)) return [];
        struck[at]! += 1;
        return [{ action: rule.do, afterMs: rule.when.afterMs ?? 0 }];
      });
    },
    nextHeard() {
      const next = script.hears[heard];
      heard += 1;
      return next;
    },
  };
}
