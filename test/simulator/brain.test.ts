import { describe, expect, it } from 'vitest';
import type { ServerFrame } from '../../src/simulator/index.ts';
import { hum } from './fixtures/recordings.ts';
import { accept } from './grammar.ts';
import { isTurnComplete, newestHandle, OLD_MODEL, setupFrame, userTurn, wordsOf } from './live-client.ts';
import { virtualServer, type VirtualConnection } from './virtual.ts';

const kinds = (frames: readonly ServerFrame[]): string[] =>
  frames.flatMap((frame) => [
    ...Object.keys(frame).filter((key) => key !== 'serverContent'),
    ...Object.keys(frame.serverContent ?? {}),
  ]);

const since = (connection: VirtualConnection, from: number): readonly ServerFrame[] => connection.frames().slice(from);
const audioTurn = (data: string): unknown => ({ realtimeInput: { audio: { data, mimeType: 'audio/pcm;rate=16000' } } });
const note = (text: string): unknown => ({ clientContent: { turns: [{ role: 'user', parts: [{ text }] }] } });

function begin(options: Parameters<typeof virtualServer>[0] = {}, setup: Record<string, unknown> = {}) {
  const server = virtualServer(options);
  const connection = server.connect();
  connection.setup(setup);
  return { server, connection };
}

describe('an answer', () => {
  it('goes thought, words and sound, generationComplete, turnComplete with usage, handle', () => {
    const { connection } = begin();
    connection.ask('Hello');
    const order = kinds(connection.frames());
    expect(order.slice(0, 4)).toEqual(['setupComplete', 'sessionResumptionUpdate', 'modelTurn', 'outputTranscription']);
    expect(order.slice(-4)).toEqual(['generationComplete', 'usageMetadata', 'turnComplete', 'sessionResumptionUpdate']);
    const lines = connection.frames().map((frame) => ({ from: 'server' as const, frame }));
    expect(accept(lines, { transcribes: true, whole: true })).toEqual({ accepted: true });
  });

  it('loses no character of its text when it is cut into pieces', () => {
    const text = '  Two  spaces,\n\na paragraph — and a tail. \n';
    const { connection } = begin({ script: { answers: [{ match: '', do: { kind: 'say', text } }] } });
    connection.ask('anything');
    expect(wordsOf(connection.frames())).toBe(text);
  });

  it('comes at the pace of speech in real time, and its sound lasts as long as it takes', () => {
    const { connection } = begin({ pace: 'realtime', audio: 'speech' });
    connection.ask('count to 20');
    connection.advance(120_000);
    const timed = connection.actions.filter(({ action }) => action.kind === 'frame');
    const sounds = timed.filter(
      ({ action }) => action.kind === 'frame' && action.frame.serverContent?.modelTurn?.parts?.[0]?.inlineData,
    );
    const bytes = sounds.reduce((sum, { action }) => {
      const data =
        action.kind === 'frame' ? (action.frame.serverContent?.modelTurn?.parts?.[0]?.inlineData?.data ?? '') : '';
      return sum + Buffer.from(data, 'base64').length;
    }, 0);
    const soundMs = (bytes / 2 / 24_000) * 1_000;
    const tookMs = sounds.at(-1)!.at - sounds[0]!.at;
    expect(soundMs).toBeGreaterThan(4_000);
    expect(Math.abs(tookMs - soundMs)).toBeLessThan(500);
  });

  it('takes so many milliseconds a word when told to', () => {
    const { connection } = begin({
      pace: 100,
      script: { answers: [{ match: '', do: { kind: 'say', text: 'one two three four five six' } }] },
    });
    connection.ask('x');
    connection.advance(5_000);
    const words = connection.actions.filter(
      ({ action }) => action.kind === 'frame' && action.frame.serverContent?.outputTranscription,
    );
    expect(words.at(-1)!.at - words[0]!.at).toBeLessThanOrEqual(500);
    expect(words.at(-1)!.at - words[0]!.at).toBeGreaterThanOrEqual(300);
  });

  it('leaves transcription out unless the setup asked for it', () => {
    const { connection } = begin({}, { outputAudioTranscription: undefined });
    connection.ask('Hello');
    expect(kinds(connection.frames())).not.toContain('outputTranscription');
    expect(kinds(connection.frames())).toContain('turnComplete');
  });

  it('is written, without sound, on a model that can write', () => {
    const { connection } = begin({}, { model: OLD_MODEL, generationConfig: { responseModalities: ['TEXT'] } });
    connection.ask('Hello');
    const parts = connection.frames().flatMap((frame) => frame.serverContent?.modelTurn?.parts ?? []);
    expect(parts.some((part) => part.inlineData !== undefined)).toBe(false);
    expect(
      parts
        .filter((part) => part.thought !== true)
        .map((part) => part.text)
        .join(''),
    ).toMatch(/^Hello/);
  });

  it('counts a prompt that grows with the context, by modality', () => {
    const { connection } = begin();
    for (const text of ['Hello', 'Tell me a story', 'Thanks']) connection.ask(text);
    const usages = connection.frames().flatMap((frame) => frame.usageMetadata ?? []);
    const prompts = usages.map((usage) => usage.promptTokenCount!);
    expect(prompts).toEqual(prompts.toSorted((a, b) => a - b));
    expect(prompts[2]! - prompts[1]!).toBeGreaterThan(300);
    expect(usages[1]!.totalTokenCount).toBe(usages[1]!.promptTokenCount! + usages[1]!.responseTokenCount!);
    expect(usages[1]!.responseTokensDetails).toEqual([
      { modality: 'AUDIO', tokenCount: usages[1]!.responseTokenCount },
    ]);
    expect(usages[1]!.thoughtsTokenCount).toBeGreaterThan(0);
  });

  it('has an empty serverContent now and then', () => {
    const { connection } = begin({ script: { quirks: { emptyContentEvery: 2 } } });
    for (const text of ['Hello', 'Hello', 'Hello', 'Hello']) connection.ask(text);
    const empty = connection.frames().filter((frame) => JSON.stringify(frame) === '{"serverContent":{}}');
    expect(empty).toHaveLength(2);
  });

  it('puts fields that usually come apart into one frame when told to', () => {
    const { connection } = begin({ script: { quirks: { coalesce: true } } });
    connection.ask('Hello');
    const keys = connection.frames().map((frame) =>
      Object.keys(frame.serverContent ?? {})
        .toSorted()
        .join('+'),
    );
    expect(keys).toContain('modelTurn+outputTranscription');
    expect(keys).toContain('generationComplete+turnComplete');
    const lines = connection.frames().map((frame) => ({ from: 'server' as const, frame }));
    expect(accept(lines, { transcribes: true, whole: true })).toEqual({ accepted: true });
  });
});

