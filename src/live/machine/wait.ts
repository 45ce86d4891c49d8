import type { Problem } from '../../contract/index.ts';
import { enter, startTimer } from './draft.ts';
import type { Draft } from './draft.ts';

export function pauseOffline(draft: Draft): void {
  enter(draft, { kind: 'paused', by: 'offline' });
  startTimer(draft, 'retry', draft.config.offlineRetry);
}

export function wait(draft: Draft, until: number, problem: Problem): void {
  const { data, at } = draft;
  enter(draft, { kind: 'waiting', until, attempt: Math.max(1, data.attempts), problem });
  startTimer(draft, 'retry', Math.max(0, until - at));
}

/** Exponential, with full jitter: a provider that dropped everybody is not met by everybody at once. */
export function backoff({ data, config, random }: Draft): number {
  const ceiling = Math.min(config.backoffCap, config.backoffFirst * 2 ** Math.min(20, data.attempts - 1));
  return Math.round(ceiling * random);
}

export const TOO_MANY_DIALS: Problem = {
  code: 'too_many_dials',
  message: 'Holdfast has dialled very often in the last minutes and holds back, so that nobody locks it out.',
  retry: 'automatic',
};
