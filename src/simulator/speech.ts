/**
 * Speech-like audio: one voiced syllable a frame, formants over a pulse of harmonics, with an envelope. It is not
 * language, but it has its rhythm and length, so that players, meters and recordings have something true to work on.
 */

export const OUTPUT_SAMPLE_RATE = 24_000;
export const OUTPUT_MIME_TYPE = `audio/pcm;rate=${OUTPUT_SAMPLE_RATE}`;

export interface AudioFrame {
  /** PCM16 little-endian mono 24 kHz, base64. */
  readonly data: string;
  readonly ms: number;
}

/** First three formants in Hz, after Peterson & Barney (1952), rounded. */
const FORMANTS: Readonly<Record<string, readonly [number, number, number]>> = {
  a: [730, 1090, 2440],
  e: [530, 1840, 2480],
  i: [270, 2290, 3010],
  o: [570, 840, 2410],
  u: [300, 870, 2240],
};
const FORMANT_GAINS = [1, 0.5, 0.25] as const;
const BANDWIDTH_HZ = 90;
const HARMONICS = 24;
/** A falling contour over a phrase. */
const PITCHES_HZ = [142, 132, 124, 116] as const;
const STRESSED_MS = 170;
const UNSTRESSED_MS = 115;
const PAUSE_MS = 150;
const ATTACK_MS = 18;
const RELEASE_MS = 45;
const PEAK = 9_000;

const cache = new Map<string, AudioFrame>();

function encode(samples: Int16Array, ms: number): AudioFrame {
  return { data: Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64'), ms };
}

function sampleCount(ms: number): number {
  return Math.round((OUTPUT_SAMPLE_RATE * ms) / 1000);
}

/** Loudness of a harmonic: how near it is to a formant, over the fall of a glottal pulse. */
function harmonicGain(hz: number, order: number, formants: readonly number[]): number {
  const resonance = formants.reduce(
    (sum, formant, at) => sum + FORMANT_GAINS[at]! / (1 + ((hz - formant) / BANDWIDTH_HZ) ** 2),
    0.02,
  );
  return resonance / Math.sqrt(order);
}

function syllable(vowel: string, pitch: number, ms: number): AudioFrame {
  const key = `${vowel}${pitch}/${ms}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const count = sampleCount(ms);
  const wave = new Float64Array(count);
  for (let order = 1; order <= HARMONICS; order += 1) {
    const gain = harmonicGain(pitch * order, order, FORMANTS[vowel]!);
    const step = (2 * Math.PI * pitch * order) / OUTPUT_SAMPLE_RATE;
    for (let at = 0; at < count; at += 1) wave[at]! += gain * Math.sin(step * at);
  }
  const loudest = wave.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const attack = sampleCount(ATTACK_MS);
  const release = sampleCount(RELEASE_MS);
  const samples = Int16Array.from(wave, (value, at) => {
    const envelope = Math.min(1, at / attack, (count - at) / release);
    return Math.round((value / loudest) * envelope * PEAK);
  });
  const frame = encode(samples, ms);
  cache.set(key, frame);
  return frame;
}

const pause = encode(new Int16Array(sampleCount(PAUSE_MS)), PAUSE_MS);

const VOWEL_OF: Readonly<Record<string, string>> = {
  y: 'i',
  ä: 'e',
  ö: 'o',
  ü: 'u',
  á: 'a',
  é: 'e',
  í: 'i',
  ó: 'o',
  ú: 'u',
};

/** The vowels that carry a word's syllables; a number or an abbreviation still gets one. */
function vowelsOf(word: string): readonly string[] {
  const groups = word.toLowerCase().match(/[aeiouyäöüáéíóú]+/g) ?? ['e'];
  return groups.map((group) => VOWEL_OF[group[0]!] ?? group[0]!);
}

/**
 * The audio of a stretch of text: one frame a syllable and a pause after punctuation. The same text always sounds the same.
 */
export function speak(text: string): readonly AudioFrame[] {
  const frames: AudioFrame[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    vowelsOf(word).forEach((vowel, at) => {
      const pitch = PITCHES_HZ[(word.length + at) % PITCHES_HZ.length]!;
      frames.push(syllable(vowel, pitch, at === 0 ? STRESSED_MS : UNSTRESSED_MS));
    });
    if (/[.,;:!?]["')\]]?$/.test(word)) frames.push(pause);
  }
  return frames;
}

/** As `speak`, but with 32 bytes a frame: for tests and benchmarks that count frames, not sound. */
export function speakBriefly(text: string): readonly AudioFrame[] {
  return speak(text).map((frame) => ({ data: frame.data.slice(0, 44), ms: frame.ms }));
}
