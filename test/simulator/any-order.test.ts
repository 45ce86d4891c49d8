import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScriptInput } from '../../src/simulator/index.ts';
import { hum } from './fixtures/recordings.ts';
import { accept } from './grammar.ts';
import { OLD_MODEL, setupFrame, userTurn, MODEL } from './live-client.ts';
import { virtualServer, type VirtualConnection } from './virtual.ts';

const voice = hum(300, 9_000);
const silence = hum(700, 0);
const audio = (data: string): unknown => ({ realtimeInput: { audio: { data, mimeType: 'audio/pcm;rate=16000' } } });

type Step = (connection: VirtualConnection) => void;

const lastCall = (connection: VirtualConnection): string | undefined =>
  connection.frames().findLast((frame) => frame.toolCall)?.toolCall?.functionCalls?.[0]?.id;

const answeredOnce = new WeakMap<VirtualConnection, Set<string>>();

/** What a well-behaved client may do at any time. */
const steps: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  fc
    .constantFrom('Hello', 'Tell me a story', 'count to 7', 'open valve 3', 'What did I say first?', 'write 90 words')
    .map((text) => [`ask ${text}`, (connection: VirtualConnection) => connection.ask(text)] as const),
  fc.constant([
    'note',
    (connection: VirtualConnection) =>
      connection.send({ clientContent: { turns: [{ parts: [{ text: 'By the way.' }] }] } }),
  ] as const),
  fc.constant([
    'type',
    (connection: VirtualConnection) => connection.send({ realtimeInput: { text: 'What is 1 + 1?' } }),
  ] as const),
  fc.constant(['speak', (connection: VirtualConnection) => connection.send(audio(voice))] as const),
  fc.constant(['be quiet', (connection: VirtualConnection) => connection.send(audio(silence))] as const),
  fc.constantFrom(undefined, 'SILENT', 'WHEN_IDLE', 'INTERRUPT').map(
    (scheduling) =>
      [
        `respond ${scheduling}`,
        (connection: VirtualConnection) => {
          const id = lastCall(connection);
          const done = answeredOnce.get(connection) ?? new Set();
          answeredOnce.set(connection, done);
          if (id === undefined || done.has(id)) return;
          done.add(id);
          connection.send({ toolResponse: { functionResponses: [{ id, response: { output: 'Open.' }, scheduling }] } });
        },
      ] as const,
  ),
  fc
    .integer({ min: 1, max: 20_000 })
    .map((ms) => [`wait ${ms}`, (connection: VirtualConnection) => connection.advance(ms)] as const),
);

const tools = [
  {
    functionDeclarations: [
      { name: 'open_valve', parameters: { properties: { valve: { type: 'INTEGER' } }, required: ['valve'] } },
    ],
  },
];

describe('whatever a client does, and whenever', () => {
  it('the order of the server’s frames is one that the acceptor knows', () => {
    fc.assert(
      fc.property(
        fc.array(steps, { minLength: 1, maxLength: 14 }),
        fc.constantFrom(MODEL, OLD_MODEL),
        fc.constantFrom('instant' as const, 'realtime' as const, 60),
        fc.boolean(),
        (acts, model, pace, coalesce) => {
          const connection = virtualServer({ pace, script: { quirks: { coalesce, emptyContentEvery: 2 } } }).connect();
          connection.setup({ model, tools });
          for (const [, act] of acts) act(connection);
          connection.advance(500_000);
          const verdict = accept(connection.lines, { transcribes: true, whole: false });
          expect(verdict, JSON.stringify(acts.map(([name]) => name))).toEqual({ accepted: true });
          expect(connection.end()).toBeUndefined();
        },
      ),
      { numRuns: 150, seed: 42 },
    );
  });

  it('nothing that a client can send makes the server throw, and bad frames close with 1007', () => {
    const junk = fc.oneof(
      fc.json(),
      fc.string(),
      fc.anything().map((value) => JSON.stringify({ clientContent: value }) ?? ''),
      fc.anything().map((value) => JSON.stringify({ realtimeInput: { audio: value } }) ?? ''),
      fc.anything().map((value) => JSON.stringify({ toolResponse: { functionResponses: [value] } }) ?? ''),
      fc.anything().map((value) => JSON.stringify({ contextUpdate: { tools: value } }) ?? ''),
      fc.object().map((value) => JSON.stringify({ setup: { model: MODEL, ...value } })),
      fc.constant(`${'['.repeat(200_000)}${']'.repeat(200_000)}`),
      fc.constant(`{"clientContent":{"turns":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`),
      fc
        .string({ maxLength: 3_000, unit: fc.constantFrom('(', '1', ' ', '.', 'my ', 'a is ', '+', '"') })
        .map((text) => JSON.stringify(userTurn(text))),
    );
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 4 }), fc.boolean(), (frames, ready) => {
        const connection = virtualServer().connect();
        if (ready) connection.setup();
        for (const frame of frames) connection.send(frame);
        connection.advance(1_000);
        const end = connection.end();
        if (end?.kind === 'close') expect([1007, 1008]).toContain(end.code);
      }),
      { numRuns: 400, seed: 43 },
    );
  });

  it('no rule, at whatever moment it strikes, makes the server throw or speak after its end', () => {
    const events = [
      'open',
      'setup',
      'ready',
      'input',
      'turn',
      'delta',
      'toolCall',
      'generated',
      'turnComplete',
      'handle',
      'goAway',
    ] as const;
    const actions = fc.constantFrom<NonNullable<ScriptInput['rules']>[number]['do']>(
      { kind: 'drop' },
      { kind: 'close', like: 'internal' },
      { kind: 'silence', forMs: 500 },
      { kind: 'silence' },
      { kind: 'delay', ms: 700 },
      { kind: 'garbage', variant: 'wrongTypes' },
      { kind: 'goAway', timeLeftMs: 1_000 },
      { kind: 'forgetHandles' },
      { kind: 'offerHandle' },
      { kind: 'greet', text: 'Hello again, and more.' },
      { kind: 'replay' },
      { kind: 'cancelCalls' },
    );
    const rules = fc.array(
      fc.record({
        when: fc.record({
          event: fc.constantFrom(...events),
          nth: fc.integer({ min: 1, max: 3 }),
          afterMs: fc.constantFrom(0, 0, 250),
        }),
        do: actions,
        times: fc.constant(2),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(
        rules,
        fc.array(steps, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('instant' as const, 60),
        (given, acts, pace) => {
          const connection = virtualServer({ pace, script: { rules: given } }).connect();
          connection.send(setupFrame({ tools }));
          for (const [, act] of acts) act(connection);
          connection.advance(300_000);
          const ends = connection.actions.flatMap(({ action }, at) =>
            action.kind === 'close' || action.kind === 'drop' ? [at] : [],
          );
          expect(ends.length).toBeLessThan(2);
          if (ends.length === 1) expect(ends[0]).toBe(connection.actions.length - 1);
          const completes = connection.frames().filter((frame) => frame.serverContent?.turnComplete === true).length;
          expect(completes).toBeLessThan(60);
        },
      ),
      { numRuns: 250, seed: 44 },
    );
  });
});
