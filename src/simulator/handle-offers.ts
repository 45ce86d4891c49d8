import type { Line } from './line.ts';
import type { Session } from './memory.ts';
import type { Setup } from './wire.ts';
import type { World } from './world.ts';

/** The `sessionResumptionUpdate`s of a connection. */
export interface HandleOffers {
  /** Whether this connection gets them without a rule of the script. */
  wanted(): boolean;
  /** `resumable`: with a new handle that covers the memory as it is now; otherwise without one. */
  send(resumable: boolean, now: number): void;
  newest(): string | undefined;
}

/** @param clientMessageIndex of the last client message taken in, 0 for the setup: told in transparent mode alone */
export function createHandleOffers(
  world: World,
  line: Line,
  session: Session,
  setup: Setup,
  clientMessageIndex: () => number,
): HandleOffers {
  const transparent = setup.sessionResumption?.transparent === true;
  let newest: string | undefined;

  return {
    wanted: () => setup.sessionResumption !== undefined || world.script().handles.unrequested,
    send(resumable, now) {
      const newHandle = resumable ? world.memory.issueHandle(session, now) : undefined;
      const update = {
        ...(newHandle === undefined ? {} : { newHandle }),
        resumable,
        ...(transparent ? { lastConsumedClientMessageIndex: String(clientMessageIndex()) } : {}),
      };
      line.emit({ sessionResumptionUpdate: update }, now, (at) => {
        if (newHandle === undefined) return;
        newest = newHandle;
        line.fire('handle', at);
      });
    },
    newest: () => newest,
  };
}
