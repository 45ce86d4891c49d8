import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closes,
  cutReason,
  startSimulator,
  type CloseName,
  type ScriptInput,
  type Simulator,
} from '../../src/simulator/index.ts';
import {
  dial,
  isReady,
  isTurnComplete,
  newestHandle,
  nextHandle,
  OLD_MODEL,
  wordsOf,
  type DialOptions,
  type LiveClient,
} from './live-client.ts';

type Rule = NonNullable<ScriptInput['rules']>[number];
type Action = Rule['do'];
type When = Rule['when'];

let simulator: Simulator;
afterEach(() => simulator.close());

async function serve(rules: readonly Rule[], script: ScriptInput = {}): Promise<void> {
  simulator = await startSimulator({
    pace: 'instant',
    audio: 'brief',
    seed: 11,
    script: { ...script, rules: [...rules] },
  });
}

async function withFault(when: When, action: Action, options: DialOptions = {}): Promise<LiveClient> {
  await serve([{ when, do: action }]);
  return dial(simulator, options);
}

const contentFrames = (client: LiveClient): number =>
  client.frames.filter((frame) => frame?.serverContent?.modelTurn ?? frame?.serverContent?.outputTranscription).length;

describe('every ending of the close table reaches the client as it is', () => {
  it.each(Object.keys(closes) as CloseName[])('%s', async (name) => {
    const client = await withFault({ event: 'turn' }, { kind: 'close', like: name });
    await client.ready();
    client.ask('Hello');
    expect(await client.ending).toEqual({ code: closes[name].code, reason: cutReason(closes[name].reason) });
    expect(simulator.connections[0]!.end).toEqual({
      by: 'server',
      code: closes[name].code,
      reason: cutReason(closes[name].reason),
    });
  });

  it('1006: none, the connection is just gone', async () => {
    const client = await withFault({ event: 'turn' }, { kind: 'drop' });
    await client.ready();
    client.ask('Hello');
    expect(await client.ending).toEqual({ code: 1006, reason: '' });
  });

  it('any other code and reason', async () => {
    const client = await withFault({ event: 'ready' }, { kind: 'close', code: 4321, reason: 'Because.' });
    expect(await client.ending).toEqual({ code: 4321, reason: 'Because.' });
  });

  it('quota comes after setupComplete and is cut at 123 bytes', async () => {
    const client = await withFault({ event: 'ready' }, { kind: 'close', like: 'quota' });
    const { code, reason } = await client.ending;
    expect(client.frames.some(isReady)).toBe(true);
    expect(code).toBe(1011);
    expect(Buffer.byteLength(reason)).toBe(123);
    expect(reason).toMatch(/^You exceeded your current quota/);
  });

  it('an unknown model closes with its name', async () => {
    await serve([]);
    const client = dial(simulator, { setup: { model: 'models/gemini-1.0' } });
    expect(await client.ending).toEqual({
      code: 1008,
      reason: 'models/gemini-1.0 is not found for API version v1beta, or is not supported for bidiGenerateContent.',
    });
  });
});

