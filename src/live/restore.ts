import type { Content } from '@google/genai';
import { textOf } from '../contract/index.ts';
import type { Turn } from '../contract/index.ts';
import type { Plan } from './machine/types.ts';
import type { ModelTraits } from './models.ts';

/** About 30,000 tokens at four characters a token: a quarter of the smallest context window in use. */
export const CONTEXT_BUDGET_CHARS = 120_000;
/** Share of the budget for the newest turns, word for word; the rest is for the older ones, shortened. */
const VERBATIM_SHARE = 0.75;
/** Where everything has to fit into the instructions. */
const INSTRUCTION_BUDGET_CHARS = 12_000;
const DIGEST_LINE_MAX = 160;

/** What a connection is told of a conversation that its server does not know. */
export interface Context {
  /** Told as turns, before anything is asked. The protocol alternates, so one content a speaker. */
  readonly contents: readonly Content[];
  /** Told in the system instruction. */
  readonly instruction: string | undefined;
  /** How many turns of the conversation are in either. */
  readonly turns: number;
}

export const NO_CONTEXT: Context = { contents: [], instruction: undefined, turns: 0 };

interface Said {
  readonly role: 'user' | 'model';
  readonly text: string;
}

/**
 * Puts turns (oldest first) into the form that a connection takes: the newest word for word within the budget, the older
 * ones shortened to a line each. `how`: `turns` where the model takes content before a question, `instruction` where it
 * does not, or where the turns themselves were refused.
 */
export function contextFrom(
  turns: readonly Turn[],
  how: 'turns' | 'instruction',
  budget = CONTEXT_BUDGET_CHARS,
): Context {
  const said: Said[] = turns.flatMap((turn) => {
    const text = textOf(turn).trim();
    return text === '' || turn.role === 'note' ? [] : [{ role: turn.role, text }];
  });
  if (said.length === 0) return NO_CONTEXT;
  const limit = how === 'turns' ? budget : Math.min(budget, INSTRUCTION_BUDGET_CHARS);
  let left = Math.floor(limit * VERBATIM_SHARE);
  let first = said.length;
  while (first > 0 && said[first - 1]!.text.length <= left) {
    first -= 1;
    left -= said[first]!.text.length;
  }
  const recent = said.slice(first);
  const digest = digestOf(said.slice(0, first), limit - Math.floor(limit * VERBATIM_SHARE));
  if (how === 'instruction') {
    const lines = recent.map(({ role, text }) => `${role === 'user' ? 'User' : 'You'}: ${text}`);
    const instruction = [
      'This conversation began on an earlier connection. Go on as if it had not been interrupted. So far:',
      ...(digest === undefined ? [] : [digest]),
      ...lines,
    ].join('\n');
    return { contents: [], instruction, turns: said.length };
  }
  const opening: Said[] =
    digest === undefined
      ? []
      : [
          { role: 'user', text: `What we said earlier, shortened:\n${digest}` },
          { role: 'model', text: 'I remember.' },
        ];
  return { contents: alternating([...opening, ...recent]), instruction: undefined, turns: said.length };
}

function digestOf(said: readonly Said[], budget: number): string | undefined {
  if (said.length === 0) return undefined;
  const lines: string[] = [];
  let left = budget;
  for (const { role, text } of [...said].reverse()) {
    const line = `${role === 'user' ? 'User' : 'You'}: ${shortened(text)}`;
    if (line.length > left) break;
    left -= line.length;
    lines.push(line);
  }
  return lines.length === 0 ? undefined : lines.reverse().join('\n');
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= DIGEST_LINE_MAX ? line : `${line.slice(0, DIGEST_LINE_MAX - 1)}…`;
}

function alternating(said: readonly Said[]): Content[] {
  const merged: { role: Said['role']; text: string }[] = [];
  for (const { role, text } of said) {
    const last = merged.at(-1);
    if (last?.role === role) last.text += `\n\n${text}`;
    else merged.push({ role, text });
  }
  return merged.map(({ role, text }) => ({ role, parts: [{ text }] }));
}

/** How context may be told on a connection of this kind. */
export function contextForm(traits: ModelTraits, plan: 'handle' | 'history' | 'summary'): 'turns' | 'instruction' {
  if (plan === 'summary') return 'instruction';
  // In mid-conversation such a model closes at content; only a history announced in the setup of a new one is taken.
  return plan === 'handle' && traits.userText === 'realtime' ? 'instruction' : 'turns';
}

/** Whether the setup depends on what a connection is told: announces it, or holds it as an instruction. */
export function standsInSetup(plan: Plan, traits: ModelTraits): boolean {
  return plan.kind !== 'handle' || plan.rung.summarised || contextForm(traits, plan.kind) === 'instruction';
}

/** Words of the cut answer that the wish to go on quotes, so that model and user mean the same place. */
const QUOTED_TAIL = 200;

/** The wish to go on with an answer that was cut. */
export function continuationText(partial: string): string {
  const tail = partial.trim().slice(-QUOTED_TAIL);
  return tail === ''
    ? 'Your last answer was cut off before it began. Please answer now.'
    : `Your last answer was cut off. It ended with: “${tail}” Please go on from there without repeating it.`;
}
