import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startSimulator, type ScriptInput, type ServerFrame } from '../../src/simulator/index.ts';
import { fixtures } from './fixtures/recordings.ts';
import { accept, shapeOf, type WireLine } from './grammar.ts';
import { dial } from './live-client.ts';

const RECORDINGS = new URL('../../../shared/wire-recordings/', import.meta.url);
const NAMES = ['text-in-audio-out-turn', 'tool-call-round', 'audio-in-server-vad-turn', 'message-history-seeding'];

function readRecording(name: string): readonly WireLine[] | undefined {
  const file = new URL(`${name}.jsonl`, RECORDINGS);
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WireLine);
}

const serverFrames = (lines: readonly WireLine[]): readonly ServerFrame[] =>
  lines.filter((line) => line.from === 'server').map((line) => line.frame as ServerFrame);

/** The script under which the simulator has to say what the recording says: its words, its calls, what it heard. */
function scriptFor(lines: readonly WireLine[]): ScriptInput {
  const frames = serverFrames(lines);
  const heard = frames.flatMap((frame) => frame.serverContent?.inputTranscription?.text ?? []);
  const parts = frames.flatMap((frame) => frame.serverContent?.modelTurn?.parts ?? []);
  const thought = parts.find((part) => part.thought === true)?.text ?? null;
  const calls = frames.flatMap((frame) => frame.toolCall?.functionCalls ?? []);
  const pieces = frames.reduce<(string | number)[]>((sum, { serverContent }) => {
    const text = serverContent?.outputTranscription?.text;
    if (text !== undefined) return [...sum, text];
    if (serverContent?.modelTurn?.parts?.[0]?.inlineData === undefined) return sum;
    const last = sum.at(-1);
    return typeof last === 'number' ? [...sum.slice(0, -1), last + 1] : [...sum, 1];
  }, []);
  const say = { pieces, thought };
  return {
    hears: heard.length === 0 ? [] : [heard],
    answers: [
      {
        match: '',
        do:
          calls.length === 0
            ? { kind: 'say', ...say }
            : {
                kind: 'call',
                calls: calls.map((call) => ({ id: call.id, name: call.name!, args: call.args })),
                thenSay: say,
              },
      },
    ],
  };
}

/** Sends what the recorded client sent, at the places where it did, and gathers what the simulator says. */
async function replay(
  lines: readonly WireLine[],
  script: ScriptInput,
  encoding: 'text' | 'mixed',
): Promise<readonly WireLine[]> {
  const simulator = await startSimulator({ pace: 'instant', seed: 3, script, encoding });
  try {
    const client = dial(simulator, { setup: false });
    await new Promise((resolve) => client.socket.once('open', resolve));
    const said: WireLine[] = [];
    for (const line of lines) {
      if (line.from === 'client') {
        client.send(line.frame);
        said.push(line);
        continue;
      }
      const at = said.filter(({ from }) => from === 'server').length;
      await client.until((frame) => frame === client.frames[at], `server frame ${at}`, at);
      said.push({ from: 'server', frame: client.frames[at] });
    }
    expect(await client.quietFor(30), 'the simulator says nothing more than was recorded').toBe(true);
    await client.close();
    return said;
  } finally {
    await simulator.close();
  }
}

/** What the user sees and the core acts on; ids and words included, sound and token counts not. */
function meaningOf(frames: readonly ServerFrame[]): unknown {
  return {
    heard: frames.map((frame) => frame.serverContent?.inputTranscription?.text ?? '').join(''),
    said: frames.map((frame) => frame.serverContent?.outputTranscription?.text ?? '').join(''),
    calls: frames.flatMap((frame) => frame.toolCall?.functionCalls ?? []),
  };
}

const sources = [
  { source: 'real recordings', read: readRecording },
  { source: 'recordings of our own in the same shapes', read: (name: string) => fixtures[name] },
] as const;

describe.each(sources)('held against $source', ({ read }) => {
  describe.each(NAMES)('%s', (name) => {
    const lines = read(name);
    const missing = `../shared/wire-recordings/${name}.jsonl is not here; fixtures of the same shapes stand in for it`;
    const whole = { transcribes: true, whole: true };

    it('keeps the order that the acceptor knows', (context) => {
      if (lines === undefined) return context.skip(missing);
      expect(accept(lines, whole)).toEqual({ accepted: true });
    });

    it.for(['text', 'mixed'] as const)(
      'the simulator says the same, frame for frame, in %s frames',
      async (encoding, context) => {
        if (lines === undefined) return context.skip(missing);
        const said = await replay(lines, { ...scriptFor(lines), quirks: { emptyContentEvery: 0 } }, encoding);
        expect(serverFrames(said).map(shapeOf)).toEqual(serverFrames(lines).map(shapeOf));
        expect(meaningOf(serverFrames(said))).toEqual(meaningOf(serverFrames(lines)));
        expect(accept(said, whole)).toEqual({ accepted: true });
      },
    );

    it('with nothing scripted it still makes an answer of the same kinds of frame, in an order that the acceptor knows', async (context) => {
      if (lines === undefined) return context.skip(missing);
      const simulator = await startSimulator({ pace: 'instant', seed: 5, audio: 'brief' });
      try {
        const client = dial(simulator, { setup: false });
        await new Promise((resolve) => client.socket.once('open', resolve));
        const said: WireLine[] = [];
        for (const line of lines.filter(({ from }) => from === 'client')) {
          const frame = line.frame as { setup?: unknown; tool_response?: { functionResponses: { id: string }[] } };
          if (frame.tool_response !== undefined) {
            const called = await client.until((candidate) => candidate.toolCall !== undefined, 'toolCall');
            frame.tool_response.functionResponses[0]!.id = called.toolCall!.functionCalls![0]!.id!;
            said.push(...client.frames.map((seen) => ({ from: 'server' as const, frame: seen })));
            said.push(line);
          }
          client.send(frame);
          if (frame.setup !== undefined) await client.ready();
        }
        const before = said.filter(({ from }) => from === 'server').length;
        await client.until((candidate) => candidate.serverContent?.turnComplete === true, 'turnComplete');
        said.push(...client.frames.slice(before).map((seen) => ({ from: 'server' as const, frame: seen })));
        expect(accept(said, whole)).toEqual({ accepted: true });
        const shapes = new Set(serverFrames(said).map(shapeOf));
        const recorded = new Set(serverFrames(lines).map(shapeOf));
        // The detail of the token counts depends on the modalities of the context; the rest must all be there.
        const withoutUsage = [...recorded].filter((shape) => !shape.includes('usageMetadata'));
        expect(withoutUsage.filter((shape) => !shapes.has(shape) && !/toolCall/.test(shape))).toEqual([]);
        expect([...shapes].some((shape) => shape.includes('toolCall'))).toBe(
          [...recorded].some((shape) => shape.includes('toolCall')),
        );
        await client.close();
      } finally {
        await simulator.close();
      }
    });
  });
});
