import type { SessionView } from './memory.ts';
import { decodeJson } from './wire.ts';

export interface SeenFrame {
  readonly at: number;
  /** The parsed JSON as the client sent it; `undefined` if it was none. */
  readonly frame: unknown;
  readonly bytes: number;
}

/** One dial of a client, refused or not. */
export interface ConnectionRecord {
  /** Counted from 1 over all dials. */
  readonly epoch: number;
  readonly at: number;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Client frames in order; empty unless observing. */
  readonly frames: readonly SeenFrame[];
  readonly serverFrames: number;
  readonly sessionId: string | undefined;
  readonly state: 'dialling' | 'open' | 'closed' | 'refused';
  /** How it ended: by whom, and the code and reason of the close frame that came first. */
  readonly end: { readonly by: 'server' | 'client'; readonly code: number; readonly reason: string } | undefined;
  readonly endedAt: number | undefined;
}

export interface MutableRecord extends ConnectionRecord {
  readonly frames: SeenFrame[];
  serverFrames: number;
  sessionId: string | undefined;
  state: ConnectionRecord['state'];
  end: ConnectionRecord['end'];
  endedAt: number | undefined;
}

/** Without observers (a demo that runs for weeks) only this many connections are remembered. */
const UNOBSERVED_RECORDS = 50;

export interface Observations {
  readonly connections: readonly ConnectionRecord[];
  begin(facts: Pick<ConnectionRecord, 'epoch' | 'at' | 'path' | 'query' | 'headers'>): MutableRecord;
  saw(record: MutableRecord, data: string | Uint8Array, at: number): void;
}

export function createObservations(observe: boolean): Observations {
  const records: MutableRecord[] = [];
  return {
    connections: records,
    begin(facts) {
      const record: MutableRecord = {
        ...facts,
        frames: [],
        serverFrames: 0,
        sessionId: undefined,
        state: 'dialling',
        end: undefined,
        endedAt: undefined,
      };
      records.push(record);
      if (!observe && records.length > UNOBSERVED_RECORDS) records.shift();
      return record;
    },
    saw(record, data, at) {
      if (observe) record.frames.push({ at, frame: decodeJson(data), bytes: Buffer.byteLength(data) });
    },
  };
}

export type { SessionView };
