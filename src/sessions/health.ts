import type { ConnectionRecord, LinkHealth } from '../contract/index.ts';
import { defaultLinkConfig } from '../live/index.ts';
import type { Link, LinkFact } from '../live/index.ts';

/** How many connections are remembered. */
const CONNECTIONS_KEPT = 50;
const HOUR_MS = 3_600_000;

/** Numbers about a link, gathered from what it tells. */
export function createHealth(now: () => number) {
  let connections: readonly ConnectionRecord[] = [];
  let roundTripMs: number | undefined;
  let firstDeltaMs: number | undefined;
  return {
    roundTrip(ms: number) {
      roundTripMs = ms;
    },
    firstDelta(ms: number) {
      firstDeltaMs = ms;
    },
    connection({ epoch, openedAt, endedAt, restored, problem, why }: LinkFact & { type: 'connection' }) {
      const record: ConnectionRecord = {
        epoch,
        openedAt,
        endedAt,
        why,
        ...(restored && { restored }),
        ...(problem && { problem }),
      };
      connections = [record, ...connections].slice(0, CONNECTIONS_KEPT);
    },
    of(link: Link): LinkHealth {
      const { connection, lifetimes, tokens } = link.data;
      const rotation =
        connection?.readyAt === undefined
          ? undefined
          : connection.readyAt +
            (lifetimes[connection.model] ?? defaultLinkConfig.lifetimeGuess) -
            defaultLinkConfig.lifetimeMargin;
      return {
        ...(roundTripMs !== undefined && { roundTripMs }),
        ...(firstDeltaMs !== undefined && { firstDeltaMs }),
        dropsLastHour: connections.filter(
          ({ why, endedAt, restored }) => why === 'lost' && restored !== undefined && now() - endedAt < HOUR_MS,
        ).length,
        ...(rotation !== undefined && { nextRotationAt: rotation }),
        ...(tokens !== undefined && { contextTokens: tokens.last }),
        connections: [...connections],
      };
    },
  };
}
