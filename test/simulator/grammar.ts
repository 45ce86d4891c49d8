/**
 * The order in which a Gemini Live server speaks, as an acceptor: it reads a whole connection, frame by frame, and says
 * whether a server could have sent it. Recordings and simulator are held against the same one.
 *
 *   connection := setupComplete (handle | goAway | turn)*
 *   turn       := hears* thought* (words | sound)* ending
 *   ending     := generationComplete turnComplete+usage | interrupted turnComplete+usage | call (response turn' | cancel …)
 *
 * With transcription on, words come before the first sound. Empty content may come anywhere.
 */

export interface WireLine {
  readonly from: 'client' | 'server';
  readonly frame: unknown;
}

export type Verdict =
  { readonly accepted: true } | { readonly accepted: false; readonly at: number; readonly why: string };

type State =
  'start' | 'idle' | 'heard' | 'thinking' | 'speaking' | 'calling' | 'responded' | 'generated' | 'interrupted';

type Json = Record<string, unknown>;

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** What a server frame says, in the order in which fields that share a frame are meant. */
function eventsOf(frame: Json): readonly string[] {
  const events: string[] = [];
  if (frame['setupComplete'] !== undefined) events.push('setupComplete');
  const content = object(frame['serverContent']);
  if (content !== undefined) {
    if (Object.keys(content).length === 0) events.push('empty');
    if (content['inputTranscription'] !== undefined) events.push('hears');
    if (content['outputTranscription'] !== undefined) events.push('words');
    const parts = (object(content['modelTurn'])?.['parts'] ?? []) as readonly Json[];
    for (const part of parts) {
      if (part['thought'] === true) events.push('thought');
      else if (part['inlineData'] !== undefined) events.push('sound');
      else if (part['text'] !== undefined) events.push('text');
      else events.push(`part ${Object.keys(part).join('+')}`);
    }
    if (content['generationComplete'] === true) events.push('generationComplete');
    if (content['interrupted'] === true) events.push('interrupted');
    if (content['turnComplete'] === true)
      events.push(frame['usageMetadata'] === undefined ? 'turnComplete without usage' : 'turnComplete');
  }
  if (frame['usageMetadata'] !== undefined && content?.['turnComplete'] !== true) events.push('usage alone');
  if (frame['toolCall'] !== undefined) events.push('call');
  if (frame['toolCallCancellation'] !== undefined) events.push('cancel');
  if (frame['goAway'] !== undefined) events.push('goAway');
  const update = object(frame['sessionResumptionUpdate']);
  if (update !== undefined) {
    const carries = typeof update['newHandle'] === 'string' && update['newHandle'] !== '';
    if (update['resumable'] === true && carries) events.push('handle');
    else if (update['resumable'] !== true && !carries) events.push('no handle');
    else events.push('handle that contradicts itself');
  }
  return events.length === 0 ? ['nothing known'] : events;
}

const OPEN: readonly State[] = [
  'idle',
  'heard',
  'thinking',
  'speaking',
  'calling',
  'responded',
  'generated',
  'interrupted',
];

/** From each event: the states in which it may come, and where it leads. */
const MOVES: Readonly<Record<string, { readonly from: readonly State[]; readonly to?: State }>> = {
  setupComplete: { from: ['start'], to: 'idle' },
  empty: { from: OPEN },
  goAway: { from: OPEN },
  'no handle': { from: OPEN },
  handle: { from: ['idle'] },
  hears: { from: ['idle', 'heard'], to: 'heard' },
  thought: { from: ['idle', 'heard', 'thinking', 'responded'], to: 'thinking' },
  words: { from: ['idle', 'heard', 'thinking', 'speaking', 'responded'], to: 'speaking' },
  text: { from: ['idle', 'heard', 'thinking', 'speaking', 'responded'], to: 'speaking' },
  sound: { from: ['idle', 'heard', 'thinking', 'speaking', 'responded'], to: 'speaking' },
  call: { from: ['idle', 'heard', 'thinking', 'speaking', 'responded'], to: 'calling' },
  cancel: { from: ['calling'], to: 'responded' },
  generationComplete: { from: ['idle', 'heard', 'speaking', 'responded', 'calling'], to: 'generated' },
  interrupted: { from: ['idle', 'heard', 'thinking', 'speaking', 'responded'], to: 'interrupted' },
  turnComplete: { from: ['generated', 'interrupted'], to: 'idle' },
};

/**
 * @param options.transcribes the setup asked for output transcription, so words must lead the sound
 * @param options.whole the connection ran to the end of its last turn
 */
export function accept(
  lines: readonly WireLine[],
  options: { readonly transcribes: boolean; readonly whole: boolean },
): Verdict {
  let state: State = 'start';
  let spoke = false;
  for (const [at, line] of lines.entries()) {
    const frame = object(line.frame);
    if (frame === undefined) return { accepted: false, at, why: 'not an object' };
    if (line.from === 'client') {
      const answered = frame['toolResponse'] ?? frame['tool_response'];
      if (answered !== undefined && state === 'calling') state = 'responded';
      continue;
    }
    for (const event of eventsOf(frame)) {
      const move: (typeof MOVES)[string] | undefined = MOVES[event];
      if (move === undefined || !move.from.includes(state))
        return { accepted: false, at, why: `${event} while ${state}` };
      if (event === 'sound' && options.transcribes && !spoke) return { accepted: false, at, why: 'sound before words' };
      if (event === 'words') spoke = true;
      if (event === 'turnComplete' || event === 'call') spoke = false;
      state = move.to ?? state;
    }
  }
  if (options.whole && state !== 'idle') return { accepted: false, at: lines.length, why: `ends while ${state}` };
  return { accepted: true };
}

/** The shape of a value: its keys, their nesting and the types at the leaves, without any content. */
export function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].toSorted().join(' | ')}]`;
  const fields = object(value);
  if (fields === undefined) return value === null ? 'null' : typeof value;
  const inner = Object.keys(fields)
    .toSorted()
    .map((key) => `${key}: ${shapeOf(fields[key])}`);
  return `{${inner.join(', ')}}`;
}
