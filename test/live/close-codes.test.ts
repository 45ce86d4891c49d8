import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveOverPort } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, randomId, textOf } from '../../src/contract/index.ts';
import type { CoreClient, LinkState, PortLike, ProblemCode, Turn } from '../../src/contract/index.ts';
import type { Core } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import type { ScriptInput } from '../../src/simulator/index.ts';
import { openTestCore, testWorld } from '../support/core.ts';
import { until } from '../support/wait.ts';

type Action = NonNullable<ScriptInput['rules']>[number]['do'];
type CloseName = Extract<Action, { kind: 'close' }>['like'] & string;

function clientOf(core: Core): CoreClient {
  const { port1, port2 } = new MessageChannel();
  serveOverPort(core.router, port2 as unknown as ServerPort, silentLog);
  const connection = connectOverPort(port1 as unknown as PortLike);
  onTestFinished(() => connection.close());
  return connection.client;
}

/** Ends that a link comes back from by itself: at once, or after a moment. */
const PASSING: readonly (readonly [string, Action])[] = [
  ...(['cancelled', 'aborted', 'goAwayIgnored', 'deadline', 'internal', 'unavailable'] as const).map(
    (like) => [`close ${like}`, { kind: 'close', like }] as const,
  ),
  ['close 1000 without a word', { kind: 'close', code: 1000, reason: '' }],
  ['close 1001', { kind: 'close', code: 1001, reason: '' }],
  ['close 1012', { kind: 'close', code: 1012, reason: '' }],
  ['close 1013', { kind: 'close', code: 1013, reason: '' }],
  ['close 4711 of an unknown kind', { kind: 'close', code: 4711, reason: 'Something new' }],
  ['1006: the end of the stream', { kind: 'drop' }],
  ['1006: a reset', { kind: 'drop', reset: true }],
  ['1006: half a frame', { kind: 'drop', midFrame: true }],
];

/** Ends that say something that only the user can mend. */
const FATAL: readonly (readonly [CloseName, ProblemCode])[] = [
  ['keyInvalid', 'key_invalid'],
  ['keyExpired', 'key_expired'],
  ['regionUnsupported', 'region_unsupported'],
  ['notFound', 'model_not_found'],
  ['modelNotFound', 'model_not_found'],
  ['quota', 'quota_exceeded'],
];

/** Ends of which a single one is survived, since it may have been the handle or the frame. */
const REFUSALS = ['invalidArgument', 'notSupported'] as const;

async function talk(script: ScriptInput) {
  const { dataDir, env, simulator } = await testWorld({ script });
  const api = clientOf(await openTestCore(dataDir, env));
  const { id } = await api.sessions.create({});
  const turns = async () => (await api.history.page({ sessionId: id })).turns;
  return {
    api,
    simulator,
    turns,
    async send(text: string): Promise<string> {
      const turnId = randomId();
      await api.turns.send({ sessionId: id, turnId, text });
      return turnId;
    },
    link: async (): Promise<LinkState> => (await api.sessions.get({ sessionId: id })).link,
    reconnect: () => api.links.reconnect({ sessionId: id }),
    answer: (turnId: string): Promise<Turn> =>
      until('an answer', async () =>
        (await turns()).findLast(({ replyTo, status }) => replyTo === turnId && status === 'complete'),
      ),
  };
}

/** Names are told and asked for, so that an answer shows what the server knows. */
async function knowsTheName({ send, answer }: Awaited<ReturnType<typeof talk>>): Promise<void> {
  expect(textOf(await answer(await send('What is my name?')))).toContain('Ada');
}

