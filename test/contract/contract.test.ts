import { os } from '@orpc/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { MESSAGE_MAX, STREAM_WINDOW, TURN_TEXT_MAX, randomId, textOf, toProblem } from '../../src/contract/index.ts';
import type { CoreClient, CoreConnection, Problem } from '../../src/contract/index.ts';
import { createEventLog } from '../../src/api/index.ts';
import type { Logger } from '../../src/log.ts';
import { openTestCore, testWorld } from '../support/core.ts';
import { mirror } from '../support/mirror.ts';
import { transports } from '../support/transports.ts';
import { until } from '../support/wait.ts';

function recordingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (facts: object, message: string) => void lines.push(`${message} ${JSON.stringify(facts)}`);
  return { lines, debug: write, info: write, warn: write, error: write };
}

async function problemOf(call: Promise<unknown>): Promise<Problem> {
  return call.then(
    () => expect.fail('The call should have failed'),
    (error: unknown) => toProblem(error),
  );
}

describe.each(transports)('the contract over $name', (transport) => {
  async function client(router: Parameters<typeof transport.tie>[0], log?: Logger) {
    const tie = await transport.tie(router, log);
    onTestFinished(() => tie.close());
    return tie;
  }

  async function world(options: Parameters<typeof testWorld>[0] = {}) {
    const made = await testWorld(options);
    const core = await openTestCore(made.dataDir, made.env);
    const tie = await client(core.router);
    return { ...made, core, tie, api: tie.connection.client };
  }

  it('creates, lists, renames, closes, opens and deletes sessions', async () => {
    const { api } = await world();
    const first = await api.sessions.create({ title: 'Zürich — 東京 🗼' });
    const second = await api.sessions.create({});
    expect(first).toMatchObject({ title: 'Zürich — 東京 🗼', titled: true, status: 'open', link: { kind: 'idle' } });
    expect((await api.sessions.list({})).sessions.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    expect(await api.sessions.rename({ sessionId: second.id, title: '  A name ' })).toMatchObject({ title: 'A name' });
    expect(await api.sessions.close({ sessionId: second.id })).toMatchObject({
      status: 'closed',
      link: { kind: 'closed' },
    });
    expect((await api.sessions.list({ status: 'open' })).sessions.map(({ id }) => id)).toEqual([first.id]);
    expect(await api.sessions.open({ sessionId: second.id })).toMatchObject({ status: 'open' });
    await api.sessions.delete({ sessionId: second.id });
    expect((await problemOf(api.sessions.get({ sessionId: second.id }))).code).toBe('session_not_found');
  });

  it('pages through sessions without losing or repeating one', async () => {
    const { api } = await world();
    const ids = await Promise.all(
      Array.from({ length: 25 }, () => api.sessions.create({}).then((session) => session.id)),
    );
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await api.sessions.list({ limit: 4, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.sessions.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it('streams an answer whose deltas add up to what the history has', async () => {
    const { api, tie } = await world();
    const seen = mirror(tie.connection);
    const { id: sessionId } = await api.sessions.create({});
    const turnId = randomId();
    const sent = await api.turns.send({ sessionId, turnId, text: 'Count to 20' });
    expect(sent).toMatchObject({ id: turnId, role: 'user', index: 1 });
    const answer = await until('the answer', () =>
      [...seen.turns.values()].find((turn) => turn.role === 'model' && turn.status === 'complete'),
    );
    const { turns, hasMore } = await api.history.page({ sessionId });
    expect(hasMore).toBe(false);
    expect(turns.map(({ role, status }) => [role, status])).toEqual([
      ['user', 'answered'],
      ['model', 'complete'],
    ]);
    expect(textOf(turns[1]!)).toMatch(/\b1\b.*\b19\b.*\b20\b/s);
    expect(textOf(answer)).toBe(textOf(turns[1]!));
    expect(answer.usage?.totalTokens).toBeGreaterThan(0);
    expect(seen.events.filter(({ type }) => type === 'turn.delta').length).toBeGreaterThan(0);
    expect(seen.gaps).toBe(0);
  });

  it('takes the same turn again without asking twice', async () => {
    const { api, simulator } = await world();
    const { id: sessionId } = await api.sessions.create({});
    const turn = { sessionId, turnId: randomId(), text: 'What time is it?' };
    await Promise.all([api.turns.send(turn), api.turns.send(turn), api.turns.send(turn)]);
    await until('the answer', async () => (await api.history.page({ sessionId })).turns[1]?.status === 'complete');
    expect((await api.turns.send(turn)).status).toBe('answered');
    expect((await api.history.page({ sessionId })).turns).toHaveLength(2);
    const asked = simulator.connections.flatMap(({ frames }) =>
      frames.filter(({ frame }) => JSON.stringify(frame).includes('What time is it?')),
    );
    expect(asked).toHaveLength(1);
  });

  it('answers what two clients do in one core to both, live', async () => {
    const { core, api, tie } = await world();
    const other = await client(core.router);
    const [mine, theirs] = [mirror(tie.connection), mirror(other.connection)];
    await until('both to listen', () => mine.events.length > 0 && theirs.events.length > 0);
    const { id: sessionId } = await api.sessions.create({ title: 'Shared' });
    await other.connection.client.turns.send({ sessionId, turnId: randomId(), text: 'Hello' });
    for (const seen of [mine, theirs]) {
      const answer = await until('the answer', () =>
        [...seen.turns.values()].find((turn) => turn.role === 'model' && turn.status === 'complete'),
      );
      expect(textOf(answer)).not.toBe('');
      expect(seen.gaps).toBe(0);
    }
  });

  it('refuses malformed input by name and goes on', async () => {
    const { api } = await world();
    const { id: sessionId } = await api.sessions.create({});
    const loose = api as unknown as Record<string, Record<string, (input: unknown) => Promise<unknown>>>;
    const wrong: readonly [string, string, unknown][] = [
      ['sessions', 'get', { sessionId: '../../etc/passwd' }],
      ['sessions', 'get', {}],
      ['sessions', 'get', undefined],
      ['sessions', 'rename', { sessionId, title: '   ' }],
      ['sessions', 'rename', { sessionId, title: 'x'.repeat(201) }],
      ['turns', 'send', { sessionId, turnId: 7, text: 'x' }],
      ['turns', 'send', { sessionId, turnId: 'a', text: '' }],
      ['turns', 'send', { sessionId, turnId: 'a', text: 'x'.repeat(TURN_TEXT_MAX + 1) }],
      ['history', 'page', { sessionId, limit: -1 }],
      ['history', 'page', { sessionId, before: 1.5 }],
      ['settings', 'update', { baseUrl: 'javascript:alert(1)' }],
      ['settings', 'update', { model: '../x' }],
      ['settings', 'setApiKey', { key: 'with spaces in it' }],
    ];
    for (const [domain, call, input] of wrong) {
      const problem = await problemOf(loose[domain]![call]!(input));
      expect([domain, call, problem.code]).toEqual([domain, call, 'invalid_input']);
      expect(problem.message).not.toBe('');
    }
    expect((await problemOf(loose['sessions']!['nothing']!({}))).code).toBe('internal');
    expect((await problemOf(loose['nothing']!['get']!({}))).code).toBe('internal');
    expect((await problemOf(api.turns.stop({ sessionId }))).code).toBe('nothing_to_stop');
    expect((await problemOf(api.turns.regenerate({ sessionId, turnId: 'none' }))).code).toBe('turn_not_found');
    expect((await problemOf(api.history.page({ sessionId: 'none' }))).code).toBe('session_not_found');
    expect((await problemOf(api.turns.send({ sessionId: 'none', turnId: 'a', text: 'x' }))).code).toBe(
      'session_not_found',
    );
    expect(await api.sessions.get({ sessionId })).toMatchObject({ id: sessionId });
  });

  it('refuses a message over the limit before it is sent, and keeps the tie', async () => {
    const { api } = await world();
    const { id: sessionId } = await api.sessions.create({});
    const problem = await problemOf(api.turns.send({ sessionId, turnId: 'a', text: 'x'.repeat(MESSAGE_MAX) }));
    expect(problem.code).toBe('too_large');
    expect(await api.sessions.get({ sessionId })).toMatchObject({ id: sessionId });
  });

  it('takes the longest text of the hardest characters that it promises to take', async () => {
    const { api } = await world({
      script: { rules: [{ when: { event: 'turn' }, do: { kind: 'say', text: 'Long.' } }] },
    });
    const { id: sessionId } = await api.sessions.create({});
    const text = '\u0001'.repeat(TURN_TEXT_MAX);
    const turn = await api.turns.send({ sessionId, turnId: 'a', text });
    expect(textOf(turn).length).toBe(TURN_TEXT_MAX);
  });

  it('survives garbage on the wire and logs it without its content', async () => {
    const made = await testWorld();
    const core = await openTestCore(made.dataDir, made.env);
    const log = recordingLog();
    const garbage = [
      'secret words that are no JSON',
      '{}',
      '[]',
      'null',
      '{"i":"1"}',
      '{"i":"1","p":null}',
      '{"i":"1","p":{"u":5}}',
      '{"i":"1","p":{"u":"http://[bad"}}',
      '{"i":"1","p":{"u":"/sessions/list","h":7}}',
      '{"i":"1","t":3,"p":null}',
      '{"i":"1","t":3,"p":{"e":"message"}}',
      '{"i":"1","t":4}',
      '{"i":"1","t":99,"p":{}}',
      '{"i":"1","p":{"u":"/sessions/list","b":{"json":{"limit":"many"},"meta":[[0,"x"]]}}}',
      '{"i":"1","p":{"u":"/sessions/list","b":{"json":{},"meta":[[1,"__proto__","x"]]}}}',
      '\u0000',
    ];
    for (const message of garbage) {
      const tie = await client(core.router, log);
      await tie.connection.client.system.ping();
      tie.sendRaw(message);
      await tie.connection.client.system.ping().catch(() => undefined);
    }
    const after = await client(core.router, log);
    expect(await after.connection.client.sessions.list({})).toEqual({ sessions: [] });
    expect(log.lines.length).toBeGreaterThan(0);
    expect(log.lines.join('\n')).not.toContain('secret words');
  });

  it('carries bytes as bytes, both ways and in streams', async () => {
    const bytes = z.instanceof(Uint8Array);
    const router = {
      flip: os
        .input(z.object({ frame: bytes, note: z.string() }))
        .output(z.object({ frame: bytes }))
        .handler(({ input }) => ({ frame: input.frame.toReversed() })),
      frames: os.handler(async function* () {
        for (let n = 0; n < 3; n += 1) yield { frame: new Uint8Array(n).fill(n) };
      }),
    };
    const tie = await client(router);
    const api = tie.connection.client as unknown as {
      flip(input: object): Promise<{ frame: Uint8Array }>;
      frames(): Promise<AsyncIterable<{ frame: Uint8Array }>>;
    };
    const every = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    const { frame } = await api.flip({ frame: every, note: 'x' });
    expect(frame).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(frame).equals(Buffer.from(every.toReversed()))).toBe(true);
    expect((await api.flip({ frame: new Uint8Array(0), note: '' })).frame).toEqual(new Uint8Array(0));
    const streamed: Uint8Array[] = [];
    for await (const item of await api.frames()) streamed.push(item.frame);
    expect(streamed).toEqual([new Uint8Array(0), new Uint8Array([1]), new Uint8Array([2, 2])]);
  });

  it('begins a new client with a reset and resumes a known one where it was', async () => {
    const { api } = await world();
    await api.sessions.create({ title: 'one' });
    const first = await nextEvents(api, undefined, 1);
    expect(first.events).toEqual([{ type: 'reset' }]);
    await api.sessions.create({ title: 'two' });
    await api.sessions.create({ title: 'three' });
    const missed = await nextEvents(api, first.lastEventId, 2);
    expect(missed.events.map((event) => event.type === 'session.changed' && event.session.title)).toEqual([
      'two',
      'three',
    ]);
    const strange = await nextEvents(api, 'another-run.17', 1);
    expect(strange.events).toEqual([{ type: 'reset' }]);
  });

  it('holds a client that does not acknowledge at the window, and lets it go on when it does', async () => {
    const events = createEventLog({ run: 'r' });
    const tie = await client(streamRouter(events));
    const api = tie.connection.client;
    const abort = new AbortController();
    const stream = await api.events.stream({ streamId: 's' }, { signal: abort.signal });
    const got: string[] = [];
    const reading = (async () => {
      for await (const event of stream) got.push(event.type);
    })().catch(() => undefined);
    await until('the reset', () => got.length === 1);
    for (let n = 0; n < STREAM_WINDOW * 3; n += 1) events.publish({ type: 'session.deleted', sessionId: `s${n}` });
    await until('the window to fill', () => got.length === 1 + STREAM_WINDOW);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(got.length).toBe(1 + STREAM_WINDOW);
    await api.events.ack({ streamId: 's', eventId: `r.${STREAM_WINDOW}` });
    await until('the next window', () => got.length === 1 + STREAM_WINDOW * 2);
    abort.abort();
    await reading;
  });

  it('gives a client that fell too far behind a reset instead of what is no longer held', async () => {
    const events = createEventLog({ run: 'r', heldEvents: STREAM_WINDOW + 10 });
    const tie = await client(streamRouter(events));
    const seen = mirror(tie.connection);
    await until('the first reset', () => seen.events.length === 1);
    for (let n = 0; n < STREAM_WINDOW * 10; n += 1) events.publish({ type: 'session.deleted', sessionId: `s${n}` });
    await until('the second reset', () => seen.events.filter(({ type }) => type === 'reset').length === 2);
    events.publish({ type: 'session.deleted', sessionId: 'last' });
    await until('what comes after', () =>
      seen.events.some((event) => event.type === 'session.deleted' && event.sessionId === 'last'),
    );
    expect(seen.events.length).toBeLessThan(STREAM_WINDOW * 2);
  });

  // Ports live and die with their process: only a socket can be cut and come back.
  if (transport.name !== 'WebSocket') return;

  it('misses nothing when the local socket is cut in mid-answer', async () => {
    const { api, tie } = await world({ pace: 8 });
    const seen = mirror(tie.connection);
    const { id: sessionId } = await api.sessions.create({});
    await api.turns.send({ sessionId, turnId: randomId(), text: 'Count to 200' });
    for (let cuts = 1; cuts <= 3; cuts += 1) {
      const before = seen.events.length;
      await until('some of the answer', () => seen.events.length > before + 5);
      tie.cut!();
    }
    const answer = await until('the whole answer', () =>
      [...seen.turns.values()].find((turn) => turn.role === 'model' && turn.status === 'complete'),
    );
    expect(seen.events.filter(({ type }) => type === 'reset')).toHaveLength(1);
    expect(seen.gaps).toBe(0);
    const { turns } = await api.history.page({ sessionId });
    expect(textOf(answer)).toBe(textOf(turns[1]!));
  });
});

type Stream = Awaited<ReturnType<CoreClient['events']['stream']>>;

async function nextEvents(api: CoreConnection['client'], lastEventId: string | undefined, count: number) {
  const { getEventMeta } = await import('@orpc/client');
  const abort = new AbortController();
  const stream: Stream = await api.events.stream(
    { streamId: randomId() },
    { signal: abort.signal, ...(lastEventId !== undefined && { lastEventId }) },
  );
  const events = [];
  let last: string | undefined;
  for await (const event of stream) {
    events.push(event);
    last = getEventMeta(event)?.id;
    if (events.length === count) break;
  }
  abort.abort();
  return { events, lastEventId: last };
}

function streamRouter(events: ReturnType<typeof createEventLog>) {
  return {
    events: {
      stream: os
        .input(z.object({ streamId: z.string() }))
        .handler(({ input, lastEventId, signal }) => events.follow(input.streamId, lastEventId, signal)),
      ack: os.input(z.object({ streamId: z.string(), eventId: z.string() })).handler(({ input }) => {
        events.ack(input.streamId, input.eventId);
        return {};
      }),
    },
  };
}
