import type { MediaModality, ModalityTokenCount } from '@google/genai';
import type { Content, ServerFrame } from './wire.ts';

/** What the service itself puts before a prompt: seen as about 1,100 tokens on every recording. */
const PREAMBLE_TOKENS = 1_100;
const CHARACTERS_PER_TOKEN = 4;
const AUDIO_TOKENS_PER_SECOND = 25;
const IMAGE_TOKENS = 258;

export interface Tokens {
  readonly text: number;
  readonly audio: number;
  readonly image: number;
}

export const noTokens: Tokens = { text: 0, audio: 0, image: 0 };

export function addTokens(left: Tokens, right: Tokens): Tokens {
  return { text: left.text + right.text, audio: left.audio + right.audio, image: left.image + right.image };
}

export function textTokens(text: string): number {
  return text === '' ? 0 : Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

export function audioTokens(ms: number): number {
  return ms <= 0 ? 0 : Math.max(1, Math.round((ms * AUDIO_TOKENS_PER_SECOND) / 1000));
}

/** What a turn weighs in the context, audio apart (its length is not in the turn). */
export function contentTokens(content: Content): Tokens {
  return (content.parts ?? []).reduce<Tokens>((sum, part) => {
    const structured = part.functionCall ?? part.functionResponse;
    return addTokens(sum, {
      text: textTokens(part.text ?? '') + (structured === undefined ? 0 : textTokens(JSON.stringify(structured))),
      audio: 0,
      image: part.inlineData === undefined ? 0 : IMAGE_TOKENS,
    });
  }, noTokens);
}

export function total(tokens: Tokens): number {
  return tokens.text + tokens.audio + tokens.image;
}

function details(tokens: Tokens): ModalityTokenCount[] {
  const counts: [string, number][] = [
    ['TEXT', tokens.text],
    ['AUDIO', tokens.audio],
    ['IMAGE', tokens.image],
  ];
  // The SDK's enum is a type to us; its values are these words.
  return counts
    .filter(([, tokenCount]) => tokenCount > 0)
    .map(([modality, tokenCount]) => ({ modality: modality as MediaModality, tokenCount }));
}

export interface UsageInput {
  readonly context: Tokens;
  readonly systemText: string;
  readonly toolsText: string;
  readonly response: Tokens;
  readonly thoughts: number;
  /** Details that do not add up and a total with the thoughts in it: both were seen. */
  readonly untidy: boolean;
}

/** The figures that ride with `turnComplete`. The total leaves thoughts out, as on the recordings. */
export function usageMetadata(input: UsageInput): NonNullable<ServerFrame['usageMetadata']> {
  const prompt = addTokens(input.context, {
    ...noTokens,
    text: PREAMBLE_TOKENS + textTokens(input.systemText) + textTokens(input.toolsText),
  });
  const promptTokenCount = total(prompt);
  const responseTokenCount = total(input.response);
  return {
    promptTokenCount,
    responseTokenCount,
    totalTokenCount: promptTokenCount + responseTokenCount + (input.untidy ? input.thoughts : 0),
    promptTokensDetails: details(input.untidy ? { ...prompt, text: Math.max(1, prompt.text - 1) } : prompt),
    responseTokensDetails: details(input.response),
    ...(input.thoughts > 0 ? { thoughtsTokenCount: input.thoughts } : {}),
  };
}
