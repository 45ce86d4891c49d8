import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServerFrame, shapeOf } from '../../src/live/index.ts';
import type { ServerSignal } from '../../src/live/index.ts';
import { exchanges } from './fixtures/frames.ts';

const RECORDINGS = new URL('../../../shared/wire-recordings/', import.meta.url);

/** The server's frames of a recording; `undefined` where it is not there. */
function recorded(name: string): readonly unknown[] | undefined {
  const file = new URL(`${name}.jsonl`, RECORDINGS);
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { from: string; frame: unknown })
    .flatMap(({ from, frame }) => (from === 'server' ? [frame] : []));
}

const read = (frame: unknown) => readServerFrame(JSON.stringify(frame));
const kinds = (frame: unknown) => read(frame).map(({ kind }) => kind);
const ofKind = <Kind extends ServerSignal['kind']>(signals: readonly ServerSignal[], kind: Kind) =>
  signals.filter((signal): signal is Extract<ServerSignal, { kind: Kind }> => signal.kind === kind);

/** The values at a path of keys in any frame, lists gone through: read without any of our own types. */
function valuesAt(value: unknown, ...path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, ...path));
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return valuesAt((value as Record<string, unknown>)[key], ...rest);
}

const sources = [
  { source: 'of Google’s server', framesOf: recorded },
  { source: 'of our own in the same shapes', framesOf: (name: string) => exchanges[name] },
] as const;

describe.each(sources)('a recording $source', ({ framesOf }) => {
  it.for(Object.keys(exchanges))('%s is read to its end', (name, context) => {
    const frames = framesOf(name);
    if (frames === undefined) return context.skip(`../shared/wire-recordings/${name}.jsonl is not here`);
    const signals = frames.map((frame) => read(frame));
    const all = signals.flat();

    expect(ofKind(all, 'malformed')).toEqual([]);
    const said = valuesAt(frames, 'serverContent', 'outputTranscription', 'text');
    expect(said.length).toBeGreaterThan(0);
    expect(ofKind(all, 'text').map(({ text }) => text)).toEqual(said);
    const heard = valuesAt(frames, 'serverContent', 'inputTranscription', 'text');
    expect(ofKind(all, 'heard').map(({ text, interim }) => [text, interim])).toEqual(
      heard.map((text) => [text, false]),
    );
    const thoughts = valuesAt(frames, 'serverContent', 'modelTurn', 'parts', 'text');
    expect(ofKind(all, 'thought').map(({ text }) => text)).toEqual(thoughts);
    const sound = valuesAt(frames, 'serverContent', 'modelTurn', 'parts', 'inlineData', 'data');
    expect(ofKind(all, 'audio').map(({ base64 }) => base64)).toEqual(sound);
    const calls = valuesAt(frames, 'toolCall', 'functionCalls', 'id');
    expect(ofKind(all, 'tool-call').map(({ id }) => id)).toEqual(calls);
    expect(ofKind(all, 'tool-call').map(({ args }) => args)).toEqual(
      valuesAt(frames, 'toolCall', 'functionCalls', 'args'),
    );
    const totals = valuesAt(frames, 'usageMetadata', 'totalTokenCount');
    expect(ofKind(all, 'usage').map(({ usage }) => usage.totalTokens)).toEqual(totals);
    const spent = valuesAt(frames, 'usageMetadata', 'responseTokenCount');
    expect(ofKind(all, 'usage').map(({ usage }) => usage.responseTokens)).toEqual(spent);

    // Every frame says something, in the order in which it came, and the exchange ends where its turn does.
    expect(signals.every((found) => found.length > 0)).toBe(true);
    expect(all[0]).toEqual({ kind: 'setup-complete' });
    expect(all.slice(-3).map(({ kind }) => kind)).toEqual(['generation-complete', 'usage', 'turn-complete']);
  });
});

