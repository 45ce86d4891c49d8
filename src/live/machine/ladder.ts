import type { Restoration } from '../../contract/index.ts';
import { tell } from './draft.ts';
import type { Draft } from './draft.ts';
import type { LinkData, Plan, Rung } from './types.ts';

/** What the next connection is to start from: the topmost rung that is not too old, then the history, then a summary. */
export function choosePlan(draft: Draft): Plan {
  const { data, at, config } = draft;
  const rung = data.ladder.find((candidate) => Math.abs(at - candidate.at) <= config.handleLifetime);
  if (rung !== undefined) return { kind: 'handle', rung, older: data.fallen || rung !== data.ladder[0] };
  return { kind: data.seeding };
}

export function restorationOf(plan: Plan, contextTurns: number): Restoration {
  switch (plan.kind) {
    case 'handle':
      return plan.older ? 'resumed-older' : 'resumed';
    case 'history':
      return contextTurns > 0 ? 'rebuilt' : 'new';
    case 'summary':
      return 'summarised';
  }
}

/** A handle came: it goes on top, when it is certain what it stands for. */
export function offerRung(draft: Draft, handle: string, consumed: number | undefined): boolean {
  const { data, at, config } = draft;
  const model = data.connection?.model ?? '';
  const turn = data.outbox.find(({ stage }) => stage !== 'waiting');
  let pending: string | undefined;
  // What looks like an answer may be a greeting, with the answer still to come: nothing is certain yet.
  if (data.suspect !== undefined) {
    data.heldHandle = handle;
    return false;
  }
  // What the connection was told may still be on its way: only an answer shows that it was heard.
  if ((data.connection?.contextTurns ?? 0) > 0 && data.connection?.proven === false) return false;
  if (turn !== undefined || data.unasked) {
    // In the middle of a turn only an acknowledgement tells whether the server means before or after the question.
    if (consumed === undefined || turn?.stage !== 'sent') return false;
    if (turn.messageIndex !== undefined && turn.messageIndex <= consumed) pending = turn.turnId;
  }
  const plan = data.connection?.plan;
  const summarised = plan?.kind === 'summary' || (plan?.kind === 'handle' && plan.rung.summarised);
  const rung: Rung = { handle, model, at, after: data.lastAnswered, pending, summarised };
  data.ladder = [rung, ...data.ladder.filter((other) => other.handle !== handle)].slice(0, config.ladderLength);
  data.fallen = false;
  data.rungFailures = 0;
  tell(draft, { type: 'ladder', ladder: data.ladder, tokens: data.tokens });
  return true;
}

/** Gives a handle up for good. */
export function retireRung(draft: Draft, handle: string): void {
  const { data } = draft;
  data.ladder = data.ladder.filter((rung) => rung.handle !== handle);
  data.fallen = true;
  data.rungFailures = 0;
  tell(draft, { type: 'ladder', ladder: data.ladder, tokens: data.tokens });
}

/** Gives all handles up: the next connection starts from the history. */
export function dropLadder(draft: Draft): void {
  const { data } = draft;
  data.fallen = false;
  data.rungFailures = 0;
  if (data.ladder.length === 0) return;
  data.ladder = [];
  tell(draft, { type: 'ladder', ladder: [], tokens: data.tokens });
}

/** Whether the newest handle covers all that was answered: rotating now costs nothing. */
export function isCovered(data: LinkData): boolean {
  const [newest] = data.ladder;
  return newest !== undefined && newest.after === data.lastAnswered;
}
