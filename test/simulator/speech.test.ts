import { describe, expect, it } from 'vitest';
import { speak } from '../../src/simulator/speech.ts';
import { createVoiceActivity } from '../../src/simulator/voice-activity.ts';
import { hum } from './fixtures/recordings.ts';

const samplesOf = (data: string): Int16Array => {
  const bytes = Buffer.from(data, 'base64');
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
};

describe('speech', () => {
  it('is PCM16 at 24 kHz, as long as it says, loud enough to hear and never clipped', () => {
    for (const frame of speak('Good evening, dear listener.')) {
      const samples = samplesOf(frame.data);
      expect(samples.length).toBe((24_000 * frame.ms) / 1_000);
      expect(Math.max(...samples.map(Math.abs))).toBeLessThan(20_000);
    }
    const loudest = Math.max(...speak('hello').flatMap((frame) => [...samplesOf(frame.data)].map(Math.abs)));
    expect(loudest).toBeGreaterThan(3_000);
  });

  it('begins and ends every syllable near silence, so that nothing clicks', () => {
    for (const frame of speak('mountain')) {
      const samples = samplesOf(frame.data);
      expect(Math.abs(samples[0]!)).toBeLessThan(50);
      expect(Math.abs(samples.at(-1)!)).toBeLessThan(200);
    }
  });

  it('is the same for the same words and longer for more of them', () => {
    expect(speak('one two')).toEqual(speak('one two'));
    const length = (text: string): number => speak(text).reduce((sum, frame) => sum + frame.ms, 0);
    expect(length('one two three four')).toBeGreaterThan(length('one two') * 1.5);
    expect(speak('')).toEqual([]);
  });

  it('has formants: different vowels have different spectra', () => {
    const [a] = speak('ha');
    const [i] = speak('hi');
    expect(a!.data).not.toBe(i!.data);
  });
});

describe('voice activity', () => {
  const bytes = (ms: number, level: number): Uint8Array => Buffer.from(hum(ms, level), 'base64');

  it('hears a start and, after enough silence, an end with the length of the speech', () => {
    const ears = createVoiceActivity();
    expect(ears.hear(bytes(500, 0), 16_000)).toEqual([]);
    expect(ears.hear(bytes(500, 8_000), 16_000)).toEqual([{ kind: 'start' }]);
    expect(ears.hear(bytes(590, 0), 16_000)).toEqual([]);
    expect(ears.hear(bytes(100, 0), 16_000)).toEqual([{ kind: 'end', speechMs: 500 }]);
  });

  it('takes no click for speech', () => {
    const ears = createVoiceActivity();
    expect(ears.hear(bytes(20, 20_000), 16_000)).toEqual([]);
    expect(ears.hear(bytes(2_000, 0), 16_000)).toEqual([]);
    expect(ears.finish()).toEqual([]);
  });

  it('hears two utterances in one frame', () => {
    const ears = createVoiceActivity(300);
    const all = Buffer.concat([bytes(200, 8_000), bytes(400, 0), bytes(200, 8_000), bytes(400, 0)]);
    expect(ears.hear(all, 16_000).map((event) => event.kind)).toEqual(['start', 'end', 'start', 'end']);
  });

  it('takes a frame of an odd number of bytes', () => {
    expect(createVoiceActivity().hear(Uint8Array.of(1, 2, 3), 16_000)).toEqual([]);
  });
});