describe('a server frame', () => {
  it('says all that it holds at once, content before the ends of things', () => {
    const frame = {
      setupComplete: {},
      serverContent: {
        interimInputTranscription: { text: 'you sa' },
        inputTranscription: { text: 'you said' },
        modelTurn: {
          parts: [
            { text: 'thinking', thought: true },
            { text: 'spoken' },
            { text: 'both', inlineData: { mimeType: 'audio/pcm;rate=24000', data: 'AAAA' } },
          ],
        },
        outputTranscription: { text: 'we say' },
        interrupted: true,
        generationComplete: true,
        turnComplete: true,
        turnCompleteReason: 'NEED_MORE_INPUT',
        waitingForInput: true,
        groundingMetadata: {},
      },
      toolCall: {
        functionCalls: [
          { id: 'a', name: 'f' },
          { id: 'b', name: 'g', args: { x: 1 } },
        ],
      },
      toolCallCancellation: { ids: ['a', 'b'] },
      usageMetadata: { promptTokenCount: 1, responseTokenCount: 2, thoughtsTokenCount: 3, totalTokenCount: 6 },
      sessionResumptionUpdate: { newHandle: 'h', resumable: true },
      goAway: { timeLeft: '50s' },
    };
    expect(read(frame)).toEqual([
      { kind: 'setup-complete' },
      { kind: 'heard', text: 'you sa', interim: true },
      { kind: 'heard', text: 'you said', interim: false },
      { kind: 'thought', text: 'thinking' },
      { kind: 'text', text: 'spoken' },
      { kind: 'text', text: 'both' },
      { kind: 'audio', mimeType: 'audio/pcm;rate=24000', base64: 'AAAA' },
      { kind: 'text', text: 'we say' },
      { kind: 'tool-call', id: 'a', name: 'f', args: {} },
      { kind: 'tool-call', id: 'b', name: 'g', args: { x: 1 } },
      { kind: 'tool-cancel', ids: ['a', 'b'] },
      { kind: 'usage', usage: { promptTokens: 1, responseTokens: 2, thoughtTokens: 3, totalTokens: 6 } },
      { kind: 'interrupted' },
      { kind: 'generation-complete' },
      { kind: 'turn-complete' },
      { kind: 'handle', handle: 'h' },
      { kind: 'go-away', timeLeftMs: 50_000 },
    ]);
  });

  it.each([
    ['{}', {}],
    ['an empty serverContent', { serverContent: {} }],
    [
      'null for what is not set',
      { serverContent: { turnComplete: null, modelTurn: null }, toolCall: null, goAway: null },
    ],
    ['empty texts', { serverContent: { outputTranscription: { text: '' }, modelTurn: { parts: [{ text: '' }] } } }],
    ['only what a newer server may say', { voiceActivity: { vadSignalType: 'X' }, serverContent: { mood: 'good' } }],
    ['false for the ends of things', { serverContent: { turnComplete: false, interrupted: false } }],
    ['no cancelled calls', { toolCallCancellation: { ids: [] } }],
  ])('with %s says nothing and is not malformed', (_name, frame) => {
    expect(read(frame)).toEqual([]);
  });

  it.each([
    ['50s', 50_000],
    ['9.5s', 9_500],
    ['0s', 0],
    ['0.250s', 250],
    ['soon', undefined],
    ['', undefined],
    ['-1s', undefined],
    [undefined, undefined],
  ])('goAway with %j leaves %j ms', (timeLeft, timeLeftMs) => {
    expect(read({ goAway: { timeLeft } })).toEqual([{ kind: 'go-away', timeLeftMs }]);
  });

  it.each([
    [
      { newHandle: 'h', resumable: true },
      { kind: 'handle', handle: 'h' },
    ],
    [{ newHandle: 'h' }, { kind: 'handle', handle: 'h' }],
    [{ newHandle: 'h', resumable: false }, { kind: 'not-resumable' }],
    [{ newHandle: '', resumable: true }, { kind: 'not-resumable' }],
    [{ resumable: false }, { kind: 'not-resumable' }],
    [{ resumable: true }, { kind: 'not-resumable' }],
    [{}, { kind: 'not-resumable' }],
  ])('sessionResumptionUpdate %j is %j', (sessionResumptionUpdate, signal) => {
    expect(read({ sessionResumptionUpdate })).toEqual([signal]);
  });

  it('counts what it can of untidy usage', () => {
    const counts = (usageMetadata: object) => ofKind(read({ usageMetadata }), 'usage').map(({ usage }) => usage);
    const none = { promptTokens: 0, responseTokens: 0, thoughtTokens: 0, totalTokens: 0 };
    expect(counts({})).toEqual([none]);
    expect(counts({ totalTokenCount: 12, promptTokenCount: 'many', responseTokenCount: -1 })).toEqual([
      { ...none, totalTokens: 12 },
    ]);
    expect(counts({ thoughtsTokenCount: 1.5, responseTokenCount: null })).toEqual([none]);
    const infinite = readServerFrame('{"usageMetadata":{"totalTokenCount":1e400}}');
    expect(ofKind(infinite, 'usage').map(({ usage }) => usage)).toEqual([none]);
  });
});

