import { between, type Random } from './random.ts';
import { OUTPUT_MIME_TYPE, speak, speakBriefly, type AudioFrame } from './speech.ts';
import type { ServerFrame } from './wire.ts';
import type { Pace } from './world.ts';

/** One frame of an answer and how long after the one before it comes. */
export interface Beat {
  readonly afterMs: number;
  readonly frame: ServerFrame;
  /** The words that this frame adds to what was said. */
  readonly said: string;
  readonly audioMs: number;
}

export type AnswerPart =
  'thought' | 'transcription' | 'audio' | 'generationComplete' | 'turnComplete' | 'usage' | 'handle';

export interface Speech {
  /** A string is a piece of the text, a number that many frames of audio. */
  readonly pieces: readonly (string | number)[] | { readonly text: string };
  readonly thought: string;
  readonly everyMs?: number | undefined;
}

export interface Delivery {
  readonly modality: 'AUDIO' | 'TEXT';
  readonly transcribe: boolean;
  readonly pace: Pace;
  readonly audio: 'speech' | 'brief';
  readonly omit: ReadonlySet<AnswerPart>;
  readonly coalesce: boolean;
  readonly emptyContent: boolean;
  readonly random: Random;
}

/** From the end of the user's turn to the first frame. */
const THINKING_MS = 300;
const MOST_WORDS_A_PIECE = 3;

/** Cuts a text as the server does: a few words a piece, each with the space before it, nothing lost. */
export function cutIntoPieces(text: string, random: Random): readonly string[] {
  const words = text.match(/\s*\S+/g) ?? [];
  const pieces: string[] = [];
  for (let at = 0; at < words.length;) {
    const size = between(random, 1, MOST_WORDS_A_PIECE);
    pieces.push(words.slice(at, at + size).join(''));
    at += size;
  }
  const tail = /\s*$/.exec(text)![0];
  if (tail !== '' && pieces.length > 0) pieces[pieces.length - 1] += tail;
  return pieces;
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

function audioContent(frame: AudioFrame): NonNullable<ServerFrame['serverContent']> {
  return { modelTurn: { parts: [{ inlineData: { mimeType: OUTPUT_MIME_TYPE, data: frame.data } }] } };
}

function sound(count: number, audio: Delivery['audio']): readonly AudioFrame[] {
  const syllables = Array.from({ length: count }, (_, at) => 'aeiou'[at % 5]!).join(' ');
  return audio === 'brief' ? speakBriefly(syllables) : speak(syllables);
}

/** The content frames of an answer in order, up to but not including `generationComplete`. Lazy: answers can be long. */
export function* beats(speech: Speech, delivery: Delivery): Generator<Beat, void> {
  const { modality, pace, omit, random } = delivery;
  const spoken = modality === 'AUDIO' && !omit.has('audio');
  const written = modality === 'TEXT' || (delivery.transcribe && !omit.has('transcription'));
  const thinkingMs = speech.everyMs ?? (pace === 'instant' ? 0 : pace === 'realtime' ? THINKING_MS : pace);
  let wait = thinkingMs;

  const beat = (content: NonNullable<ServerFrame['serverContent']>, said = '', audioMs = 0): Beat => {
    const afterMs = wait;
    wait = speech.everyMs ?? (pace === 'realtime' ? audioMs : 0);
    return { afterMs, frame: { serverContent: content }, said, audioMs };
  };

  if (speech.thought !== '' && !omit.has('thought')) {
    yield beat({ modelTurn: { parts: [{ text: speech.thought, thought: true }] } });
  }
  const given = 'text' in speech.pieces ? cutIntoPieces(speech.pieces.text, random) : speech.pieces;
  const exact = !('text' in speech.pieces);
  let emptyLeft = delivery.emptyContent;

  for (const [at, piece] of given.entries()) {
    if (typeof piece === 'number') {
      if (spoken) for (const frame of sound(piece, delivery.audio)) yield beat(audioContent(frame), '', frame.ms);
      continue;
    }
    if (at > 0 && typeof pace === 'number' && speech.everyMs === undefined) wait = pace * Math.max(1, wordCount(piece));
    const audio = exact || !spoken ? [] : delivery.audio === 'brief' ? speakBriefly(piece) : speak(piece);
    // A piece that carries no words on this connection still was said: its first audio frame brings them along.
    let unsaid = piece;
    const [first, ...rest] = audio;
    if (written && modality === 'TEXT') {
      yield beat({ modelTurn: { role: 'model', parts: [{ text: piece }] } }, piece);
      unsaid = '';
    } else if (written && delivery.coalesce && first !== undefined) {
      yield beat({ outputTranscription: { text: piece }, ...audioContent(first) }, piece, first.ms);
      for (const frame of rest) yield beat(audioContent(frame), '', frame.ms);
      continue;
    } else if (written) {
      yield beat({ outputTranscription: { text: piece } }, piece);
      unsaid = '';
    }
    for (const frame of audio) {
      yield beat(audioContent(frame), unsaid, frame.ms);
      unsaid = '';
    }
    if (emptyLeft) {
      yield beat({});
      emptyLeft = false;
    }
  }
}

/** A flood for benchmarks: deltas of one size at one rate. What it says is not remembered: it can be endless. */
export function* burstBeats(count: number, size: number, perSecond: number | undefined): Generator<Beat, void> {
  const afterMs = perSecond === undefined ? 0 : 1_000 / perSecond;
  const frame: ServerFrame = {
    serverContent: { outputTranscription: { text: ' burst'.repeat(Math.ceil(size / 6)).slice(0, size) } },
  };
  for (let at = 0; at < count; at += 1) yield { afterMs, frame, said: '', audioMs: 0 };
}