describe('an interruption', () => {
  function speaking() {
    const begun = begin({ pace: 100 });
    begun.connection.ask('Tell me a story');
    begun.connection.advance(2_000);
    return { ...begun, from: begun.connection.frames().length };
  }

  it('by a new turn ends the answer without generationComplete and starts the next', () => {
    const { connection, from } = speaking();
    connection.ask('What is 2 + 2?');
    const before = kinds(since(connection, from)).slice(0, 4);
    expect(before).toEqual(['interrupted', 'usageMetadata', 'turnComplete', 'sessionResumptionUpdate']);
    connection.advance(10_000);
    expect(wordsOf(since(connection, from))).toBe('That is 4.');
    const lines = connection.frames().map((frame) => ({ from: 'server' as const, frame }));
    expect(accept(lines, { transcribes: true, whole: true })).toEqual({ accepted: true });
  });

  it('by context without turnComplete ends the answer and starts none', () => {
    const { connection, from } = speaking();
    connection.send(note('By the way.'));
    connection.advance(60_000);
    expect(kinds(since(connection, from))).toEqual([
      'interrupted',
      'usageMetadata',
      'turnComplete',
      'sessionResumptionUpdate',
    ]);
  });

  it('keeps in memory what was said until then', () => {
    const { server, connection } = speaking();
    const said = wordsOf(connection.frames());
    connection.send(note('Stop.'));
    const contents = server.world.memory.views()[0]!.contents;
    expect(contents.map((content) => content.parts?.[0]?.text)).toEqual(['Tell me a story', said, 'Stop.']);
  });

  it('between generationComplete and turnComplete just ends the turn', () => {
    const { connection } = begin({ pace: 10 });
    connection.ask('Hello');
    while (!kinds(connection.frames()).includes('generationComplete')) connection.advance(1);
    expect(connection.frames().some(isTurnComplete)).toBe(false);
    connection.ask('Hello again');
    connection.advance(60_000);
    expect(kinds(connection.frames())).not.toContain('interrupted');
    expect(connection.frames().filter(isTurnComplete)).toHaveLength(2);
  });

  it('by speech happens as soon as the voice is heard', () => {
    const { connection, from } = speaking();
    connection.send(audioTurn(hum(200, 9_000)));
    expect(kinds(since(connection, from)).slice(0, 1)).toEqual(['interrupted']);
  });

  it('by speech does not happen if the setup forbids it', () => {
    const { connection } = begin({ pace: 100 }, { realtimeInputConfig: { activityHandling: 'NO_INTERRUPTION' } });
    connection.ask('Tell me a story');
    connection.advance(2_000);
    connection.send(audioTurn(hum(200, 9_000)));
    connection.send({ realtimeInput: { audioStreamEnd: true } });
    connection.advance(120_000);
    expect(kinds(connection.frames())).not.toContain('interrupted');
    expect(connection.frames().filter(isTurnComplete)).toHaveLength(2);
    expect(wordsOf(connection.frames())).toMatch(/whatever the storm takes.*I heard you speak/s);
  });
});