describe('what does not fit in a frame', () => {
  const cases: readonly [string, unknown, string, readonly ServerSignal['kind'][]][] = [
    [
      'a part that is no object',
      { serverContent: { modelTurn: { parts: [null, 7, { text: 'a' }] }, turnComplete: true } },
      'serverContent.modelTurn.parts.0: null',
      ['text', 'turn-complete'],
    ],
    [
      'a word that is no text',
      { serverContent: { outputTranscription: { text: 5 }, turnComplete: true } },
      'serverContent.outputTranscription.text: number',
      ['turn-complete'],
    ],
    [
      'an end that is no flag',
      { serverContent: { turnComplete: 'yes', interrupted: true } },
      'serverContent.turnComplete: string(3)',
      ['interrupted'],
    ],
    ['content that is no object', { serverContent: 'yes', usageMetadata: {} }, 'serverContent: string(3)', ['usage']],
    [
      'sound that is no object',
      { serverContent: { modelTurn: { parts: [{ inlineData: 'x', text: 'a' }] } } },
      'serverContent.modelTurn.parts.0.inlineData: string(1)',
      ['text'],
    ],
    ['a list that is none', { toolCall: { functionCalls: {} }, goAway: {} }, 'toolCall.functionCalls: {}', ['go-away']],
    [
      'a call without an id',
      { toolCall: { functionCalls: [{ name: 'f' }, { id: 'b', name: 'g' }] } },
      'toolCall: a call without id or name',
      ['tool-call'],
    ],
    [
      'arguments that are a list',
      { toolCall: { functionCalls: [{ id: 'a', name: 'f', args: [] }] } },
      'toolCall.functionCalls.0.args: [0]',
      [],
    ],
    ['ids that are no list', { toolCallCancellation: { ids: 'all' } }, 'toolCallCancellation.ids: string(3)', []],
    [
      'a handle that is no text',
      { sessionResumptionUpdate: { newHandle: 7, resumable: true } },
      'sessionResumptionUpdate.newHandle: number',
      ['not-resumable'],
    ],
    [
      'a flag beside a handle that is none',
      { sessionResumptionUpdate: { newHandle: 'h', resumable: 'yes' } },
      'sessionResumptionUpdate.resumable: string(3)',
      ['not-resumable'],
    ],
    ['a time that is a number', { goAway: { timeLeft: 50 } }, 'goAway.timeLeft: number', ['go-away']],
    [
      'usage that is a list',
      { usageMetadata: [], serverContent: { turnComplete: true } },
      'usageMetadata: [0]',
      ['turn-complete'],
    ],
    ['a setup that is a flag', { setupComplete: true }, 'setupComplete: boolean', []],
  ];
  it.each(cases)('such as %s is named, and the rest counts', (_name, frame, shape, rest) => {
    const signals = read(frame);
    expect(ofKind(signals, 'malformed').map((signal) => signal.shape)).toContain(shape);
    expect(signals.map(({ kind }) => kind).filter((kind) => kind !== 'malformed')).toEqual(rest);
  });

  it.each(['', ' ', '{', 'nonsense', '<html>', '\u0000', 'null', '42', '"words"', '[]', '[{}]', 'true'])(
    'such as the frame %j is one malformed frame',
    (text) => {
      expect(readServerFrame(text).map(({ kind }) => kind)).toEqual(['malformed']);
    },
  );

  it('such as arguments without a bottom is refused: they could not be written down again', () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const frame = `{"toolCall":{"functionCalls":[{"id":"a","name":"f","args":${deep}}]},"goAway":{}}`;
    expect(readServerFrame(frame).map(({ kind }) => kind)).toEqual(['malformed', 'go-away']);
    expect(readServerFrame(`{"serverContent":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toHaveLength(1);
  });

  it('such as a key that names a prototype changes nothing', () => {
    const text = '{"__proto__":{"setupComplete":5,"goAway":{}},"serverContent":7,"constructor":{},"toString":1}';
    expect(readServerFrame(text).map(({ kind }) => kind)).toEqual(['malformed']);
    expect(({} as Record<string, unknown>)['setupComplete']).toBeUndefined();
  });
});

/** Anything, with the protocol's own keys wherever a key can be. */
const protocolKeys = [
  'setupComplete serverContent modelTurn parts text thought inlineData mimeType data outputTranscription',
  'inputTranscription interimInputTranscription generationComplete turnComplete interrupted toolCall functionCalls id',
  'name args toolCallCancellation ids usageMetadata totalTokenCount sessionResumptionUpdate newHandle resumable goAway',
  'timeLeft __proto__',
].flatMap((names) => names.split(' '));
const anyFrame = fc.letrec<{ value: unknown; list: unknown[]; object: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.jsonValue(), tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(fc.constantFrom(...protocolKeys), tie('value'), { maxKeys: 6, noNullPrototype: true }),
}));

describe('whatever a server sends', () => {
  it('is read without throwing, and what comes of it has the types that it should', () => {
    fc.assert(
      fc.property(anyFrame.object, (frame) => {
        for (const signal of read(frame)) {
          if ('text' in signal) expect(typeof signal.text).toBe('string');
          if (signal.kind === 'tool-call') {
            expect([typeof signal.id, typeof signal.name, typeof signal.args]).toEqual(['string', 'string', 'object']);
          }
          if (signal.kind === 'usage') {
            for (const count of Object.values(signal.usage)) expect(Number.isSafeInteger(count)).toBe(true);
          }
          if (signal.kind === 'handle') expect(signal.handle).not.toBe('');
        }
      }),
      { numRuns: 3_000 },
    );
    fc.assert(fc.property(fc.json(), (text) => void readServerFrame(text)));
    fc.assert(fc.property(fc.string(), (text) => void readServerFrame(text)));
  });

  it('has a shape that holds none of its content', () => {
    const secret = 'Sesame opens 4711';
    const content = fc.oneof(fc.constant(secret), fc.constant(4_711), fc.constant([secret]));
    const leaky = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        content,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('serverContent', 'text', secret, `${secret}: x`), tie('value')),
      ),
    }));
    fc.assert(
      fc.property(leaky.value, (value) => {
        const shapes = [shapeOf(value), ...ofKind(read(value), 'malformed').map(({ shape }) => shape)];
        shapes.push(...ofKind(read({ serverContent: value }), 'malformed').map(({ shape }) => shape));
        for (const shape of shapes) {
          expect(shape).not.toMatch(/Sesame|4711/);
          expect(shape.length).toBeLessThan(600);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a shape that tells its form', () => {
    expect(shapeOf({ a: [1, 2], b: null, c: { d: { e: { f: 1 } } }, 'not plain': 'x' })).toBe(
      '{a: [2 × number], b: null, c: {d: {e: {…}}}, ?: string(1)}',
    );
    expect(kinds([])).toEqual(['malformed']);
  });
});
