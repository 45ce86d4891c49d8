import { applyDelta, followEvents } from '../../src/contract/index.ts';
import type { CoreConnection, CoreEvent, LinkState, Turn } from '../../src/contract/index.ts';

/** What a client knows that has only listened: the events it got, and the turns as they follow from them. */
export interface Mirror {
  readonly events: readonly CoreEvent[];
  readonly turns: ReadonlyMap<string, Turn>;
  readonly links: ReadonlyMap<string, LinkState>;
  readonly gaps: number;
  stop(): void;
}

export function mirror(connection: CoreConnection): Mirror {
  const events: CoreEvent[] = [];
  const turns = new Map<string, Turn>();
  const links = new Map<string, LinkState>();
  let gaps = 0;
  const stop = followEvents(connection, (event) => {
    events.push(event);
    if (event.type === 'turn.changed') turns.set(event.turn.id, event.turn);
    if (event.type === 'link.changed') links.set(event.sessionId, event.link);
    if (event.type !== 'turn.delta') return;
    const turn = turns.get(event.delta.turnId);
    const outcome = turn && applyDelta(turn, event.delta);
    if (outcome?.kind === 'applied') turns.set(outcome.turn.id, outcome.turn);
    else if (outcome?.kind !== 'known') gaps += 1;
  });
  return {
    events,
    turns,
    links,
    get gaps() {
      return gaps;
    },
    stop,
  };
}