describe('a real socket that ends with', () => {
  it.each(PASSING)('%s between turns: the conversation goes on', async (_name, fault) => {
    const world = await talk({ rules: [{ when: { event: 'handle', connection: 1 }, do: fault }] });
    await world.answer(await world.send('Hello, my name is Ada'));
    await knowsTheName(world);
    expect(world.simulator.connections.length).toBe(2);
  });

  it.each(PASSING)('%s when a question has come: it is answered, once', async (_name, fault) => {
    const world = await talk({ rules: [{ when: { event: 'turn', connection: 1, turn: 2 }, do: fault }] });
    await world.answer(await world.send('Hello, my name is Ada'));
    await knowsTheName(world);
    const answers = (await world.turns()).filter(({ role }) => role === 'model');
    expect(answers.map(({ status }) => status)).toEqual(['complete', 'complete']);
  });

  it.each(PASSING)('%s in the setup: what was written is answered', async (_name, fault) => {
    const world = await talk({ rules: [{ when: { event: 'setup', connection: { to: 2 } }, do: fault }] });
    await world.answer(await world.send('Hello, my name is Ada'));
    await knowsTheName(world);
  });

  it.each(FATAL)('close %s: the user is told, nothing is dialled, and what was written is kept', async (like, code) => {
    const world = await talk({
      rules: [{ when: { event: 'ready', connection: { from: 2 } }, do: { kind: 'close', like } }],
    });
    await world.answer(await world.send('Hello, my name is Ada'));
    world.simulator.dropAll();
    const turnId = await world.send('What is my name?');
    const link = await until('the link to need the user', async () => {
      const found = await world.link();
      return found.kind === 'needs-you' && found;
    });
    expect(link.problem).toMatchObject({ code, retry: 'user' });
    const dials = world.simulator.connections.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(world.simulator.connections.length).toBe(dials);
    expect((await world.turns()).find(({ id }) => id === turnId)).toMatchObject({ status: 'queued' });
    world.simulator.setScript({});
    await world.reconnect();
    expect(textOf(await world.answer(turnId))).toContain('Ada');
  });

  it.each(REFUSALS)('close %s at a question on a resumed connection: a lower rung answers it', async (like) => {
    const world = await talk({
      rules: [{ when: { event: 'input', connection: 2 }, do: { kind: 'close', like } }],
    });
    await world.answer(await world.send('Hello, my name is Ada'));
    await world.reconnect();
    await knowsTheName(world);
  });

  it.each(REFUSALS)('close %s at every setup: the user is told after a few tries', async (like) => {
    const world = await talk({ rules: [{ when: { event: 'setup' }, do: { kind: 'close', like } }] });
    const turnId = await world.send('Hello, my name is Ada');
    const link = await until('the link to need the user', async () => {
      const found = await world.link();
      return found.kind === 'needs-you' && found;
    });
    expect(link.problem.code).toBe('setup_rejected');
    expect(world.simulator.connections.length).toBeLessThan(8);
    world.simulator.setScript({});
    await world.reconnect();
    await world.answer(turnId);
  });
});

describe('an upgrade that is refused with', () => {
  it.each([500, 502, 503, 504])('%i is tried again until it is taken', async (status) => {
    const world = await talk({
      rules: [{ when: { event: 'dial', connection: { to: 2 } }, do: { kind: 'refuse', status } }],
    });
    await world.answer(await world.send('Hello, my name is Ada'));
    await knowsTheName(world);
  });

  it.each([
    [400, 'key_invalid'],
    [401, 'key_invalid'],
    [403, 'key_invalid'],
    [404, 'model_not_found'],
    [429, 'quota_exceeded'],
  ] as const)('%i is the user’s to mend: %s', async (status, code) => {
    const world = await talk({ rules: [{ when: { event: 'dial' }, do: { kind: 'refuse', status } }] });
    const turnId = await world.send('Hello, my name is Ada');
    const link = await until('the link to need the user', async () => {
      const found = await world.link();
      return found.kind === 'needs-you' && found;
    });
    expect(link.problem).toMatchObject({ code, context: { httpStatus: status } });
    world.simulator.setScript({});
    await world.reconnect();
    await world.answer(turnId);
  });

  it('a body that names the reason is read: a wrong region is not a wrong key', async () => {
    const body = JSON.stringify({ error: { message: 'User location is not supported for the API use.' } });
    const world = await talk({ rules: [{ when: { event: 'dial' }, do: { kind: 'refuse', status: 400, body } }] });
    await world.send('Hello');
    const link = await until('the link to need the user', async () => {
      const found = await world.link();
      return found.kind === 'needs-you' && found;
    });
    expect(link.problem.code).toBe('region_unsupported');
  });
});
