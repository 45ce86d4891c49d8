import { outstanding, patchConnection, patchTurn, startTimer, tell } from './draft.ts';
import type { Draft } from './draft.ts';
import { leaveIfSuspectCollapsed } from './proof.ts';
import type { AskForm, OutTurn } from './types.ts';

/** Sends the oldest turn that waits, when the connection is ready and has nothing else in hand. */
export function pump(draft: Draft): void {
  const { data, at, config } = draft;
  const { connection } = data;
  if (connection?.stage !== 'ready' || data.phase.kind !== 'connected' || data.settling) return;
  if (outstanding(data) !== undefined) return;
  const turn = data.outbox[0];
  if (turn === undefined) return;
  // Whoever has forgotten the conversation is not asked: the next connection is told it first.
  if (leaveIfSuspectCollapsed(draft)) return;
  data.heldHandle = undefined;
  let { sent } = connection;
  if (data.orphans.length > 0) {
    draft.effects.push({ type: 'tell-results', epoch: connection.epoch, results: data.orphans });
    data.orphans = [];
    sent += 1;
  }
  draft.effects.push({ type: 'ask', epoch: connection.epoch, turnId: turn.turnId, form: formOf(draft, turn) });
  patchTurn(draft, turn.turnId, { stage: 'sent', epoch: connection.epoch, messageIndex: sent, sentAt: at });
  patchConnection(draft, { sent: sent + 1, asked: true, firstAsked: connection.firstAsked ?? turn.turnId });
  data.usage = undefined;
  tell(draft, { type: 'sent', turnId: turn.turnId, epoch: connection.epoch });
  const unproven = connection.plan.kind === 'handle' && !connection.proven;
  startTimer(draft, 'answer', unproven ? config.deafAfter : config.answerSilence);
}

function formOf({ data }: Draft, turn: OutTurn): AskForm {
  if (turn.continuation) return 'continuation';
  const plan = data.connection?.plan;
  return plan?.kind === 'handle' && plan.rung.pending === turn.turnId && turn.losses > 0 ? 'nudge' : 'question';
}