describe('a drop strikes', () => {
  it('before the upgrade is answered', async () => {
    const client = await withFault({ event: 'dial' }, { kind: 'drop' });
    expect((await client.ending).code).toBe(1006);
    expect(simulator.connections[0]).toMatchObject({ state: 'refused', serverFrames: 0 });
  });

  it('after the upgrade, before the setup is read', async () => {
    const client = await withFault({ event: 'open' }, { kind: 'drop' });
    expect((await client.ending).code).toBe(1006);
    expect(client.frames).toHaveLength(0);
  });

  it('between setup and setupComplete', async () => {
    const client = await withFault({ event: 'setup' }, { kind: 'drop' });
    expect((await client.ending).code).toBe(1006);
    expect(client.frames).toHaveLength(0);
    expect(simulator.connections[0]!.frames).toHaveLength(1);
  });

  it('after setupComplete', async () => {
    const client = await withFault({ event: 'ready' }, { kind: 'drop' });
    expect((await client.ending).code).toBe(1006);
    expect(client.frames).toHaveLength(1);
  });

  it.each([1, 2, 5])('after frame %i of an answer', async (nth) => {
    const client = await withFault({ event: 'delta', nth }, { kind: 'drop' });
    await client.ready();
    client.ask('Tell me a story');
    expect((await client.ending).code).toBe(1006);
    expect(contentFrames(client)).toBe(nth);
  });

  it('after generationComplete, before turnComplete and without a handle for the turn', async () => {
    const client = await withFault({ event: 'generated' }, { kind: 'drop' });
    await client.ready();
    client.ask('Hello');
    expect((await client.ending).code).toBe(1006);
    expect(client.frames.at(-1)).toEqual({ serverContent: { generationComplete: true } });
  });

  it('after turnComplete, before the handle', async () => {
    const client = await withFault({ event: 'turnComplete' }, { kind: 'drop' });
    await client.ready();
    client.ask('Hello');
    await client.ending;
    expect(client.frames.some(isTurnComplete)).toBe(true);
    expect(() => newestHandle(client.frames)).toThrow();
  });

  it('in the middle of a frame', async () => {
    const client = await withFault({ event: 'delta', nth: 2 }, { kind: 'drop', midFrame: true });
    await client.ready();
    client.ask('Tell me a story');
    expect((await client.ending).code).toBe(1006);
    expect(contentFrames(client)).toBe(2);
    expect(client.frames.every((frame) => frame !== undefined)).toBe(true);
  });

  it('with a TCP reset', async () => {
    const client = await withFault({ event: 'turn' }, { kind: 'drop', reset: true });
    await client.ready();
    // ws keeps the reset to itself; only the socket below it can tell.
    const { _socket: socket } = client.socket as unknown as { _socket: Socket };
    const error = new Promise<Error>((resolve) => socket.once('error', resolve));
    client.ask('Hello');
    expect((await error).message).toContain('ECONNRESET');
    expect((await client.ending).code).toBe(1006);
  });

  it('some time after an event', async () => {
    const client = await withFault({ event: 'ready', afterMs: 60 }, { kind: 'drop' });
    await client.ready();
    const at = performance.now();
    await client.ending;
    expect(performance.now() - at).toBeGreaterThan(40);
  });

  it('when a client frame arrives, before it has any effect', async () => {
    const client = await withFault({ event: 'input', nth: 2 }, { kind: 'drop' });
    await client.ready();
    await client.talk('Hello');
    client.ask('Are you there?');
    expect((await client.ending).code).toBe(1006);
    expect(simulator.sessions()[0]!.userTurns).toEqual(['Hello']);
  });
});

describe('the upgrade', () => {
  it.each([
    [401, '{"error":{"code":401,"message":"API key not valid."}}'],
    [403, 'Forbidden'],
    [429, ''],
    [503, 'busy'],
  ])('can be refused with HTTP %i and a body', async (status, body) => {
    const client = await withFault(
      { event: 'dial' },
      { kind: 'refuse', status, body, headers: { 'Retry-After': '7' } },
    );
    expect(await client.refusal).toEqual({ status, body });
    expect(simulator.connections[0]!.state).toBe('refused');
  });

  it('can never be answered', async () => {
    const client = await withFault({ event: 'dial' }, { kind: 'silence' });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(client.socket.readyState).toBe(0);
    expect(simulator.connections[0]!.state).toBe('dialling');
    client.socket.terminate();
  });

  it('can take its time', async () => {
    const at = performance.now();
    const client = await withFault({ event: 'dial' }, { kind: 'delay', ms: 80 });
    await client.ready();
    expect(performance.now() - at).toBeGreaterThan(75);
  });
});

describe('silence', () => {
  it('from the start: accepts and never speaks', async () => {
    const client = await withFault({ event: 'open' }, { kind: 'silence' });
    await new Promise((resolve) => client.socket.once('open', resolve));
    expect(await client.quietFor(80)).toBe(true);
    expect(client.frames).toHaveLength(0);
    expect(client.socket.readyState).toBe(1);
  });

  it('in the middle of an answer', async () => {
    const client = await withFault({ event: 'delta', nth: 3 }, { kind: 'silence' });
    await client.ready();
    client.ask('Tell me a story');
    await client.until(() => contentFrames(client) === 3, 'third frame');
    expect(await client.quietFor(80)).toBe(true);
    client.ask('Hello?');
    expect(await client.quietFor(50)).toBe(true);
    expect(client.socket.readyState).toBe(1);
  });

  it('for a while: what was said meanwhile is lost, what comes later is heard', async () => {
    const client = await withFault({ event: 'turn', nth: 1 }, { kind: 'silence', forMs: 60 });
    await client.ready();
    client.ask('What is 1 + 1?');
    expect(await client.quietFor(90)).toBe(true);
    expect(await client.talk('What is 2 + 2?')).toBe('That is 4.');
  });

  it('after goAway', async () => {
    const client = await withFault(
      { event: 'ready' },
      { kind: 'goAway', timeLeftMs: 100, thenSilent: true, thenClose: false },
    );
    await client.until((frame) => frame.goAway !== undefined, 'goAway');
    client.ask('Hello');
    expect(await client.quietFor(150)).toBe(true);
    expect(client.socket.readyState).toBe(1);
  });

  it('delay holds everything back and loses nothing', async () => {
    const client = await withFault({ event: 'turn' }, { kind: 'delay', ms: 80 });
    await client.ready();
    const from = client.frames.length;
    client.ask('What is 1 + 1?');
    expect(await client.quietFor(50)).toBe(true);
    await client.until(isTurnComplete, 'turnComplete');
    expect(wordsOf(client.frames.slice(from))).toBe('That is 2.');
  });
});