describe('real-time input', () => {
  it('text is answered and remembered as a turn', () => {
    const { server, connection } = begin();
    connection.send({ realtimeInput: { text: 'What is 3 + 4?' } });
    expect(wordsOf(connection.frames())).toBe('That is 7.');
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['What is 3 + 4?']);
  });

  it('text can be overtaken by content', () => {
    const { server, connection } = begin({ script: { quirks: { realtimeTextDelayMs: 50 } } });
    connection.send({ realtimeInput: { text: 'first sent' } });
    connection.ask('second sent');
    connection.advance(100);
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['second sent', 'first sent']);
  });

  it('speech ends after silence; its transcription comes before the answer', () => {
    const { connection } = begin({ script: { hears: ['What is 6 times 7?'] } });
    connection.send(audioTurn(hum(600, 9_000)));
    expect(connection.frames()).toHaveLength(1);
    connection.send(audioTurn(hum(700, 0)));
    const frames = connection.frames();
    expect(frames.map((frame) => frame.serverContent?.inputTranscription?.text ?? '').join('')).toBe(
      ' What is 6 times 7?',
    );
    expect(wordsOf(frames)).toBe('That is 42.');
    const lines = frames.map((frame) => ({ from: 'server' as const, frame }));
    expect(accept(lines, { transcribes: true, whole: true })).toEqual({ accepted: true });
    expect(
      frames.find((frame) => frame.usageMetadata)?.usageMetadata?.promptTokensDetails?.map(({ modality }) => modality),
    ).toEqual(['TEXT', 'AUDIO']);
  });

  it('a short pause within speech does not end it, and quiet room noise is none', () => {
    const { connection } = begin();
    connection.send(audioTurn(hum(5_000, 60)));
    for (const [ms, level] of [
      [400, 9_000],
      [400, 0],
      [400, 9_000],
    ] as const)
      connection.send(audioTurn(hum(ms, level)));
    expect(connection.frames()).toHaveLength(1);
    connection.send({ realtimeInput: { audioStreamEnd: true } });
    expect(wordsOf(connection.frames())).toMatch(/^I heard you speak for 1\.2 seconds/);
  });

  it('reads base64 in the URL-safe alphabet', () => {
    const { connection } = begin();
    const data = hum(600, 9_000).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    connection.send(audioTurn(data));
    connection.send({ realtimeInput: { audioStreamEnd: true } });
    expect(wordsOf(connection.frames())).toMatch(/0\.6 seconds/);
  });

  it('activity marks delimit speech where detection is off, and only there', () => {
    const setup = { realtimeInputConfig: { automaticActivityDetection: { disabled: true } } };
    const { connection } = begin({ script: { hears: ['Hello'] } }, setup);
    connection.send({ realtimeInput: { activityStart: {} } });
    connection.send(audioTurn(hum(300, 0)));
    connection.send({ realtimeInput: { activityEnd: {} } });
    expect(wordsOf(connection.frames())).toMatch(/^Hello/);
    connection.send({ realtimeInput: { audioStreamEnd: true } });
    expect(connection.end()).toMatchObject({ code: 1007 });

    const automatic = begin().connection;
    automatic.send({ realtimeInput: { activityStart: {} } });
    expect(automatic.end()).toMatchObject({ code: 1007 });
  });

  it('refuses sound that is not PCM and pictures that are none', () => {
    const { connection } = begin();
    connection.send({ realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/mpeg' } } });
    expect(connection.end()).toMatchObject({ code: 1007 });
    const other = begin().connection;
    other.send({ realtimeInput: { video: { data: 'AAAA', mimeType: 'text/plain' } } });
    expect(other.end()).toMatchObject({ code: 1007 });
  });
});

