import { describe, expect, it } from 'vitest';
import { fixtures } from './fixtures/recordings.ts';
import { accept, shapeOf, type WireLine } from './grammar.ts';

const options = { transcribes: true, whole: true };
const server = (frame: unknown): WireLine => ({ from: 'server', frame });
const ready = server({ setupComplete: {} });
const content = (fields: unknown): WireLine => server({ serverContent: fields });
const words = content({ outputTranscription: { text: 'Yes' } });
const sound = content({ modelTurn: { parts: [{ inlineData: { mimeType: 'audio/pcm;rate=24000', data: 'AAAA' } }] } });
const thought = content({ modelTurn: { parts: [{ text: 'Hm', thought: true }] } });
const hears = content({ inputTranscription: { text: ' Hello' } });
const generated = content({ generationComplete: true });
const interrupted = content({ interrupted: true });
const complete = server({ serverContent: { turnComplete: true }, usageMetadata: { totalTokenCount: 1 } });
const call = server({ toolCall: { functionCalls: [{ id: '1', name: 'f', args: {} }] } });
const cancel = server({ toolCallCancellation: { ids: ['1'] } });
const response: WireLine = { from: 'client', frame: { tool_response: { functionResponses: [{ id: '1' }] } } };
const handle = server({ sessionResumptionUpdate: { newHandle: 'h', resumable: true } });

describe('the order that a server keeps', () => {
  it.each([
    ['a plain answer', [ready, thought, words, sound, words, sound, generated, complete]],
    ['an answer to speech', [ready, hears, hears, thought, words, sound, generated, complete]],
    ['an interrupted answer', [ready, words, sound, interrupted, complete, words, generated, complete]],
    ['a tool round', [ready, call, response, words, sound, generated, complete]],
    ['a cancelled call', [ready, call, cancel, interrupted, complete]],
    ['empty content and updates in between', [ready, content({}), words, content({}), generated, complete, handle]],
    [
      'fields that share a frame',
      [ready, content({ outputTranscription: { text: 'a' }, generationComplete: true }), complete],
    ],
  ])('accepts %s', (_, lines) => {
    expect(accept(lines, options)).toEqual({ accepted: true });
  });

  it.each([
    ['content before setupComplete', [words, ready, generated, complete], 0],
    ['two setupCompletes', [ready, ready], 1],
    ['sound before the words that it carries', [ready, sound, words, generated, complete], 1],
    ['a thought after the words', [ready, words, thought, generated, complete], 2],
    ['input transcription in the middle of an answer', [ready, words, hears, generated, complete], 2],
    ['turnComplete without generationComplete', [ready, words, sound, complete], 3],
    ['generationComplete twice', [ready, words, generated, generated, complete], 3],
    ['words after generationComplete', [ready, words, generated, words, complete], 3],
    ['generationComplete in an interrupted turn', [ready, words, interrupted, generated, complete], 3],
    ['interrupted after generationComplete', [ready, words, generated, interrupted, complete], 3],
    ['words after interrupted', [ready, words, interrupted, words, complete], 3],
    ['turnComplete without usage', [ready, words, generated, content({ turnComplete: true })], 3],
    ['usage by itself', [ready, words, server({ usageMetadata: {} }), generated, complete], 2],
    ['an answer to a call before its response', [ready, call, words, generated, complete], 2],
    ['a cancellation without a call', [ready, cancel], 1],
    [
      'a handle that is not resumable',
      [ready, server({ sessionResumptionUpdate: { newHandle: 'h', resumable: false } })],
      1,
    ],
    ['a resumable update without a handle', [ready, server({ sessionResumptionUpdate: { resumable: true } })], 1],
    ['a handle in the middle of an answer', [ready, words, handle, generated, complete], 2],
    ['an unknown part', [ready, content({ modelTurn: { parts: [{ hologram: {} }] } })], 1],
    ['an unknown frame', [ready, server({ weather: {} })], 1],
    ['a frame that is no object', [ready, server('words')], 1],
    ['a turn that never ends', [ready, words, sound], 3],
  ])('rejects %s', (_, lines, at) => {
    expect(accept(lines, options)).toMatchObject({ accepted: false, at });
  });

  it('does not ask for an end where the connection was cut', () => {
    expect(accept([ready, words], { ...options, whole: false })).toEqual({ accepted: true });
  });

  it('rejects every recording of our own with two neighbouring kinds of frame swapped', () => {
    let swaps = 0;
    for (const lines of Object.values(fixtures)) {
      for (let at = 0; at + 1 < lines.length; at += 1) {
        const [left, right] = [lines[at]!, lines[at + 1]!];
        const ends = shapeOf(right.frame).includes('turnComplete: boolean');
        if (left.from !== 'server' || right.from !== 'server' || !ends) continue;
        const swapped = lines.with(at, right).with(at + 1, left);
        expect(accept(swapped, options)).toMatchObject({ accepted: false });
        swaps += 1;
      }
    }
    expect(swaps).toBe(4);
  });
});

describe('the shape of a frame', () => {
  it('tells keys, nesting and types, and nothing of the content', () => {
    expect(shapeOf({ b: 'x', a: [{ n: 1 }, { n: 2 }] })).toBe('{a: [{n: number}], b: string}');
    expect(shapeOf({ a: { b: true } })).not.toBe(shapeOf({ a: { b: 'true' } }));
    expect(shapeOf({ a: [1, 'x'] })).toBe('{a: [number | string]}');
  });
});