describe('goAway', () => {
  it('tells the time left and then closes', async () => {
    const client = await withFault({ event: 'ready' }, { kind: 'goAway', timeLeftMs: 80 });
    const frame = await client.until((candidate) => candidate.goAway !== undefined, 'goAway');
    expect(frame.goAway).toEqual({ timeLeft: '0.08s' });
    expect(await client.talk('What is 1 + 1?')).toBe('That is 2.');
    expect(await client.ending).toEqual({ code: 1008, reason: cutReason(closes.goAwayIgnored.reason) });
  });

  it('comes by the lifetime of a connection, and a resumed connection lives anew', async () => {
    await serve([], { lifetime: { connectionMs: 250, goAwayBeforeMs: 100 } });
    const client = dial(simulator);
    await client.ready();
    await client.talk('My name is Ines.');
    await client.until((candidate) => candidate.goAway !== undefined, 'goAway');
    expect((await client.ending).code).toBe(1008);
    const next = dial(simulator, { setup: { sessionResumption: { handle: newestHandle(client.frames) } } });
    await next.ready();
    expect(await next.talk('What is my name?')).toBe('Your name is Ines.');
    expect((await next.ending).code).toBe(1008);
  });
});

describe('handles', () => {
  async function handleAfter(text: string): Promise<string> {
    const client = dial(simulator);
    await client.ready();
    await client.talk(text);
    const handle = await nextHandle(client);
    await client.close();
    return handle;
  }
  const resume = (handle: string, extra: Record<string, unknown> = {}): LiveClient =>
    dial(simulator, { setup: { sessionResumption: { handle }, ...extra } });

  it('can be refused on resuming connections alone', async () => {
    await serve([{ when: { event: 'setup' }, do: { kind: 'refuseHandle' }, times: 1 }]);
    const handle = await handleAfter('Hello');
    expect(await resume(handle).ending).toEqual(closes.invalidArgument);
    await resume(handle).ready();
  });

  it('can be refused in other words', async () => {
    await serve([
      {
        when: { event: 'setup' },
        do: { kind: 'refuseHandle', code: 1008, reason: 'BidiGenerateContent session not found' },
      },
    ]);
    const handle = await handleAfter('Hello');
    expect(await resume(handle).ending).toEqual({ code: 1008, reason: 'BidiGenerateContent session not found' });
  });

  it('can be poisoned: it connects, then dies with 1007 at the next input, on every connection', async () => {
    await serve([{ when: { event: 'handle', connection: 1 }, do: { kind: 'poisonHandle' } }]);
    const handle = await handleAfter('Hello');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const client = resume(handle);
      await client.ready();
      client.ask('Are you there?');
      expect(await client.ending).toEqual(closes.invalidArgument);
    }
  });

  it('can be poisoned at the setup that uses it, and stay so', async () => {
    await serve([{ when: { event: 'setup', resuming: true }, do: { kind: 'poisonHandle' }, times: 1 }]);
    const handle = await handleAfter('Hello');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const client = resume(handle);
      await client.ready();
      client.send({ realtimeInput: { text: 'x' } });
      expect((await client.ending).code).toBe(1007);
    }
    const fresh = dial(simulator);
    await fresh.ready();
    expect(await fresh.talk('What is 1 + 1?')).toBe('That is 2.');
  });

  it('can be deaf: the transcription of what it hears arrives and no answer', async () => {
    await serve([{ when: { event: 'handle', connection: 1 }, do: { kind: 'poisonHandle', mode: 'deaf' } }], {
      hears: ['Hello there'],
    });
    const handle = await handleAfter('Hello');
    const client = resume(handle, { realtimeInputConfig: { automaticActivityDetection: { disabled: true } } });
    await client.ready();
    client.send({ realtimeInput: { activityStart: {} } });
    client.send({ realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/pcm;rate=16000' } } });
    client.send({ realtimeInput: { activityEnd: {} } });
    await client.until((frame) => frame.serverContent?.inputTranscription !== undefined, 'inputTranscription');
    client.ask('Hello?');
    expect(await client.quietFor(80)).toBe(true);
    expect(client.frames.every((frame) => frame.serverContent?.outputTranscription === undefined)).toBe(true);
    expect(client.socket.readyState).toBe(1);
  });

  it('can all be forgotten', async () => {
    await serve([{ when: { event: 'handle' }, do: { kind: 'forgetHandles' } }]);
    expect(await resume(await handleAfter('Hello')).ending).toEqual(closes.invalidArgument);
  });

  it('can come unasked, with and without a handle', async () => {
    await serve([
      { when: { event: 'ready' }, do: { kind: 'offerHandle' } },
      { when: { event: 'ready' }, do: { kind: 'offerHandle', resumable: false } },
    ]);
    const client = dial(simulator, { setup: { sessionResumption: undefined } });
    await client.until((frame) => frame.sessionResumptionUpdate?.resumable === false, 'update');
    const updates = client.frames.flatMap((frame) => frame.sessionResumptionUpdate ?? []);
    expect(updates).toEqual([{ newHandle: expect.any(String) as string, resumable: true }, { resumable: false }]);
  });

  it('opened while the old connection stands closes with 1011; after closing it, it opens', async () => {
    await serve([]);
    const client = dial(simulator);
    await client.ready();
    await client.talk('Hello');
    const handle = await nextHandle(client);
    expect((await resume(handle).ending).code).toBe(1011);
    await client.close();
    await resume(handle).ready();
  });

  it('work right after the client closed, and right after it broke off', async () => {
    await serve([]);
    let handle = await handleAfter('one');
    for (const leave of ['close', 'terminate'] as const) {
      const client = resume(handle);
      await client.ready();
      await client.talk(leave);
      handle = await nextHandle(client);
      client.socket[leave]();
      await client.ending;
      const next = resume(handle);
      await next.ready();
      await next.talk('on');
      handle = await nextHandle(next);
      await next.close();
    }
    expect(simulator.sessions()[0]!.userTurns).toEqual(['one', 'close', 'on', 'terminate', 'on']);
  });

  it('a resumed model may greet again, and replay transcription from the checkpoint', async () => {
    await serve([
      { when: { event: 'ready', resuming: true }, do: { kind: 'replay' } },
      { when: { event: 'ready', resuming: true }, do: { kind: 'greet', text: 'Hello again.' } },
    ]);
    const handle = await handleAfter('What is 1 + 1?');
    const client = resume(handle);
    await client.until(isTurnComplete, 'turnComplete');
    expect(client.frames[1]!.serverContent).toEqual({ inputTranscription: { text: 'What is 1 + 1?' } });
    expect(client.frames[2]!.serverContent).toEqual({ outputTranscription: { text: 'That is 2.' } });
    expect(wordsOf(client.frames.slice(3))).toBe('Hello again.');
  });
});