describe('tools', () => {
  const tools = [
    {
      functionDeclarations: [
        {
          name: 'open_valve',
          parameters: { type: 'OBJECT', properties: { valve_number: { type: 'INTEGER' } }, required: ['valve_number'] },
        },
      ],
    },
  ];
  const idOf = (connection: VirtualConnection): string =>
    connection.frames().findLast((frame) => frame.toolCall)!.toolCall!.functionCalls![0]!.id!;
  const respond = (id: string, extra: Record<string, unknown> = {}): unknown => ({
    toolResponse: { functionResponses: [{ id, name: 'open_valve', response: { output: 'Open.' }, ...extra }] },
  });

  it('are called, waited for, and their result is told', () => {
    const { server, connection } = begin({}, { tools, model: OLD_MODEL });
    connection.ask('Please open valve 3');
    const call = connection.frames().find((frame) => frame.toolCall)!.toolCall!.functionCalls![0]!;
    expect(call).toMatchObject({ name: 'open_valve', args: { valve_number: 3 } });
    expect(connection.frames().some(isTurnComplete)).toBe(false);
    connection.send(respond(call.id!));
    expect(wordsOf(connection.frames())).toContain('Open.');
    expect(connection.frames().some(isTurnComplete)).toBe(true);
    expect(server.world.memory.views()[0]!.contents.map((content) => Object.keys(content.parts![0]!)[0])).toEqual([
      'text',
      'functionCall',
      'functionResponse',
      'text',
    ]);
  });

  it('keep argument names as they were declared, underscores and all', () => {
    const { connection } = begin({}, { tools });
    connection.ask('open valve 8');
    expect(connection.frames().find((frame) => frame.toolCall)!.toolCall!.functionCalls![0]!.args).toEqual({
      valve_number: 8,
    });
  });

  it('that block are cancelled by a new turn; a late response is ignored', () => {
    const { connection } = begin({}, { tools, model: OLD_MODEL });
    connection.ask('open valve 3');
    const id = idOf(connection);
    const from = connection.frames().length;
    connection.ask('What is 1 + 1?');
    expect(kinds(since(connection, from)).slice(0, 4)).toEqual([
      'toolCallCancellation',
      'interrupted',
      'usageMetadata',
      'turnComplete',
    ]);
    expect(since(connection, from)[0]!.toolCallCancellation).toEqual({ ids: [id] });
    connection.send(respond(id));
    expect(connection.end()).toBeUndefined();
  });

  it('that do not block outlive a new turn, and their result comes when idle', () => {
    const { connection } = begin({}, { tools });
    connection.ask('open valve 3');
    const id = idOf(connection);
    connection.ask('What is 1 + 1?');
    expect(kinds(connection.frames())).not.toContain('toolCallCancellation');
    const from = connection.frames().length;
    connection.send(respond(id));
    expect(wordsOf(since(connection, from))).toContain('Open.');
  });

  it('WHEN_IDLE waits for the running answer, INTERRUPT ends it, SILENT says nothing', () => {
    for (const [scheduling, interrupted] of [
      ['WHEN_IDLE', false],
      ['INTERRUPT', true],
    ] as const) {
      const { connection } = begin({ pace: 50 }, { tools });
      connection.ask('open valve 3');
      connection.advance(200);
      connection.ask('Tell me a story');
      connection.advance(1_000);
      const from = connection.frames().length;
      connection.send(respond(idOf(connection), { scheduling }));
      expect(kinds(since(connection, from)).includes('interrupted')).toBe(interrupted);
      connection.advance(120_000);
      expect(wordsOf(since(connection, from))).toMatch(/Open\.$/);
    }
    const { connection } = begin({}, { tools });
    connection.ask('open valve 3');
    connection.send(respond(idOf(connection), { scheduling: 'SILENT' }));
    expect(wordsOf(connection.frames())).toBe('');
    expect(connection.frames().some(isTurnComplete)).toBe(true);
  });

  it('answer for a call that this connection never made, or twice: 1008', () => {
    const { connection } = begin({}, { tools });
    connection.send(respond('function-call-of-another-connection'));
    expect(connection.end()).toMatchObject({
      code: 1008,
      reason: 'Operation is not implemented, or supported, or enabled.',
    });
    const twice = begin({}, { tools }).connection;
    twice.ask('open valve 3');
    twice.send(respond(idOf(twice)));
    twice.send(respond(idOf(twice)));
    expect(twice.end()).toMatchObject({ code: 1008 });
  });

  it('answer without an id: 1007', () => {
    const { connection } = begin({}, { tools });
    connection.ask('open valve 3');
    connection.send({ toolResponse: { functionResponses: [{ name: 'open_valve', response: {} }] } });
    expect(connection.end()).toMatchObject({ code: 1007 });
  });

  it('can be replaced by contextUpdate on a newer model; an older one closes', () => {
    const { connection } = begin();
    connection.send({ contextUpdate: { tools: { tools } } });
    connection.ask('open valve 3');
    expect(kinds(connection.frames())).toContain('toolCall');
    const other = begin({}, { model: OLD_MODEL }).connection;
    other.send({ contextUpdate: { systemInstruction: { parts: [{ text: 'x' }] } } });
    expect(other.end()).toMatchObject({ code: 1007 });
  });
});

