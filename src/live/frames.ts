import type { Content, LiveClientMessage, LiveClientSetup, Modality } from '@google/genai';
import type { ModelTraits } from './models.ts';

/**
 * The frames that we send. Each holds exactly one key.
 * Source: BidiGenerateContent, `LiveClientMessage` in `@google/genai`.
 */
export type ClientFrame = LiveClientMessage;

export interface SetupOptions {
  /** Without the `models/` prefix. */
  readonly model: string;
  readonly traits: ModelTraits;
  readonly systemInstruction?: string;
  /** Resumes from what this handle stands for. */
  readonly handle?: string;
  /** A history follows as content, before the first turn, on a connection without a handle. */
  readonly withHistory: boolean;
}

export function setupFrame(options: SetupOptions): ClientFrame {
  const { model, traits, systemInstruction, handle, withHistory } = options;
  const setup: LiveClientSetup = {
    model: `models/${model}`,
    generationConfig: { responseModalities: ['AUDIO' as Modality] },
    // Audio only comes out; the words that are shown are its transcription.
    outputAudioTranscription: {},
    inputAudioTranscription: {},
    // Without a handle this asks for handles; `transparent` is refused with an API key.
    sessionResumption: handle === undefined ? {} : { handle },
    // Without compression a session ends after 15 minutes of audio.
    contextWindowCompression: { slidingWindow: {} },
    ...(systemInstruction !== undefined && { systemInstruction: { parts: [{ text: systemInstruction }] } }),
    ...(withHistory && traits.history === 'initial' && { historyConfig: { initialHistoryInClientContent: true } }),
  };
  return { setup };
}

/** What was said before, for a connection that does not know it. It draws no answer. */
export function historyFrame(history: readonly Content[], traits: ModelTraits): ClientFrame {
  // Where the history is announced in the setup, `turnComplete` marks its end and calls no model;
  // everywhere else it would ask for an answer.
  return { clientContent: { turns: [...history], turnComplete: traits.history === 'initial' } };
}

/** A turn of the user, in the form that the model takes in the middle of a conversation. */
export function userTurnFrame(text: string, traits: ModelTraits): ClientFrame {
  return traits.userText === 'realtime'
    ? { realtimeInput: { text } }
    : { clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: true } };
}

/**
 * Interrupts a running answer without asking for another: "a message here will interrupt any current model generation"
 * (`LiveClientContent` in `@google/genai`). `undefined` where the model takes no content in mid-conversation.
 */
export function interruptFrame(traits: ModelTraits): ClientFrame | undefined {
  return traits.userText === 'realtime' ? undefined : { clientContent: { turns: [], turnComplete: false } };
}

/** Asks for an answer to what the server has already; `undefined` where the model takes no content in mid-conversation. */
export function nudgeFrame(traits: ModelTraits): ClientFrame | undefined {
  return traits.userText === 'realtime' ? undefined : { clientContent: { turns: [], turnComplete: true } };
}

/** A piece of sound from the microphone: base64 of PCM16, little-endian, mono, 16 kHz. */
export function audioFrame(base64: string): ClientFrame {
  return { realtimeInput: { audio: { data: base64, mimeType: 'audio/pcm;rate=16000' } } };
}

export function toolResponseFrame(id: string, name: string, response: Record<string, unknown>): ClientFrame {
  return { toolResponse: { functionResponses: [{ id, name, response }] } };
}

/** Results of calls that an earlier connection made: this one knows no such calls, so they are told as words. */
export function toolResultsFrame(
  results: readonly { readonly name: string; readonly response: Record<string, unknown> }[],
  traits: ModelTraits,
): ClientFrame {
  const text = results.map(({ name, response }) => `Result of ${name}: ${JSON.stringify(response)}`).join('\n');
  return traits.userText === 'realtime'
    ? { realtimeInput: { text } }
    : { clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: false } };
}