describe('frames that no server should send', () => {
  it.each([
    ['notJson', 2],
    ['notUtf8', 1],
    ['empty', 2],
    ['wrongTypes', 15],
    ['unknownKeys', 3],
    ['deep', 1],
    ['huge', 1],
  ] as const)('%s: they arrive, and the connection goes on', async (variant, count) => {
    const client = await withFault({ event: 'ready' }, { kind: 'garbage', variant, size: 100_000 });
    await client.ready();
    expect(await client.talk('What is 1 + 1?')).toBe('That is 2.');
    const usual = client.frames.findIndex((frame) => frame?.sessionResumptionUpdate?.resumable === false);
    expect(usual).toBe(1 + count);
    if (variant === 'huge') expect(JSON.stringify(client.frames[1]).length).toBeGreaterThan(100_000);
  });

  it('a frame of the script’s own', async () => {
    const client = await withFault(
      { event: 'ready' },
      { kind: 'send', frame: { serverContent: { waitingForInput: true } } },
    );
    await client.until((frame) => frame.serverContent?.waitingForInput === true, 'frame');
  });
});

describe('answers by script', () => {
  it('what to say to what', async () => {
    await serve([], {
      answers: [
        { match: '^ping', do: { kind: 'say', text: 'pong' } },
        { match: 'exact', do: { kind: 'say', pieces: ['a', 1, ' b', 2], thought: 'Hm.' } },
      ],
    });
    const client = dial(simulator);
    await client.ready();
    expect(await client.talk('PING please')).toBe('pong');
    const from = client.frames.length;
    expect(await client.talk('exact')).toBe('a b');
    const content = client.frames.slice(from).flatMap((frame) => frame.serverContent ?? []);
    const order = content.map(
      ({ modelTurn, outputTranscription }) =>
        outputTranscription?.text ?? (modelTurn?.parts?.[0]?.thought ? 'T' : modelTurn ? '*' : '.'),
    );
    expect(order.join('')).toBe('Ta* b**..');
    expect(await client.talk('What is 1 + 1?')).toBe('That is 2.');
  });

  it('a rule for one turn of one connection goes before the answers', async () => {
    await serve([{ when: { event: 'turn', nth: 2, connection: 1 }, do: { kind: 'say', text: 'second' } }], {
      answers: [{ match: '', do: { kind: 'say', text: 'any' } }],
    });
    const client = dial(simulator);
    await client.ready();
    expect([await client.talk('x'), await client.talk('x'), await client.talk('x')]).toEqual(['any', 'second', 'any']);
  });

  it('tool calls, their cancellation, and what is said afterwards', async () => {
    await serve([], {
      answers: [
        {
          match: 'weather',
          do: {
            kind: 'call',
            meanwhile: 'Let me look.',
            calls: [{ name: 'weather', args: { place: 'Graz' }, id: 'w1' }],
            thenSay: { text: 'Sunny.' },
          },
        },
        { match: 'cancel', do: { kind: 'call', calls: [{ name: 'weather', id: 'w2' }], cancelAfterMs: 40 } },
      ],
    });
    const client = dial(simulator, { setup: { model: OLD_MODEL } });
    await client.ready();
    client.ask('How is the weather?');
    const call = await client.until((frame) => frame.toolCall !== undefined, 'toolCall');
    expect(call.toolCall).toEqual({ functionCalls: [{ name: 'weather', args: { place: 'Graz' }, id: 'w1' }] });
    expect(wordsOf(client.frames)).toBe('Let me look.');
    client.send({ toolResponse: { functionResponses: [{ id: 'w1', name: 'weather', response: { output: 'sun' } }] } });
    await client.until(isTurnComplete, 'turnComplete');
    expect(wordsOf(client.frames)).toBe('Let me look.Sunny.');
    client.ask('cancel');
    const cancelled = await client.until((frame) => frame.toolCallCancellation !== undefined, 'cancellation');
    expect(cancelled.toolCallCancellation).toEqual({ ids: ['w2'] });
  });

  it('a call that outlives its connection: the response closes with 1008', async () => {
    await serve([
      { when: { event: 'turn', connection: 1, nth: 2 }, do: { kind: 'call', calls: [{ name: 'weather', id: 'w1' }] } },
      { when: { event: 'toolCall' }, do: { kind: 'drop' } },
    ]);
    const client = dial(simulator);
    await client.ready();
    await client.talk('Hello');
    const handle = await nextHandle(client);
    client.ask('weather');
    await client.ending;
    const next = dial(simulator, { setup: { sessionResumption: { handle } } });
    await next.ready();
    next.send({ toolResponse: { functionResponses: [{ id: 'w1', name: 'weather', response: {} }] } });
    expect(await next.ending).toEqual(closes.notSupported);
  });

  it('cancelCalls strikes on its own', async () => {
    await serve([
      { when: { event: 'turn' }, do: { kind: 'call', calls: [{ name: 'weather', id: 'w1' }] } },
      { when: { event: 'toolCall', afterMs: 20 }, do: { kind: 'cancelCalls' } },
    ]);
    const client = dial(simulator);
    await client.ready();
    client.ask('x');
    await client.until((frame) => frame.toolCallCancellation !== undefined, 'cancellation');
  });

  it('what is heard in speech', async () => {
    await serve([{ when: { event: 'speech' }, do: { kind: 'hear', text: [' What is', ' 2 + 3?'] } }]);
    const client = dial(simulator, {
      setup: { realtimeInputConfig: { automaticActivityDetection: { disabled: true } } },
    });
    await client.ready();
    client.send({ realtimeInput: { activityStart: {} } });
    client.send({ realtimeInput: { activityEnd: {} } });
    await client.until(isTurnComplete, 'turnComplete');
    expect(client.frames.flatMap((frame) => frame.serverContent?.inputTranscription?.text ?? [])).toEqual([
      ' What is',
      ' 2 + 3?',
    ]);
    expect(wordsOf(client.frames)).toBe('That is 5.');
  });

  it.each([
    ['turnComplete', 'turnComplete'],
    ['generationComplete', 'generationComplete'],
    ['usage', 'usageMetadata'],
    ['transcription', 'outputTranscription'],
    ['audio', 'inlineData'],
    ['thought', 'thought'],
    ['handle', 'newHandle'],
  ] as const)('%s can be left out', async (what, key) => {
    const client = await withFault({ event: 'turn' }, { kind: 'omit', what: [what] });
    await client.ready();
    client.ask('Hello');
    await client.until((frame) => frame.serverContent?.generationComplete === true || isTurnComplete(frame), 'end');
    await client.quietFor(40);
    expect(JSON.stringify(client.frames)).not.toContain(`"${key}"`);
  });
});

