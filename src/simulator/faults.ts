import { closes } from './closes.ts';
import type { Line } from './line.ts';
import type { Poison, Session } from './memory.ts';
import { closeOf, type ScriptAction } from './script.ts';
import type { Talk } from './talk.ts';
import { textOf, type ServerFrame } from './wire.ts';
import type { World } from './world.ts';

export interface FaultReach {
  readonly line: Line;
  readonly world: World;
  readonly talk: Talk | undefined;
  readonly session: Session | undefined;
  /** The handle that this connection resumed with. */
  readonly handleInUse: string | undefined;
  readonly poisonConnection: (mode: Poison) => void;
  readonly text: string | undefined;
}

/** The words of the last exchange in memory, as transcriptions. */
function replayed(session: Session | undefined): readonly ServerFrame[] {
  const contents = (session?.entries ?? []).map((entry) => entry.content);
  const asked = contents.findLast((content) => content.role !== 'model' && textOf(content) !== '');
  const said = contents.findLast((content) => content.role === 'model' && textOf(content) !== '');
  return [
    ...(asked === undefined ? [] : [{ serverContent: { inputTranscription: { text: textOf(asked) } } }]),
    ...(said === undefined ? [] : [{ serverContent: { outputTranscription: { text: textOf(said) } } }]),
  ];
}

/** Carries out what a rule of the script asks for, apart from what decides an answer. */
export function performFault(action: ScriptAction, now: number, reach: FaultReach): void {
  const { line, world, talk } = reach;
  switch (action.kind) {
    case 'drop':
      return line.drop(action);
    case 'close':
      return line.close(closeOf(action));
    case 'refuseHandle':
      return line.close(closeOf(action, closeOf(world.script().handles.refusal, closes.invalidArgument)));
    case 'silence':
      return line.silence({
        closes: action.closes,
        until: action.forMs === undefined ? undefined : now + action.forMs,
      });
    case 'delay':
      return line.hold(now + action.ms);
    case 'garbage':
      return line.raw(action.variant, action.size);
    case 'send':
      return line.emit(action.frame as ServerFrame, now);
    case 'goAway': {
      const close = action.thenClose === false ? undefined : closeOf(action.thenClose, closes.goAwayIgnored);
      return line.goAway(action.timeLeftMs, action.thenSilent, close, now);
    }
    case 'poisonHandle': {
      // At `handle` the newest one is meant: this connection itself stays healthy.
      const issued = talk?.newestHandle();
      if (issued !== undefined) return world.memory.poison(issued, action.mode);
      if (reach.handleInUse === undefined) return;
      world.memory.poison(reach.handleInUse, action.mode);
      return reach.poisonConnection(action.mode);
    }
    case 'forgetHandles':
      return world.memory.forgetHandles();
    case 'offerHandle':
      return talk?.offerHandle(action.resumable, now);
    case 'greet':
      return talk?.speakUp(action.text, now);
    case 'replay':
      for (const frame of replayed(reach.session)) line.emit(frame, now);
      return;
    case 'cancelCalls':
      return talk?.cancelCalls(now);
    case 'refuse':
    case 'say':
    case 'call':
    case 'burst':
    case 'omit':
    case 'hear':
      // Decided where the event is fired: at the upgrade, at the turn, at the end of speech.
      return;
  }
}
