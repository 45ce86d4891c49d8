import { z } from 'zod';
import type { Usage } from '../contract/index.ts';

/** What a server frame says, one signal a fact. One frame can say several things at once. */
export type ServerSignal =
  | { readonly kind: 'setup-complete' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thought'; readonly text: string }
  | { readonly kind: 'audio'; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'heard'; readonly text: string; readonly interim: boolean }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly args: Record<string, unknown> }
  | { readonly kind: 'tool-cancel'; readonly ids: readonly string[] }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'generation-complete' }
  | { readonly kind: 'turn-complete' }
  | { readonly kind: 'handle'; readonly handle: string }
  | { readonly kind: 'not-resumable' }
  | { readonly kind: 'go-away'; readonly timeLeftMs: number | undefined }
  /** The frame could not be read, in whole or in part. `shape` tells its form without any of its content. */
  | { readonly kind: 'malformed'; readonly shape: string };

const count = z.number().int().nonnegative().catch(0).default(0);
const transcription = z.object({ text: z.string().optional() });

const frameSchema = z.object({
  setupComplete: z.looseObject({}).optional(),
  serverContent: z
    .object({
      modelTurn: z
        .object({
          parts: z
            .array(
              z.object({
                text: z.string().optional(),
                thought: z.boolean().optional(),
                inlineData: z.object({ mimeType: z.string().default(''), data: z.string().default('') }).optional(),
              }),
            )
            .optional(),
        })
        .optional(),
      outputTranscription: transcription.optional(),
      inputTranscription: transcription.optional(),
      interimInputTranscription: transcription.optional(),
      generationComplete: z.boolean().optional(),
      turnComplete: z.boolean().optional(),
      interrupted: z.boolean().optional(),
    })
    .optional(),
  toolCall: z
    .object({
      functionCalls: z
        .array(
          z.object({
            id: z.string(),
            name: z.string(),
            args: z.record(z.string(), z.unknown()).default({}),
          }),
        )
        .default([]),
    })
    .optional(),
  toolCallCancellation: z.object({ ids: z.array(z.string()).default([]) }).optional(),
  usageMetadata: z
    .object({
      promptTokenCount: count,
      responseTokenCount: count,
      thoughtsTokenCount: count,
      totalTokenCount: count,
    })
    .optional(),
  sessionResumptionUpdate: z.object({ newHandle: z.string().optional(), resumable: z.boolean().optional() }).optional(),
  goAway: z.object({ timeLeft: z.string().optional() }).optional(),
});
type ServerFrame = z.infer<typeof frameSchema>;

/**
 * Reads one frame from the server. Never throws. A part that does not fit is reported as `malformed`, and the rest of
 * the frame still counts.
 * Source: `LiveServerMessage` in `@google/genai`; its fields co-occur, so each is looked at on its own.
 */
export function readServerFrame(text: string): readonly ServerSignal[] {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return [{ kind: 'malformed', shape: `not JSON, ${text.length} characters` }];
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return [{ kind: 'malformed', shape: shapeOf(raw) }];
  }
  const whole = frameSchema.safeParse(raw);
  if (whole.success) return signalsOf(whole.data);
  const good: Record<string, unknown> = {};
  const malformed: ServerSignal[] = [];
  for (const [key, value] of Object.entries(raw)) {
    if (frameSchema.safeParse({ [key]: value }).success) good[key] = value;
    else malformed.push({ kind: 'malformed', shape: `${key}: ${shapeOf(value)}` });
  }
  return [...malformed, ...signalsOf(frameSchema.parse(good))];
}

/** In the order in which they take effect: content first, then its counts, then the ends of things. */
function signalsOf(frame: ServerFrame): ServerSignal[] {
  const signals: ServerSignal[] = [];
  if (frame.setupComplete !== undefined) signals.push({ kind: 'setup-complete' });
  const content = frame.serverContent;
  const heard = content?.inputTranscription?.text;
  const hearing = content?.interimInputTranscription?.text;
  if (hearing) signals.push({ kind: 'heard', text: hearing, interim: true });
  if (heard) signals.push({ kind: 'heard', text: heard, interim: false });
  for (const part of content?.modelTurn?.parts ?? []) {
    if (part.text) signals.push({ kind: part.thought === true ? 'thought' : 'text', text: part.text });
    if (part.inlineData) {
      signals.push({ kind: 'audio', mimeType: part.inlineData.mimeType, base64: part.inlineData.data });
    }
  }
  const said = content?.outputTranscription?.text;
  if (said) signals.push({ kind: 'text', text: said });
  for (const { id, name, args } of frame.toolCall?.functionCalls ?? []) {
    signals.push({ kind: 'tool-call', id, name, args });
  }
  const cancelled = frame.toolCallCancellation?.ids ?? [];
  if (cancelled.length > 0) signals.push({ kind: 'tool-cancel', ids: cancelled });
  if (frame.usageMetadata !== undefined) {
    const { promptTokenCount, responseTokenCount, thoughtsTokenCount, totalTokenCount } = frame.usageMetadata;
    signals.push({
      kind: 'usage',
      usage: {
        promptTokens: promptTokenCount,
        responseTokens: responseTokenCount,
        thoughtTokens: thoughtsTokenCount,
        totalTokens: totalTokenCount,
      },
    });
  }
  if (content?.interrupted === true) signals.push({ kind: 'interrupted' });
  if (content?.generationComplete === true) signals.push({ kind: 'generation-complete' });
  if (content?.turnComplete === true) signals.push({ kind: 'turn-complete' });
  const update = frame.sessionResumptionUpdate;
  if (update !== undefined) {
    signals.push(
      update.newHandle && update.resumable !== false
        ? { kind: 'handle', handle: update.newHandle }
        : { kind: 'not-resumable' },
    );
  }
  if (frame.goAway !== undefined) {
    signals.push({ kind: 'go-away', timeLeftMs: durationMs(frame.goAway.timeLeft) });
  }
  return signals;
}

/** A protobuf duration in JSON: `"50s"`, `"9.5s"`. */
function durationMs(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) * 1000;
}

const SHAPE_DEPTH = 3;
const SHAPE_KEYS = 12;

/** Keys and types of a value, never its content: safe to log. */
export function shapeOf(value: unknown, depth = SHAPE_DEPTH): string {
  if (value === null) return 'null';
  if (Array.isArray(value))
    return `[${value.length}${value.length > 0 && depth > 0 ? ` × ${shapeOf(value[0], depth - 1)}` : ''}]`;
  if (typeof value !== 'object') return typeof value === 'string' ? `string(${value.length})` : typeof value;
  if (depth === 0) return '{…}';
  const keys = Object.entries(value).slice(0, SHAPE_KEYS);
  return `{${keys.map(([key, inner]) => `${key.slice(0, 40)}: ${shapeOf(inner, depth - 1)}`).join(', ')}}`;
}
