import type { ScriptInput } from '../../src/simulator/index.ts';
import { between, oneOf } from './events.ts';
import type { Random } from './events.ts';

type Rule = NonNullable<ScriptInput['rules']>[number];

/** What a server says that greets again after a resume. */
export const GREETING = 'Hello again, here I am.';

const times = (random: Random) => 1 + Math.floor(random() * 3);

/** One kind of trouble each: what the server does wrong, at a moment that the seed chooses. */
const MENU: readonly ((random: Random) => readonly Rule[])[] = [
  (random) => [{ when: { event: 'dial' }, do: { kind: 'refuse', status: 503 }, times: times(random) }],
  (random) => [{ when: { event: 'dial' }, do: { kind: 'drop' }, times: times(random) }],
  () => [{ when: { event: 'dial' }, do: { kind: 'silence' }, times: 1 }],
  () => [{ when: { event: 'open' }, do: { kind: 'drop' }, times: 1 }],
  (random) => [{ when: { event: 'setup' }, do: { kind: 'close', like: 'internal' }, times: times(random) }],
  () => [{ when: { event: 'setup' }, do: { kind: 'silence' }, times: 1 }],
  (random) => [{ when: { event: 'setup' }, do: { kind: 'refuseHandle' }, times: times(random) }],
  () => [{ when: { event: 'setup' }, do: { kind: 'forgetHandles' }, times: 1 }],
  (random) => [
    {
      when: { event: 'setup', resuming: true },
      do: { kind: 'poisonHandle', mode: oneOf(random, ['dies', 'deaf']) },
      times: times(random),
    },
  ],
  (random) => [
    {
      when: { event: 'handle' },
      do: { kind: 'poisonHandle', mode: oneOf(random, ['dies', 'deaf']) },
      times: times(random),
    },
  ],
  () => [{ when: { event: 'ready' }, do: { kind: 'drop' }, times: 1 }],
  (random) => [
    {
      when: { event: 'ready', resuming: true },
      do: { kind: 'greet', text: GREETING },
      times: times(random),
    },
  ],
  (random) => [{ when: { event: 'ready', resuming: true }, do: { kind: 'replay' }, times: times(random) }],
  (random) => [
    {
      when: { event: 'ready' },
      do: { kind: 'goAway', timeLeftMs: between(random, 0, 60_000), thenSilent: random() < 0.5 },
      times: times(random),
    },
  ],
  (random) => [
    {
      when: { event: 'turnComplete' },
      do: { kind: 'goAway', timeLeftMs: between(random, 0, 60_000) },
      times: times(random),
    },
  ],
  (random) => [
    {
      when: { event: 'delta', nth: times(random) },
      do: { kind: 'goAway', timeLeftMs: between(random, 0, 5_000), thenSilent: random() < 0.5 },
      times: 1,
    },
  ],
  (random) => [{ when: { event: 'turn' }, do: { kind: 'drop' }, times: times(random) }],
  () => [{ when: { event: 'turn' }, do: { kind: 'silence' }, times: 1 }],
  (random) => [
    { when: { event: 'turn' }, do: { kind: 'delay', ms: between(random, 100, 5_000) }, times: times(random) },
  ],
  (random) => [{ when: { event: 'delta', nth: times(random) }, do: { kind: 'drop' }, times: times(random) }],
  (random) => [
    {
      when: { event: 'delta', nth: times(random) },
      do: { kind: 'close', like: oneOf(random, ['internal', 'aborted', 'cancelled', 'deadline'] as const) },
      times: times(random),
    },
  ],
  (random) => [{ when: { event: 'delta', nth: times(random) }, do: { kind: 'silence' }, times: 1 }],
  (random) => [
    {
      when: { event: 'delta', nth: times(random) },
      do: { kind: 'garbage', variant: oneOf(random, ['notJson', 'wrongTypes', 'unknownKeys', 'empty']) },
      times: times(random),
    },
  ],
  (random) => [
    {
      when: { event: 'delta', nth: times(random) },
      do: { kind: 'offerHandle', resumable: random() < 0.5 },
      times: times(random),
    },
  ],
  () => [{ when: { event: 'generated' }, do: { kind: 'drop' }, times: 1 }],
  () => [{ when: { event: 'turnComplete' }, do: { kind: 'drop' }, times: 1 }],
  () => [{ when: { event: 'handle' }, do: { kind: 'drop' }, times: 1 }],
  (random) => [
    { when: { event: 'turn' }, do: { kind: 'omit', what: ['turnComplete', 'handle'] }, times: times(random) },
  ],
  (random) => [{ when: { event: 'turn' }, do: { kind: 'omit', what: ['handle'] }, times: 5 * times(random) }],
  (random) => [
    { when: { event: 'turn' }, do: { kind: 'omit', what: ['generationComplete', 'usage'] }, times: times(random) },
  ],
  () => [{ when: { event: 'input' }, do: { kind: 'close', like: 'invalidArgument' }, times: 1 }],
  () => [{ when: { event: 'ready' }, do: { kind: 'close', like: 'quota' }, times: 1 }],
];

/** A script of one to three kinds of trouble at once. */
export function troubles(random: Random): ScriptInput {
  const count = 1 + Math.floor(random() * 3);
  return { rules: Array.from({ length: count }, () => oneOf(random, MENU)(random)).flat() } as ScriptInput;
}
