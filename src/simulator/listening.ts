import { cutIntoPieces } from './answer.ts';
import type { Line } from './line.ts';
import type { Live, Talk } from './talk.ts';
import { audioTokens, contentTokens, noTokens } from './usage.ts';
import { createVoiceActivity, sampleRateOf, type VoiceEvent } from './voice-activity.ts';
import type { Content, RealtimeInput } from './wire.ts';
import type { World } from './world.ts';

/** The incoming side of `realtimeInput`: ears, eyes and typed words that come while talking. */
export interface Listening {
  /** `false`: the model refuses this input. */
  hear(input: RealtimeInput, now: number): boolean;
}

const BYTES_PER_SAMPLE = 2;

export function createListening(world: World, line: Line, live: Live, talk: Talk): Listening {
  const config = live.setup.realtimeInputConfig;
  const automatic = config?.automaticActivityDetection?.disabled !== true;
  const bargeIn = config?.activityHandling !== 'NO_INTERRUPTION';
  const voice = createVoiceActivity(config?.automaticActivityDetection?.silenceDurationMs);
  /** With marks instead of detection: audio heard since `activityStart`. */
  let marked: { ms: number } | undefined;

  function started(now: number): void {
    if (bargeIn) talk.interrupt(now);
  }

  function complete(now: number): void {
    if (bargeIn) talk.answer(now);
    else talk.answerWhenFree(now);
  }

  function ended(speechMs: number, now: number): void {
    const decided = line.fire('speech', now).findLast((action) => action.kind === 'hear');
    // Something typed while speaking may be being answered: what is heard now ends that.
    if (!line.ended) started(now);
    if (line.ended) return;
    const heard = decided?.kind === 'hear' ? decided.text : world.nextHeard();
    const text =
      heard === undefined
        ? `[speech, ${(speechMs / 1000).toFixed(1)} s]`
        : typeof heard === 'string'
          ? heard
          : heard.join('');
    if (live.setup.inputAudioTranscription !== undefined) {
      const pieces = Array.isArray(heard)
        ? (heard as readonly string[])
        : cutIntoPieces(` ${text.trimStart()}`, world.random);
      for (const piece of pieces) line.emit({ serverContent: { inputTranscription: { text: piece } } }, now);
    }
    const content: Content = { role: 'user', parts: [{ text: text.trim() }] };
    world.memory.append(live.session, content, { ...noTokens, audio: audioTokens(speechMs) });
    if (talk.addAudio(speechMs)) complete(now);
  }

  function follow(events: readonly VoiceEvent[], now: number): void {
    for (const event of events) {
      if (line.ended) return;
      if (event.kind === 'start') started(now);
      else ended(event.speechMs, now);
    }
  }

  function hearAudio(audio: { readonly data: string; readonly mimeType: string }, now: number): boolean {
    if (!audio.mimeType.startsWith('audio/pcm')) return false;
    // Python's clients send the URL-safe alphabet; Buffer reads both.
    const pcm = Buffer.from(audio.data, 'base64');
    const rate = sampleRateOf(audio.mimeType);
    if (automatic) follow(voice.hear(pcm, rate), now);
    else if (marked !== undefined) marked.ms += (pcm.byteLength / BYTES_PER_SAMPLE / rate) * 1000;
    return true;
  }

  function see(blob: { readonly data: string; readonly mimeType: string }): boolean {
    if (!/^(?:image|video)\//.test(blob.mimeType)) return false;
    const content: Content = { role: 'user', parts: [{ inlineData: { mimeType: blob.mimeType, data: '' } }] };
    world.memory.append(live.session, content, contentTokens(content));
    return true;
  }

  function read(text: string, now: number): void {
    const content: Content = { role: 'user', parts: [{ text }] };
    const take = (at: number): void => {
      started(at);
      world.memory.append(live.session, content, contentTokens(content));
      complete(at);
    };
    const delayMs = world.script().quirks.realtimeTextDelayMs;
    if (delayMs > 0) line.schedule.add(now + delayMs, 'line', take);
    else take(now);
  }

  return {
    hear(input, now) {
      if (automatic ? (input.activityStart ?? input.activityEnd) !== undefined : input.audioStreamEnd === true)
        return false;
      if (input.activityStart !== undefined) {
        marked = { ms: 0 };
        started(now);
      }
      const blobs = [...(input.audio === undefined ? [] : [input.audio]), ...(input.mediaChunks ?? [])];
      for (const blob of blobs)
        if (!(blob.mimeType.startsWith('audio/') ? hearAudio(blob, now) : see(blob))) return false;
      if (input.video !== undefined && !see(input.video)) return false;
      if (input.text !== undefined) read(input.text, now);
      if (input.activityEnd !== undefined && marked !== undefined) {
        const { ms } = marked;
        marked = undefined;
        ended(ms, now);
      }
      if (input.audioStreamEnd === true) follow(voice.finish(), now);
      return true;
    },
  };
}
