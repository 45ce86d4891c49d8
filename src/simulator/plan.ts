import type { Speech } from './answer.ts';
import { reply, type PlannedCall } from './demo/index.ts';
import type { Session } from './memory.ts';
import type { ScriptAction } from './script.ts';
import type { ToolRound } from './tool-rounds.ts';
import { textOf, type Content, type ToolDeclaration } from './wire.ts';
import type { World } from './world.ts';

type Say = Extract<ScriptAction, { kind: 'say' }>;
type Burst = Extract<ScriptAction, { kind: 'burst' }>;

/** What an answer is going to be. */
export type Plan =
  | { readonly kind: 'say'; readonly speech: Speech }
  | Burst
  | {
      readonly kind: 'call';
      readonly calls: readonly (PlannedCall & { readonly id?: string | undefined })[];
      readonly meanwhile?: string | undefined;
      readonly thenSay?: Speech | undefined;
      readonly cancelAfterMs?: number | undefined;
    };

/** What the demo looks at besides the words. */
interface Context {
  readonly session: Session;
  readonly system: string;
  readonly tools: readonly ToolDeclaration[];
}

export function plainSpeech(text: string, thought = ''): Speech {
  return { pieces: { text }, thought };
}

function scriptedSpeech(fields: Omit<Say, 'kind'>): Speech {
  return {
    pieces: fields.pieces ?? { text: fields.text ?? '' },
    thought: fields.thought ?? '',
    everyMs: fields.everyMs,
  };
}

function scriptedPlan(action: ScriptAction): Plan | undefined {
  switch (action.kind) {
    case 'say':
      return { kind: 'say', speech: scriptedSpeech(action) };
    case 'burst':
      return action;
    case 'call':
      return { ...action, thenSay: action.thenSay === undefined ? undefined : scriptedSpeech(action.thenSay) };
    default:
      return undefined;
  }
}

function demoPlan(world: World, context: Context, contents: readonly Content[]): Plan {
  const { system, tools } = context;
  const made = reply({ contents, system, tools, wallTime: world.wallTime(), timeZone: world.timeZone });
  return made.kind === 'call' ? made : { kind: 'say', speech: plainSpeech(made.text, made.thought) };
}

/** The words that an answer would be to: the last user turn in memory. */
export function lastAsked(session: Session): string {
  const entry = session.entries.findLast(
    ({ content: { role, parts } }) => role !== 'model' && parts?.every((part) => part.functionResponse === undefined),
  );
  return entry === undefined ? '' : textOf(entry.content);
}

/** A rule that struck at this turn, else an answer of the script, else the demo's own. */
export function planAnswer(world: World, context: Context, asked: string, struck: readonly ScriptAction[]): Plan {
  for (const action of struck) {
    const plan = scriptedPlan(action);
    if (plan !== undefined) return plan;
  }
  const answer = world.script().answers.find(({ match }) => new RegExp(match, 'iu').test(asked));
  const plan = answer === undefined ? undefined : scriptedPlan(answer.do);
  return (
    plan ??
    demoPlan(
      world,
      context,
      context.session.entries.map((entry) => entry.content),
    )
  );
}

/** What to say about the results of a round of calls. */
export function planResult(world: World, context: Context, round: ToolRound): Plan {
  if (round.thenSay !== undefined) return { kind: 'say', speech: round.thenSay };
  return demoPlan(world, context, [{ role: 'user', parts: round.responses }]);
}
