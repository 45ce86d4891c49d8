import type { Content, FunctionResponses } from './wire.ts';
import type { Speech } from './answer.ts';

export interface IssuedCall {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** Calls made together, and what has come back for them. */
export interface ToolRound {
  readonly calls: readonly IssuedCall[];
  /** A blocking round holds the answer up and dies with it. */
  readonly blocking: boolean;
  readonly thenSay: Speech | undefined;
  readonly responses: NonNullable<Content['parts']>;
  readonly open: Set<string>;
  scheduling: FunctionResponses[number]['scheduling'];
}

export type Accepted =
  /** The rounds that this response made complete. */
  | { readonly ok: true; readonly complete: readonly ToolRound[] }
  /** A response for a call that this connection never made, or that was answered before. */
  | { readonly ok: false };

export interface ToolRounds {
  open(calls: readonly IssuedCall[], blocking: boolean, thenSay: Speech | undefined): ToolRound;
  accept(responses: FunctionResponses): Accepted;
  /** Gives the rounds up and returns the ids that were still open. */
  cancel(which: 'blocking' | 'all'): readonly string[];
  readonly anyOpen: boolean;
}

export function createToolRounds(): ToolRounds {
  const rounds = new Set<ToolRound>();
  // A response can cross its cancellation on the way: that is no fault of the client's.
  const cancelled = new Set<string>();

  return {
    open(calls, blocking, thenSay) {
      const round: ToolRound = {
        calls,
        blocking,
        thenSay,
        responses: [],
        open: new Set(calls.map((call) => call.id)),
        scheduling: undefined,
      };
      rounds.add(round);
      return round;
    },
    accept(responses) {
      const complete: ToolRound[] = [];
      for (const { id, name, response, scheduling } of responses) {
        if (cancelled.has(id)) continue;
        const round = [...rounds].find((candidate) => candidate.open.has(id));
        if (round === undefined) return { ok: false };
        const called = round.calls.find((call) => call.id === id);
        round.open.delete(id);
        round.responses.push({ functionResponse: { id, name: name ?? called?.name ?? '', response: response ?? {} } });
        round.scheduling = scheduling ?? round.scheduling;
        if (round.open.size > 0) continue;
        rounds.delete(round);
        complete.push(round);
      }
      return { ok: true, complete };
    },
    cancel(which) {
      const given = [...rounds].filter((round) => which === 'all' || round.blocking);
      const ids = given.flatMap((round) => [...round.open]);
      for (const round of given) rounds.delete(round);
      for (const id of ids) cancelled.add(id);
      return ids;
    },
    get anyOpen() {
      return rounds.size > 0;
    },
  };
}