describe('a burst', () => {
  it('sends as many deltas as asked, at once', async () => {
    const client = await withFault({ event: 'turn' }, { kind: 'burst', count: 20_000, size: 5 });
    await client.ready();
    client.ask('x');
    await client.until(isTurnComplete, 'turnComplete');
    const deltas = client.frames.filter((frame) => frame.serverContent?.outputTranscription !== undefined);
    expect(deltas).toHaveLength(20_000);
    expect(deltas[0]!.serverContent!.outputTranscription!.text).toHaveLength(5);
  });

  it('keeps a rate', async () => {
    const client = await withFault({ event: 'turn' }, { kind: 'burst', count: 400, perSecond: 2_000 });
    await client.ready();
    const at = performance.now();
    client.ask('x');
    await client.until(isTurnComplete, 'turnComplete');
    const tookMs = performance.now() - at;
    expect(tookMs).toBeGreaterThan(180);
    expect(tookMs).toBeLessThan(1_500);
  });

  it('can be interrupted', async () => {
    const client = await withFault({ event: 'turn', nth: 1 }, { kind: 'burst', count: 1_000_000, perSecond: 1_000 });
    await client.ready();
    client.ask('x');
    await client.until((frame) => frame.serverContent?.outputTranscription !== undefined, 'delta');
    const from = client.frames.length;
    client.ask('What is 1 + 1?');
    await client.until((frame) => frame.serverContent?.generationComplete === true, 'answer', from);
    expect(wordsOf(client.frames)).toMatch(/That is 2\.$/);
  });
});