describe('memory behind handles', () => {
  it('knows the conversation after a resume', () => {
    const { server, connection } = begin();
    connection.ask('My name is Ines.');
    const handle = newestHandle(connection.frames());
    connection.leave();
    const next = server.connect();
    next.setup({ sessionResumption: { handle } });
    next.ask('What is my name?');
    expect(wordsOf(next.frames())).toBe('Your name is Ines.');
    expect(server.world.memory.views()).toHaveLength(1);
  });

  it('an older handle restores an older memory; what came after it is gone', () => {
    const { server, connection } = begin();
    connection.ask('one');
    const older = newestHandle(connection.frames());
    connection.ask('two');
    const newer = newestHandle(connection.frames());
    connection.leave();
    const back = server.connect();
    back.setup({ sessionResumption: { handle: older } });
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['one']);
    back.ask('three');
    back.leave();
    const forward = server.connect();
    forward.setup({ sessionResumption: { handle: newer } });
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['one', 'two']);
  });

  it('a turn that was being answered when the line broke is not in the handle, and its answer never continues', () => {
    const { server, connection } = begin({ pace: 100 });
    connection.ask('one');
    connection.advance(60_000);
    const handle = newestHandle(connection.frames());
    connection.ask('Tell me a story');
    connection.advance(1_000);
    connection.leave();
    const next = server.connect();
    next.setup({ sessionResumption: { handle } });
    next.advance(60_000);
    expect(kinds(next.frames())).toEqual(['setupComplete']);
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['one']);
  });

  it('an interrupted turn is followed by a handle that predates the turn which interrupted it', () => {
    const { server, connection } = begin({ pace: 100 });
    connection.ask('Tell me a story');
    connection.advance(1_000);
    connection.ask('What is 1 + 1?');
    const handle = newestHandle(connection.frames());
    connection.leave();
    server.connect().setup({ sessionResumption: { handle } });
    expect(server.world.memory.views()[0]!.userTurns).toEqual(['Tell me a story']);
  });

  it('while generating nothing is resumable', () => {
    const { connection } = begin({ pace: 100 });
    connection.ask('Tell me a story');
    expect(connection.frames().at(-1)).toEqual({ sessionResumptionUpdate: { resumable: false } });
  });

  it('sends no handles to a setup that did not ask, unless scripted', () => {
    const { connection } = begin({}, { sessionResumption: undefined });
    connection.ask('Hello');
    expect(kinds(connection.frames())).not.toContain('sessionResumptionUpdate');
    const unrequested = begin(
      { script: { handles: { unrequested: true } } },
      { sessionResumption: undefined },
    ).connection;
    unrequested.ask('Hello');
    expect(newestHandle(unrequested.frames())).not.toBe('');
  });

  it('refuses an unknown and an expired handle as a bad argument, or as scripted', () => {
    const { server, connection } = begin({ script: { handles: { lifetimeMs: 1_000 } } });
    connection.ask('Hello');
    const handle = newestHandle(connection.frames());
    connection.leave();
    connection.advance(1_001);
    const late = server.connect();
    late.setup({ sessionResumption: { handle } });
    expect(late.end()).toMatchObject({ code: 1007, reason: 'Request contains an invalid argument.' });
    server.world.setScript({ handles: { refusal: { like: 'notFound' } } });
    const wrong = server.connect();
    wrong.setup({ sessionResumption: { handle: 'made-up' } });
    expect(wrong.end()).toMatchObject({ code: 1008, reason: 'Requested entity was not found.' });
  });

  it('keeps a handle for two hours by default', () => {
    const { server, connection } = begin();
    connection.ask('Hello');
    const handle = newestHandle(connection.frames());
    connection.leave();
    connection.advance(7_200_000);
    const inTime = server.connect();
    inTime.setup({ sessionResumption: { handle } });
    expect(inTime.end()).toBeUndefined();
    inTime.leave();
    inTime.advance(1);
    const late = server.connect();
    late.setup({ sessionResumption: { handle } });
    expect(late.end()).toMatchObject({ code: 1007 });
  });

  it('closes with 1011 while the old connection of the session still stands, and lets in once it is gone', () => {
    const { server, connection } = begin();
    connection.ask('Hello');
    const handle = newestHandle(connection.frames());
    const eager = server.connect();
    eager.setup({ sessionResumption: { handle } });
    expect(eager.end()).toMatchObject({ code: 1011 });
    expect(connection.end()).toBeUndefined();
    connection.leave();
    const patient = server.connect();
    patient.setup({ sessionResumption: { handle } });
    expect(patient.end()).toBeUndefined();
  });

  it('does not change the model of a session', () => {
    const { server, connection } = begin();
    connection.ask('Hello');
    connection.leave();
    const other = server.connect();
    other.setup({ model: OLD_MODEL, sessionResumption: { handle: newestHandle(connection.frames()) } });
    expect(other.end()).toMatchObject({ code: 1007 });
  });

  it('refuses transparent resumption with a key; elsewhere it counts client messages from the setup, anew on each connection', () => {
    const refused = begin({}, { sessionResumption: { transparent: true } }).connection;
    expect(refused.end()).toMatchObject({ code: 1007 });
    const { server, connection } = begin({ flavour: 'vertex' }, { sessionResumption: { transparent: true } });
    connection.send(note('context'));
    connection.ask('Hello');
    const indexOf = (from: VirtualConnection): unknown =>
      from.frames().findLast((frame) => frame.sessionResumptionUpdate)?.sessionResumptionUpdate
        ?.lastConsumedClientMessageIndex;
    expect(indexOf(connection)).toBe('2');
    connection.leave();
    const next = server.connect();
    next.setup({ sessionResumption: { transparent: true, handle: newestHandle(connection.frames()) } });
    next.ask('Hello');
    expect(indexOf(next)).toBe('1');
  });

  it('slides where compression is asked for, and closes where the window is full without it', () => {
    const long = 'word '.repeat(4_000);
    const { server, connection } = begin(
      {},
      { contextWindowCompression: { triggerTokens: 12_000, slidingWindow: { targetTokens: 6_000 } } },
    );
    for (let at = 0; at < 5; at += 1) connection.ask(`${at} ${long}`);
    const turns = server.world.memory.views()[0]!.userTurns;
    expect(turns.length).toBeLessThan(4);
    expect(turns.at(-1)).toMatch(/^4 /);
    const full = begin().connection;
    full.ask('word '.repeat(110_000));
    expect(full.end()).toMatchObject({ code: 1007 });
  });
});

