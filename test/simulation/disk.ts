import type { Archive, FoldedSession, SessionRecord } from '../../src/archive/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import type { JournalContent, JournalLine, Journals, Place } from '../../src/journal/index.ts';
import type { KeyValueFile } from '../../src/storage/index.ts';
import { between } from './events.ts';
import type { Random } from './events.ts';

/** A disk that outlives its programs: what is in here is what a crash leaves. */
export interface VirtualDisk {
  readonly journals: Map<string, { line: JournalLine; bytes: number }[]>;
  readonly archive: Map<string, Archived>;
  liveState: Record<string, unknown>;
  /** It takes nothing more. */
  full: boolean;
}

interface Archived {
  session: SessionRecord;
  mark: number;
  readonly turns: Map<string, Turn>;
}

export const emptyDisk = (): VirtualDisk => ({ journals: new Map(), archive: new Map(), liveState: {}, full: false });

/** What a program has of the machine that it runs on. Nothing of it goes on once the program is dead. */
export interface Machine {
  readonly alive: () => boolean;
  readonly now: () => number;
  readonly after: (ms: number, run: () => void) => void;
  readonly random: Random;
}

/** How long a sync of the disk takes, in milliseconds. */
const SYNC_MS = [0.2, 8] as const;
/** One operation of the archive in so many takes long enough for other things to happen meanwhile. */
const SLOW_SHARE = 0.3;
const noSpace = () => Object.assign(new Error('No space is left'), { code: 'ENOSPC' });
const NEVER = new Promise<never>(() => undefined);

/** The journals as `journalsIn` has them, with syncs that take their time and share it. */
export function virtualJournals(disk: VirtualDisk, machine: Machine): Journals {
  const contentOf = (sessionId: string): JournalContent => {
    const kept = disk.journals.get(sessionId) ?? [];
    const last = kept.at(-1);
    return {
      lines: kept.map(({ line }) => line),
      damage: [],
      goodBytes: last?.bytes ?? 0,
      tornBytes: 0,
      tornLines: 0,
      nextSeq: (last?.line.seq ?? 0) + 1,
      lastHash: '',
    };
  };
  return {
    ids: async () => [...disk.journals.keys()],
    size: async (sessionId) => disk.journals.get(sessionId)?.at(-1)?.bytes ?? 0,
    load: async (sessionId) => contentOf(sessionId),
    async open(sessionId, mode) {
      if (disk.journals.has(sessionId) !== (mode === 'continue')) {
        throw Object.assign(new Error(`${mode}: ${sessionId}`), { code: mode === 'create' ? 'EEXIST' : 'ENOENT' });
      }
      if (mode === 'create') {
        if (disk.full) throw noSpace();
        disk.journals.set(sessionId, []);
      }
      const kept = disk.journals.get(sessionId)!;
      const content = contentOf(sessionId);
      let position = { seq: content.nextSeq - 1, bytes: content.goodBytes };
      const queue: {
        readonly json: string;
        readonly resolve: (place: Place) => void;
        readonly reject: (error: unknown) => void;
      }[] = [];
      let syncing = false;
      const idle: (() => void)[] = [];

      function sync(): void {
        if (syncing) return;
        if (queue.length === 0) {
          for (const resolve of idle.splice(0)) resolve();
          return;
        }
        syncing = true;
        const group = queue.splice(0);
        machine.after(between(machine.random, ...SYNC_MS), () => {
          // A group is written whole or not at all.
          if (disk.full) for (const { reject } of group.splice(0)) reject(noSpace());
          for (const { json, resolve } of group) {
            position = { seq: position.seq + 1, bytes: position.bytes + json.length };
            const line = { seq: position.seq, at: machine.now(), prev: '', entry: JSON.parse(json) as unknown };
            kept.push({ line, bytes: position.bytes });
            resolve({ ...position, at: line.at });
          }
          syncing = false;
          sync();
        });
      }

      return {
        content,
        journal: {
          path: sessionId,
          get position() {
            return position;
          },
          append(entry) {
            if (!machine.alive()) return NEVER;
            return new Promise((resolve, reject) => {
              queue.push({ json: JSON.stringify(entry), resolve, reject });
              // As the real one: what is appended in the same breath is one group.
              queueMicrotask(sync);
            });
          },
          close: () =>
            new Promise((resolve) => {
              idle.push(resolve);
              sync();
            }),
        },
      };
    },
    async remove(sessionId) {
      disk.journals.delete(sessionId);
    },
    setAside: () => Promise.reject(new Error('Nothing here damages a journal')),
    pathOf: (sessionId) => sessionId,
  };
}

/** An archive in memory. A program that dies in the middle of an operation has not made it. */
export function virtualArchive(disk: VirtualDisk, machine: Machine): Archive {
  async function done<T>(run: () => T, writes = false): Promise<T> {
    if (machine.random() < SLOW_SHARE) {
      await new Promise<void>((resolve) => machine.after(between(machine.random, 1, 3), resolve));
    }
    if (!machine.alive()) return NEVER;
    if (writes && disk.full) throw noSpace();
    return run();
  }
  const turnsOf = (sessionId: string) =>
    [...(disk.archive.get(sessionId)?.turns.values() ?? [])].sort((a, b) => a.index - b.index);
  const put = ({ session, turns }: Pick<FoldedSession, 'session' | 'turns'>, mark: number, to: Archived['turns']) => {
    for (const turn of turns) to.set(turn.id, turn);
    disk.archive.set(session.id, { session, mark, turns: to });
  };
  const unfinished = ({ status }: Turn) => status === 'queued' || status === 'sent' || status === 'streaming';

  return {
    save: (session, turns, bytes) =>
      done(() => put({ session, turns }, bytes, disk.archive.get(session.id)?.turns ?? new Map()), true),
    replace: (folded, bytes) => done(() => put(folded, bytes, new Map()), true),
    remove: (sessionId) => done(() => void disk.archive.delete(sessionId)),
    session: (sessionId) => done(() => disk.archive.get(sessionId)?.session),
    sessions: () => done(() => ({ sessions: [...disk.archive.values()].map(({ session }) => session) })),
    turn: (sessionId, turnId) => done(() => disk.archive.get(sessionId)?.turns.get(turnId)),
    turns: (sessionId, before, limit) =>
      done(() =>
        turnsOf(sessionId)
          .filter(({ index }) => index < (before ?? Number.POSITIVE_INFINITY))
          .slice(-limit),
      ),
    turnsAfter: (sessionId, after, limit) =>
      done(() =>
        turnsOf(sessionId)
          .filter(({ index }) => index > after)
          .slice(-limit),
      ),
    unfinished: (sessionId) => done(() => turnsOf(sessionId).filter(unfinished)),
    sessionsWithUnfinished: () =>
      done(() => [...disk.archive.keys()].filter((sessionId) => turnsOf(sessionId).some(unfinished))),
    highWaterMarks: () => done(() => new Map([...disk.archive].map(([id, { mark }]) => [id, mark] as const))),
    close: async () => undefined,
  };
}

/** The file of the live sessions, replaced as a whole. */
export function virtualFile(disk: VirtualDisk): KeyValueFile {
  return {
    path: 'live-state.json',
    get store() {
      return disk.liveState;
    },
    set store(next) {
      if (disk.full) throw noSpace();
      disk.liveState = next;
    },
  };
}