describe('when rules strike', () => {
  it('on a range of connections, by the user’s words, and only so often', async () => {
    await serve([
      { when: { event: 'dial', connection: { from: 2, to: 3 } }, do: { kind: 'refuse', status: 503 } },
      { when: { event: 'delta', nth: 1, text: 'break' }, do: { kind: 'close', like: 'internal' }, times: 1 },
    ]);
    const first = dial(simulator);
    await first.ready();
    expect((await dial(simulator).refusal).status).toBe(503);
    expect((await dial(simulator).refusal).status).toBe(503);
    const fourth = dial(simulator);
    await fourth.ready();
    expect(await fourth.talk('What is 1 + 1?')).toBe('That is 2.');
    fourth.ask('Please break');
    expect((await fourth.ending).code).toBe(1011);
    await first.talk('Please break');
  });

  it('by a script that is changed while connections are open', async () => {
    await serve([]);
    const client = dial(simulator);
    await client.ready();
    await client.talk('Hello');
    simulator.setScript({ rules: [{ when: { event: 'turn' }, do: { kind: 'close', like: 'deadline' } }] });
    client.ask('Hello');
    expect(await client.ending).toEqual(closes.deadline);
    expect(() =>
      simulator.setScript({ rules: [{ when: { event: 'turn' }, do: { kind: 'refuse', status: 500 } }] }),
    ).toThrow(/strikes at dial only/);
  });
});
