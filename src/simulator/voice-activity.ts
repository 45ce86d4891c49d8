/**
 * A server's voice activity detection, by energy alone. It counts audio time, not wall time, so that a burst of
 * buffered audio is heard as it was spoken.
 */

/** Root mean square of PCM16 above which a window is speech. Room noise is below 100, speech above 1,000. */
const SPEECH_RMS = 500;
const WINDOW_MS = 20;
const DEFAULT_SILENCE_MS = 600;
/** Less voice than this is a click, not speech. */
const LEAST_SPEECH_MS = 60;
const DEFAULT_RATE = 16_000;

export type VoiceEvent = { readonly kind: 'start' } | { readonly kind: 'end'; readonly speechMs: number };

export interface VoiceActivity {
  /** Hears more audio: PCM16 little-endian mono. */
  hear(pcm: Uint8Array, sampleRate: number): readonly VoiceEvent[];
  /** The stream ended: what was being said is complete. */
  finish(): readonly VoiceEvent[];
}

export function sampleRateOf(mimeType: string): number {
  const rate = Number(/rate=(\d+)/.exec(mimeType)?.[1] ?? DEFAULT_RATE);
  return rate > 0 ? rate : DEFAULT_RATE;
}

function rms(pcm: DataView, from: number, samples: number): number {
  let sum = 0;
  for (let at = 0; at < samples; at += 1) sum += pcm.getInt16((from + at) * 2, true) ** 2;
  return samples === 0 ? 0 : Math.sqrt(sum / samples);
}

export function createVoiceActivity(silenceMs: number = DEFAULT_SILENCE_MS): VoiceActivity {
  let voicedMs = 0;
  let quietMs = 0;
  let speaking = false;

  function end(): VoiceEvent {
    const event = { kind: 'end', speechMs: voicedMs } as const;
    speaking = false;
    voicedMs = 0;
    quietMs = 0;
    return event;
  }

  function window(loud: boolean, ms: number): VoiceEvent | undefined {
    if (loud) {
      voicedMs += speaking ? ms + quietMs : ms;
      quietMs = 0;
      if (speaking || voicedMs < LEAST_SPEECH_MS) return undefined;
      speaking = true;
      return { kind: 'start' };
    }
    if (!speaking) {
      voicedMs = 0;
      return undefined;
    }
    quietMs += ms;
    return quietMs >= silenceMs ? end() : undefined;
  }

  return {
    hear(pcm, sampleRate) {
      const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
      const total = Math.floor(pcm.byteLength / 2);
      const size = Math.max(1, Math.round((sampleRate * WINDOW_MS) / 1000));
      const events: VoiceEvent[] = [];
      for (let from = 0; from < total; from += size) {
        const samples = Math.min(size, total - from);
        const event = window(rms(view, from, samples) >= SPEECH_RMS, (samples * 1000) / sampleRate);
        if (event !== undefined) events.push(event);
      }
      return events;
    },
    finish: () => (speaking ? [end()] : []),
  };
}
