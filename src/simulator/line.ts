import { cutReason, type Close } from './closes.ts';
import { garbage, type GarbageKind, type RawFrame } from './garbage.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import type { ScriptAction, ScriptEvent } from './script.ts';
import type { ServerFrame } from './wire.ts';
import type { Moment, World } from './world.ts';

/** What the driver is to do with the socket, at once and in this order. */
export type ServerAction =
  | { readonly kind: 'frame'; readonly frame: ServerFrame }
  | ({ readonly kind: 'raw' } & RawFrame)
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'drop'; readonly midFrame: boolean; readonly reset: boolean };

type Circumstances = Pick<Moment, 'turn' | 'text'> & { readonly nth?: number | undefined };

/** Actions that shape what is about to happen; whoever fired the event carries them out. */
const DECISIONS: ReadonlySet<ScriptAction['kind']> = new Set(['say', 'call', 'burst', 'omit', 'hear']);

/** The outgoing side of a connection: everything that is sent goes through it, and every fault bites here. */
export interface Line {
  readonly schedule: Schedule;
  readonly ended: boolean;
  /** Actions not taken yet. */
  readonly pending: number;
  resuming: boolean;
  /** @param sent called once the frame is out: at once, or when a delay is over; never in silence */
  emit(frame: ServerFrame, now: number, sent?: (now: number) => void): void;
  raw(kind: GarbageKind, size: number): void;
  close(close: Close): void;
  drop(how: { readonly midFrame: boolean; readonly reset: boolean }): void;
  /** The other side is gone. */
  abandon(): void;
  hold(until: number): void;
  silence(options: { readonly closes: boolean; readonly until: number | undefined }): void;
  goAway(timeLeftMs: number, thenSilent: boolean, thenClose: Close | undefined, now: number): void;
  /** Lets rules strike; returns those that the caller has to carry out. */
  fire(event: ScriptEvent, now: number, circumstances?: Circumstances): readonly ScriptAction[];
  onStrike(strike: (action: ScriptAction, now: number, text: string | undefined) => void): void;
  take(): readonly ServerAction[];
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

export function createLine(world: World, epoch: number): Line {
  const schedule = createSchedule();
  const counts = new Map<ScriptEvent, number>();
  let out: ServerAction[] = [];
  let ended = false;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let quiet: { readonly closes: boolean } | undefined;
  let strike: (action: ScriptAction, now: number, text: string | undefined) => void = () => undefined;

  function end(action?: ServerAction): void {
    if (ended) return;
    if (action !== undefined) out.push(action);
    ended = true;
    schedule.clear();
  }

  const line: Line = {
    schedule,
    resuming: false,
    get ended() {
      return ended;
    },
    get pending() {
      return out.length;
    },
    emit(frame, now, sent) {
      if (ended || quiet !== undefined) return;
      if (now < heldUntil) {
        schedule.add(heldUntil, 'line', (at) => line.emit(frame, at, sent));
        return;
      }
      out.push({ kind: 'frame', frame });
      sent?.(now);
    },
    raw(kind, size) {
      if (ended || quiet !== undefined) return;
      for (const frame of garbage(kind, size)) out.push({ kind: 'raw', ...frame });
    },
    close({ code, reason }) {
      if (quiet === undefined || quiet.closes) end({ kind: 'close', code, reason: cutReason(reason) });
    },
    drop: (how) => end({ kind: 'drop', ...how }),
    abandon: () => end(),
    hold(until) {
      heldUntil = Math.max(heldUntil, until);
    },
    silence({ closes, until }) {
      quiet = { closes };
      if (until !== undefined) schedule.add(until, 'line', () => (quiet = undefined));
    },
    goAway(timeLeftMs, thenSilent, thenClose, now) {
      line.emit({ goAway: { timeLeft: seconds(timeLeftMs) } }, now, (sentAt) => line.fire('goAway', sentAt));
      if (ended) return;
      if (thenSilent) line.silence({ closes: true, until: undefined });
      if (thenClose !== undefined) schedule.add(now + timeLeftMs, 'line', () => line.close(thenClose));
    },
    fire(event, now, circumstances = {}) {
      const nth = circumstances.nth ?? (counts.get(event) ?? 0) + 1;
      counts.set(event, nth);
      const { turn, text } = circumstances;
      const decisions: ScriptAction[] = [];
      for (const { action, afterMs } of world.strikes({
        event,
        connection: epoch,
        nth,
        turn,
        text,
        resuming: line.resuming,
      })) {
        if (ended) break;
        if (DECISIONS.has(action.kind)) decisions.push(action);
        else if (afterMs > 0) schedule.add(now + afterMs, 'line', (at) => strike(action, at, text));
        else strike(action, now, text);
      }
      return decisions;
    },
    onStrike(listener) {
      strike = listener;
    },
    take() {
      const taken = out;
      out = [];
      return taken;
    },
  };
  return line;
}