describe('what may be sent when', () => {
  it('history given without turnComplete counts as conversation', () => {
    const { connection } = begin();
    connection.send(note('My favourite tree is the larch.'));
    connection.ask('What is my favourite tree?');
    expect(wordsOf(connection.frames())).toBe('Your favourite tree is the larch.');
  });

  it('gemini-3.1 takes announced history, answers it with nothing, and closes on content after that', () => {
    const model = 'models/gemini-3.1-flash-live-preview';
    const { connection } = begin({}, { model, historyConfig: { initialHistoryInClientContent: true } });
    connection.send(note('My name is Ines.'));
    connection.send({ realtimeInput: { text: 'What is my name?' } });
    expect(kinds(connection.frames())).toEqual(['setupComplete']);
    connection.send({ clientContent: { turnComplete: true } });
    expect(wordsOf(connection.frames())).toBe('Your name is Ines.');
    connection.ask('And now?');
    expect(connection.end()).toMatchObject({ code: 1007 });

    const unannounced = begin({}, { model }).connection;
    unannounced.ask('Hello');
    expect(unannounced.end()).toMatchObject({ code: 1007 });
  });

  it.each([
    ['a first frame that is no setup', [userTurn('Hello')]],
    ['a second setup', [setupFrame(), setupFrame()]],
    ['an unknown key', [setupFrame(), { weather: {} }]],
    ['two keys in a frame', [setupFrame(), { clientContent: { turnComplete: true }, realtimeInput: { text: 'x' } }]],
    ['no key', [setupFrame(), {}]],
    ['an unknown key inside', [setupFrame(), { clientContent: { turns: [], turnComplete: true, mood: 'good' } }]],
    ['turns that are no list', [setupFrame(), { clientContent: { turns: { parts: [] } } }]],
    ['an unknown role', [setupFrame(), { clientContent: { turns: [{ role: 'system', parts: [] }] } }]],
    ['words that are not JSON', [setupFrame(), '{"clientContent":']],
    ['a list', [setupFrame(), '[]']],
    ['a setup with an unknown field', [setupFrame({ mood: 'good' })]],
    ['thinkingConfig on gemini-3.8', [setupFrame({ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } })]],
    ['affective dialog on gemini-3.8', [setupFrame({ generationConfig: { enableAffectiveDialog: true } })]],
    ['proactiveAudio off on gemini-3.8', [setupFrame({ proactivity: { proactiveAudio: false } })]],
    ['written answers from gemini-3.8', [setupFrame({ generationConfig: { responseModalities: ['TEXT'] } })]],
    ['two modalities', [setupFrame({ model: OLD_MODEL, generationConfig: { responseModalities: ['TEXT', 'AUDIO'] } })]],
  ])('%s: 1007', (_, frames) => {
    const connection = virtualServer().connect();
    for (const frame of frames) connection.send(frame);
    expect(connection.end()).toEqual({ kind: 'close', code: 1007, reason: 'Request contains an invalid argument.' });
  });

  it('what gemini-3.8 refuses, an older model takes', () => {
    const { connection } = begin(
      {},
      {
        model: OLD_MODEL,
        generationConfig: { thinkingConfig: {}, enableAffectiveDialog: true },
        proactivity: { proactiveAudio: false },
      },
    );
    expect(kinds(connection.frames())).toEqual(['setupComplete']);
  });

  it('anything before setupComplete: 1007', () => {
    const { connection } = begin({ script: { quirks: { setupDelayMs: 100 } } });
    connection.ask('Hello');
    expect(connection.end()).toMatchObject({ code: 1007 });
  });

  it('both spellings of a key mean the same', () => {
    const server = virtualServer();
    const connection = server.connect();
    connection.send({
      setup: {
        model: 'models/gemini-3.8-live',
        output_audio_transcription: {},
        session_resumption: {},
        generation_config: { response_modalities: ['AUDIO'] },
      },
    });
    connection.send({
      client_content: { turns: [{ role: 'user', parts: [{ text: 'What is 1 + 2?' }] }], turn_complete: true },
    });
    expect(wordsOf(connection.frames())).toBe('That is 3.');
    expect(newestHandle(connection.frames())).not.toBe('');
  });
});

