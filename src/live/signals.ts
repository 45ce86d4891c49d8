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
  /** `consumed`: index of the last client frame that it includes, where the server acknowledges at all. */
  | { readonly kind: 'handle'; readonly handle: string; readonly consumed: number | undefined }
  | { readonly kind: 'not-resumable' }
  | { readonly kind: 'go-away'; readonly timeLeftMs: number | undefined }
  /** The frame could not be read, in whole or in part. `shape` tells its form without any of its content. */
  | { readonly kind: 'malformed'; readonly shape: string };

/** A protobuf field that is unset may come as `null`. */
const isSet = (value: unknown): boolean => value !== undefined && value !== null;

const text = z.string();
const flag = z.boolean();
/** A 64-bit integer, so a string in JSON. */
const index = z.union([
  z.number().int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
const list = z.array(z.unknown());
const object = z.custom<Record<string, unknown>>(isObject);
const count = z.number().int().nonnegative().nullish().catch(0);
const usageSchema = z
  .object({ promptTokenCount: count, responseTokenCount: count, thoughtsTokenCount: count, totalTokenCount: count })
  .transform((counts): Usage => ({
    promptTokens: counts.promptTokenCount ?? 0,
    responseTokens: counts.responseTokenCount ?? 0,
    thoughtTokens: counts.thoughtsTokenCount ?? 0,
    totalTokens: counts.totalTokenCount ?? 0,
  }));

/** Arguments nest as deep as this at most: what nests for ever cannot be written down again. */
const ARGS_DEPTH_MAX = 64;

/** Gives the fields of an object one by one; what is there and does not fit is reported and counts as absent. */
interface Fields {
  has(name: string): boolean;
  take<T>(name: string, schema: z.ZodType<T>): T | undefined;
  /** `undefined` where the field is not an object. */
  within(name: string): Fields | undefined;
  /** The elements of a list, each by itself. */
  each(name: string): readonly Fields[];
}

/**
 * Reads one frame from the server. Never throws. Whatever does not fit is reported as `malformed`, and the rest of the
 * frame still counts: a turn must not go without its end because a word of it was garbled.
 * Source: `LiveServerMessage` in `@google/genai`; its fields co-occur, so each is looked at on its own.
 */
export function readServerFrame(frame: string): readonly ServerSignal[] {
  let raw: unknown;
  try {
    raw = JSON.parse(frame);
  } catch {
    return [{ kind: 'malformed', shape: `not JSON, ${frame.length} characters` }];
  }
  if (!isObject(raw)) return [{ kind: 'malformed', shape: shapeOf(raw) }];
  const malformed: ServerSignal[] = [];
  const fields = fieldsOf(raw, '', (shape) => malformed.push({ kind: 'malformed', shape }));
  const signals = signalsOf(fields);
  return [...malformed, ...signals];
}

function fieldsOf(from: Record<string, unknown>, path: string, report: (shape: string) => void): Fields {
  // Only own fields: a frame may name `__proto__`.
  const get = (name: string): unknown => (Object.hasOwn(from, name) ? from[name] : undefined);
  const take = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    const value = get(name);
    if (!isSet(value)) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    report(`${path}${name}: ${shapeOf(value)}`);
    return undefined;
  };
  return {
    has: (name) => isSet(get(name)),
    take,
    within(name) {
      const inner = take(name, object);
      return inner && fieldsOf(inner, `${path}${name}.`, report);
    },
    each(name) {
      return (take(name, list) ?? []).flatMap((element, at) => {
        if (isObject(element)) return fieldsOf(element, `${path}${name}.${at}.`, report);
        report(`${path}${name}.${at}: ${shapeOf(element)}`);
        return [];
      });
    },
  };
}

/** In the order in which they take effect: content first, then its counts, then the ends of things. */
function signalsOf(frame: Fields): ServerSignal[] {
  const signals: ServerSignal[] = [];
  if (frame.within('setupComplete') !== undefined) signals.push({ kind: 'setup-complete' });
  const content = frame.within('serverContent');
  const hearing = content?.within('interimInputTranscription')?.take('text', text);
  if (hearing) signals.push({ kind: 'heard', text: hearing, interim: true });
  const heard = content?.within('inputTranscription')?.take('text', text);
  if (heard) signals.push({ kind: 'heard', text: heard, interim: false });
  for (const part of content?.within('modelTurn')?.each('parts') ?? []) {
    const words = part.take('text', text);
    if (words) signals.push({ kind: part.take('thought', flag) === true ? 'thought' : 'text', text: words });
    const media = part.within('inlineData');
    const base64 = media?.take('data', text);
    if (base64 !== undefined) signals.push({ kind: 'audio', mimeType: media?.take('mimeType', text) ?? '', base64 });
  }
  const said = content?.within('outputTranscription')?.take('text', text);
  if (said) signals.push({ kind: 'text', text: said });
  for (const call of frame.within('toolCall')?.each('functionCalls') ?? []) {
    const id = call.take('id', text);
    const name = call.take('name', text);
    const args = call.has('args') ? call.take('args', argsSchema) : {};
    if (id !== undefined && name !== undefined && args !== undefined) {
      signals.push({ kind: 'tool-call', id, name, args });
    } else if (!call.has('id') || !call.has('name')) {
      signals.push({ kind: 'malformed', shape: 'toolCall: a call without id or name' });
    }
  }
  const cancelled = frame.within('toolCallCancellation')?.take('ids', z.array(text)) ?? [];
  if (cancelled.length > 0) signals.push({ kind: 'tool-cancel', ids: cancelled });
  const usage = frame.take('usageMetadata', usageSchema);
  if (usage !== undefined) signals.push({ kind: 'usage', usage });
  if (content?.take('interrupted', flag) === true) signals.push({ kind: 'interrupted' });
  if (content?.take('generationComplete', flag) === true) signals.push({ kind: 'generation-complete' });
  if (content?.take('turnComplete', flag) === true) signals.push({ kind: 'turn-complete' });
  const update = frame.within('sessionResumptionUpdate');
  if (update !== undefined) {
    const handle = update.take('newHandle', text);
    const resumable = !update.has('resumable') || update.take('resumable', flag) === true;
    const consumed = update.take('lastConsumedClientMessageIndex', index);
    signals.push(handle && resumable ? { kind: 'handle', handle, consumed } : { kind: 'not-resumable' });
  }
  const leaving = frame.within('goAway');
  if (leaving !== undefined) signals.push({ kind: 'go-away', timeLeftMs: durationMs(leaving.take('timeLeft', text)) });
  return signals;
}

const argsSchema = object.refine((args) => !isDeeperThan(args, ARGS_DEPTH_MAX));

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

/** A protobuf duration in JSON: `"50s"`, `"9.5s"`. */
function durationMs(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) * 1000;
}

const SHAPE_DEPTH = 3;
const SHAPE_KEYS = 12;
const SHAPE_MAX_CHARS = 400;
/** What the protocol's own keys look like. A key of another form may be somebody's words. */
const PLAIN_KEY = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;

/** Keys and types of a value, never its content: safe to log. */
export function shapeOf(value: unknown): string {
  const shape = shapeWithin(value, SHAPE_DEPTH);
  return shape.length > SHAPE_MAX_CHARS ? `${shape.slice(0, SHAPE_MAX_CHARS)}…` : shape;
}

function shapeWithin(value: unknown, depth: number): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    const first = value.length > 0 && depth > 0 ? ` × ${shapeWithin(value[0], depth - 1)}` : '';
    return `[${value.length}${first}]`;
  }
  if (typeof value !== 'object') return typeof value === 'string' ? `string(${value.length})` : typeof value;
  if (depth === 0) return '{…}';
  const keys = Object.entries(value)
    .slice(0, SHAPE_KEYS)
    .map(([key, inner]) => `${PLAIN_KEY.test(key) ? key : '?'}: ${shapeWithin(inner, depth - 1)}`);
  return `{${keys.join(', ')}}`;
}