describe('the life of a connection', () => {
  it('gemini-3.8: exactly 58 minutes, no goAway, 1011', () => {
    const { connection } = begin();
    connection.advance(58 * 60_000 - 1);
    expect(connection.end()).toBeUndefined();
    connection.advance(1);
    expect(connection.end()).toMatchObject({ code: 1011 });
    expect(kinds(connection.frames())).toEqual(['setupComplete']);
  });

  it('older models: goAway at 9:00 with 50s left, 1008 after that', () => {
    const { connection } = begin({}, { model: OLD_MODEL });
    connection.advance(540_000 - 1);
    expect(connection.frames()).toHaveLength(1);
    connection.advance(1);
    expect(connection.frames()[1]).toEqual({ goAway: { timeLeft: '50s' } });
    connection.ask('Hello');
    expect(wordsOf(connection.frames())).toMatch(/^Hello/);
    connection.advance(49_999);
    expect(connection.end()).toBeUndefined();
    connection.advance(1);
    expect(connection.end()).toMatchObject({
      code: 1008,
      reason: expect.stringContaining('after receiving a GoAway signal') as string,
    });
  });

  it('can fall silent after goAway and still close', () => {
    const script = { lifetime: { connectionMs: 10_000, goAwayBeforeMs: 4_000, silentAfterGoAway: true } };
    const { connection } = begin({ script });
    connection.advance(6_000);
    connection.ask('Hello');
    connection.advance(3_999);
    expect(kinds(connection.frames())).toEqual(['setupComplete', 'goAway']);
    connection.advance(1);
    expect(connection.end()).toMatchObject({ code: 1008, reason: 'The operation was aborted.' });
  });

  it('a session without compression has so much audio and no more, if scripted', () => {
    const script = { lifetime: { sessionAudioMs: 60_000 } };
    const { connection } = begin({ script });
    connection.ask('Write 400 words');
    expect(connection.end()).toMatchObject({ code: 1008 });
    const compressed = begin({ script }, { contextWindowCompression: { slidingWindow: {} } }).connection;
    compressed.ask('Write 400 words');
    expect(compressed.end()).toBeUndefined();
  });

  it('does nothing more after its end', () => {
    const { connection } = begin();
    connection.send({ weather: {} });
    const count = connection.actions.length;
    connection.ask('Hello');
    connection.advance(4_000_000);
    expect(connection.actions).toHaveLength(count);
  });
});

describe('determinism', () => {
  it('the same seed and the same frames give the same run, to the millisecond', () => {
    const run = (): unknown => {
      const { connection } = begin({ pace: 70, audio: 'speech' });
      connection.ask('Tell me a story');
      connection.advance(3_000);
      connection.ask('count to 30');
      connection.advance(60_000);
      return connection.actions;
    };
    expect(run()).toEqual(run());
  });
});
