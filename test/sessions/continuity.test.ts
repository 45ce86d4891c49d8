import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveOverPort } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, randomId, textOf } from '../../src/contract/index.ts';
import type { CoreClient, PortLike, Turn } from '../../src/contract/index.ts';
import { openCore } from '../../src/core.ts';
import type { Core } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import { openTestCore, testWorld } from '../support/core.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

function clientOf(core: Core): CoreClient {
  const { port1, port2 } = new MessageChannel();
  serveOverPort(core.router, port2 as unknown as ServerPort, silentLog);
  const connection = connectOverPort(port1 as unknown as PortLike);
  onTestFinished(() => connection.close());
  return connection.client;
}

const turnsOf = async (api: CoreClient, sessionId: string) => (await api.history.page({ sessionId })).turns;

async function answerTo(api: CoreClient, sessionId: string, turnId: string, status: Turn['status'] = 'complete') {
  return until(`an answer that is ${status}`, async () =>
    (await turnsOf(api, sessionId)).findLast((turn) => turn.replyTo === turnId && turn.status === status),
  );
}

async function ask(api: CoreClient, sessionId: string, text: string): Promise<Turn> {
  const turnId = randomId();
  await api.turns.send({ sessionId, turnId, text });
  return answerTo(api, sessionId, turnId);
}

/** A data directory as a crash would leave it: whatever was on disk at this moment, and nothing closed. */
function asAfterCrash(dataDir: string): string {
  const copy = tempDir();
  cpSync(dataDir, copy, { recursive: true });
  rmSync(join(copy, 'lock.db'), { force: true });
  return copy;
}

const userWords = (simulator: { sessions(): readonly unknown[] }) => JSON.stringify(simulator.sessions());

describe('a conversation', () => {
  it('is there after a restart, word for word, and goes on where it was', async () => {
    const { dataDir, env, simulator } = await testWorld();
    const first = await openTestCore(dataDir, env);
    const before = clientOf(first);
    const { id } = await before.sessions.create({});
    await ask(before, id, 'Hello, my name is Ada');
    const kept = await turnsOf(before, id);
    await first.close();

    const after = clientOf(await openTestCore(dataDir, env));
    expect(await turnsOf(after, id)).toEqual(kept);
    expect((await after.sessions.list({})).sessions).toMatchObject([{ id, title: 'Hello, my name is Ada' }]);
    const answer = await ask(after, id, 'What is my name?');
    expect(textOf(answer)).toContain('Ada');
    expect((await after.sessions.get({ sessionId: id })).link).toMatchObject({ kind: 'live', restored: 'resumed' });
    expect(simulator.sessions()).toHaveLength(1);
  });

  it('is rebuilt from its history when the server no longer knows the handle', async () => {
    const { dataDir, env, simulator } = await testWorld();
    const core = await openTestCore(dataDir, env);
    const api = clientOf(core);
    const { id } = await api.sessions.create({});
    await ask(api, id, 'Hello, my name is Grace');
    await core.close();
    simulator.setScript({ rules: [{ when: { event: 'setup' }, do: { kind: 'refuseHandle' } }] } as never);

    const again = clientOf(await openTestCore(dataDir, env));
    expect(textOf(await ask(again, id, 'What is my name?'))).toContain('Grace');
    expect((await again.sessions.get({ sessionId: id })).link).toMatchObject({ kind: 'live', restored: 'rebuilt' });
  });

  it('keeps what had arrived when the connection is lost in mid-answer, says so, and goes on with it once', async () => {
    const { dataDir, env, simulator } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 200' });
    await until('part of the answer', async () => textOf((await turnsOf(api, id))[1] ?? { parts: [] }).length > 20);
    simulator.dropAll();
    const cut = await answerTo(api, id, turnId, 'interrupted');
    expect(cut.problem).toMatchObject({ code: 'answer_cut', retry: 'user' });
    const rest = await answerTo(api, id, turnId);
    expect(rest.continues).toBe(cut.id);
    const numbers = `${textOf(cut)} ${textOf(rest)}`.match(/\d+/g)?.map(Number);
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect((await turnsOf(api, id)).filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  it('leaves an answer that is cut twice to the user, who can ask again', async () => {
    const { dataDir, env, simulator } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 200' });
    for (const cuts of [1, 2]) {
      await until('an answer under way', async () =>
        (await turnsOf(api, id)).some((turn) => turn.status === 'streaming' && textOf(turn).length > 20),
      );
      simulator.dropAll();
      await until('the cut', async () => {
        const interrupted = (await turnsOf(api, id)).filter(({ status }) => status === 'interrupted');
        return interrupted.length === cuts;
      });
    }
    await until('the link', async () => (await api.sessions.get({ sessionId: id })).link.kind === 'live' || undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await turnsOf(api, id)).filter(({ role }) => role === 'model')).toHaveLength(2);
    await api.turns.regenerate({ sessionId: id, turnId });
    expect(textOf(await answerTo(api, id, turnId))).toMatch(/\b1\b.*\b200\b/s);
  });

  it('leaves a cut answer to the user where the settings say so, from the next cut on', async () => {
    const { dataDir, env, simulator } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    await api.settings.update({ cutAnswers: 'leave' });
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 200' });
    await until('an answer under way', async () =>
      (await turnsOf(api, id)).some((turn) => turn.status === 'streaming' && textOf(turn).length > 20),
    );
    simulator.dropAll();
    await answerTo(api, id, turnId, 'interrupted');
    expect(textOf(await ask(api, id, 'Count to 3'))).toMatch(/\b3\b/);
    const answers = (await turnsOf(api, id)).filter(({ role }) => role === 'model');
    expect(answers.map(({ status }) => status)).toEqual(['interrupted', 'complete']);
  });

  it('hears each turn once, however fast they come and are answered', async () => {
    const { dataDir, env, simulator } = await testWorld();
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const ids = Array.from({ length: 40 }, randomId);
    const texts = ids.map((_, at) => `Count to ${at + 2}`);
    // Answers come as fast as they can, so that turns are written right into their ends.
    await Promise.all(ids.map((turnId, at) => api.turns.send({ sessionId: id, turnId, text: texts[at]! })));
    await answerTo(api, id, ids.at(-1)!);
    expect(simulator.sessions().flatMap(({ userTurns }) => userTurns)).toEqual(texts);
  });

  it('is not asked twice when it is asked again while its answer comes', async () => {
    const { dataDir, env, simulator } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 60' });
    await until('an answer under way', async () =>
      (await turnsOf(api, id)).some(({ status }) => status === 'streaming'),
    );
    for (let time = 0; time < 3; time += 1) await api.turns.regenerate({ sessionId: id, turnId });
    await answerTo(api, id, turnId);
    expect(simulator.sessions().flatMap(({ userTurns }) => userTurns)).toEqual(['Count to 60']);
    expect((await turnsOf(api, id)).map(({ status }) => status)).toEqual(['answered', 'complete']);
  });

  it('sends a turn again by itself when the connection went before an answer came', async () => {
    const { dataDir, env, simulator } = await testWorld({
      script: { rules: [{ when: { event: 'turn', connection: 1 }, do: { kind: 'drop' } }] },
    });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const answer = await ask(api, id, 'What time is it?');
    expect(answer.status).toBe('complete');
    expect(simulator.connections.length).toBe(2);
    expect(userWords(simulator).match(/What time is it/g)?.length).toBeGreaterThanOrEqual(1);
  });

  it('sends what was written without a connection in order, once there is one', async () => {
    const { dataDir, env, simulator } = await testWorld({
      script: { rules: [{ when: { event: 'dial', connection: { to: 2 } }, do: { kind: 'refuse', status: 503 } }] },
    });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const texts = ['first thing', 'second thing', 'third thing'];
    const ids = texts.map(() => randomId());
    for (const [index, text] of texts.entries()) {
      await api.turns.send({ sessionId: id, turnId: ids[index]!, text });
    }
    for (const turnId of ids) await answerTo(api, id, turnId);
    const heard = simulator.connections
      .flatMap(({ frames }) => frames.map(({ frame }) => JSON.stringify(frame)))
      .flatMap((frame) => texts.filter((text) => frame.includes(text)));
    expect(heard).toEqual(texts);
  });

  it('stops an answer at the word of the user and keeps what had come', async () => {
    const { dataDir, env } = await testWorld({ pace: 5 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 500' });
    await until('part of the answer', async () => textOf((await turnsOf(api, id))[1] ?? { parts: [] }).length > 20);
    await api.turns.stop({ sessionId: id });
    const stopped = await answerTo(api, id, turnId, 'stopped');
    expect(textOf(stopped)).not.toMatch(/\b500\b/);
    expect(textOf(await ask(api, id, 'Count to 3'))).toMatch(/\b3\b/);
  });

  it('survives a crash at any moment of an answer: what was told is there, and the answer is marked as cut', async () => {
    const { dataDir, env } = await testWorld({ pace: 25 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 200' });
    for (let round = 0; round < 5; round += 1) {
      const told = await until('more of the answer', async () => {
        const text = textOf((await turnsOf(api, id))[1] ?? { parts: [] });
        return text.length > 10 + round * 15 && text;
      });
      const again = clientOf(await openTestCore(asAfterCrash(dataDir), env));
      const [question, answer] = await turnsOf(again, id);
      expect(question).toMatchObject({ id: turnId, role: 'user' });
      expect(answer).toMatchObject({ status: 'interrupted', problem: { code: 'answer_cut' } });
      expect(textOf(answer!).startsWith(told)).toBe(true);
    }
  });

  it('goes on by itself after a crash with an answer that was cut, and does not ask again what is answered in part', async () => {
    const { dataDir, env, simulator } = await testWorld({ pace: 25 });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Count to 60' });
    await until('some of the answer, and the live state', async () => {
      const text = textOf((await turnsOf(api, id))[1] ?? { parts: [] });
      return text.length > 30 && readFileSync(join(dataDir, 'live-state.json'), 'utf8').includes(id);
    });
    const again = clientOf(await openTestCore(asAfterCrash(dataDir), env));
    const rest = await answerTo(again, id, turnId);
    const [question, cut] = await turnsOf(again, id);
    expect(question).toMatchObject({ id: turnId, status: 'answered' });
    expect(question).not.toHaveProperty('continues');
    expect(cut).toMatchObject({ status: 'interrupted' });
    expect(rest).toMatchObject({ continues: cut!.id });
    const counted = `${textOf(cut!)} ${textOf(rest)}`.match(/\d+/g)?.map(Number);
    expect(counted).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    // Told once as what was said, then the wish to go on: never asked anew.
    expect(
      simulator
        .sessions()
        .at(-1)!
        .userTurns.map((words) => words.slice(0, 11)),
    ).toEqual(['Count to 60', 'Your last a']);
  });

  it('sends after a crash what had been accepted and not yet sent', async () => {
    const { dataDir, env, simulator } = await testWorld({
      script: { rules: [{ when: { event: 'dial', connection: 1 }, do: { kind: 'silence' } }] },
    });
    const api = clientOf(await openTestCore(dataDir, env));
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Do not lose me' });
    simulator.setScript({});
    const again = clientOf(await openTestCore(asAfterCrash(dataDir), env));
    expect((await answerTo(again, id, turnId)).status).toBe('complete');
  });

  it('tells what only the user can mend, keeps what was written, and sends it by itself once it is mended', async () => {
    const { dataDir, env, simulator } = await testWorld({ apiKeys: ['the-right-key'] });
    const { HOLDFAST_GEMINI_API_KEY: _wrong, ...rest } = env;
    const api = clientOf(await openTestCore(dataDir, rest));
    await api.settings.setApiKey({ key: 'not-the-right-key' });
    const { id } = await api.sessions.create({});
    const turnId = randomId();
    await api.turns.send({ sessionId: id, turnId, text: 'Anyone there?' });
    const link = await until('the link to need the user', async () => {
      const { link: found } = await api.sessions.get({ sessionId: id });
      return found.kind === 'needs-you' && found;
    });
    expect(link.problem.code).toBe('key_invalid');
    expect((await turnsOf(api, id))[0]).toMatchObject({ id: turnId, status: 'queued' });
    const dials = simulator.connections.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(simulator.connections.length).toBe(dials);
    await api.settings.setApiKey({ key: 'the-right-key' });
    await answerTo(api, id, turnId);
  });

  it('is gone from every file once it is deleted', async () => {
    const { dataDir, env } = await testWorld();
    const core = await openTestCore(dataDir, env);
    const api = clientOf(core);
    const { id } = await api.sessions.create({});
    await ask(api, id, 'Hello, my name is Xanthippe');
    await api.sessions.delete({ sessionId: id });
    await core.close();
    expect(readdirSync(join(dataDir, 'journal'))).toEqual([]);
    for (const name of readdirSync(dataDir)) {
      const path = join(dataDir, name);
      if (statSync(path).isFile()) expect([name, readFileSync(path).includes('Xanthippe')]).toEqual([name, false]);
    }
    expect(readFileSync(join(dataDir, 'live-state.json'), 'utf8')).not.toContain(id);
    const again = clientOf(await openTestCore(dataDir, env));
    expect((await again.sessions.list({})).sessions).toEqual([]);
  });
});

describe('a data directory', () => {
  async function withConversation() {
    const world = await testWorld();
    const core = await openTestCore(world.dataDir, world.env);
    const api = clientOf(core);
    const { id } = await api.sessions.create({ title: 'Kept' });
    await ask(api, id, 'Hello, my name is Ada');
    await ask(api, id, 'Count to 5');
    const turns = await turnsOf(api, id);
    await core.close();
    return { ...world, id, turns, journal: join(world.dataDir, 'journal', `${id}.jsonl`) };
  }
  const ignoringRev = (turns: readonly Turn[]) => turns.map(({ rev: _rev, ...turn }) => turn);

  it.each(['deleted', 'emptied', 'overwritten'])('shows everything when its archive was %s', async (how) => {
    const { dataDir, env, id, turns } = await withConversation();
    const archive = join(dataDir, 'archive.db');
    if (how === 'deleted') rmSync(archive);
    if (how === 'emptied') writeFileSync(archive, '');
    if (how === 'overwritten') writeFileSync(archive, Buffer.alloc(40_000, 'not a database '));
    const api = clientOf(await openTestCore(dataDir, env));
    expect(await turnsOf(api, id)).toEqual(turns);
    if (how !== 'overwritten') return;
    const { notices } = await api.system.info();
    expect(notices.map(({ problem }) => problem.code)).toContain('state_set_aside');
    expect(readdirSync(dataDir).some((name) => name.startsWith('archive.db.damaged-'))).toBe(true);
  });

  it('shows everything when a journal was deleted, says so, and can be written to', async () => {
    const { dataDir, env, id, turns, journal } = await withConversation();
    rmSync(journal);
    const core = await openTestCore(dataDir, env);
    const api = clientOf(core);
    expect(ignoringRev(await turnsOf(api, id))).toEqual(ignoringRev(turns));
    await ask(api, id, 'Count to 4');
    const all = await turnsOf(api, id);
    expect(all).toHaveLength(6);
    expect((await api.system.info()).notices.map(({ problem }) => problem.code)).toContain('journal_damaged');
    await core.close();
    rmSync(join(dataDir, 'archive.db'));
    const rebuilt = clientOf(await openTestCore(dataDir, env));
    expect(ignoringRev(await turnsOf(rebuilt, id))).toEqual(ignoringRev(all));
  });

  it.each(['cut short', 'bent in the middle'])('loses nothing when a journal was %s', async (how) => {
    const { dataDir, env, id, turns, journal } = await withConversation();
    const bytes = readFileSync(journal);
    if (how === 'cut short') writeFileSync(journal, bytes.subarray(0, Math.floor(bytes.length / 2)));
    else {
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(journal, Buffer.concat([bytes, Buffer.from('{"torn":')]));
    }
    const api = clientOf(await openTestCore(dataDir, env));
    expect(ignoringRev(await turnsOf(api, id))).toEqual(ignoringRev(turns));
    await ask(api, id, 'Count to 4');
    expect(await turnsOf(api, id)).toHaveLength(6);
    expect(readdirSync(join(dataDir, 'journal')).some((name) => name.includes('.set-aside-'))).toBe(true);
  });

  it.each(['null', '[1]', '{"half":', ''])('sets a state file aside that holds %j, and goes on', async (content) => {
    const { dataDir, env, id, turns } = await withConversation();
    writeFileSync(join(dataDir, 'live-state.json'), content);
    writeFileSync(join(dataDir, 'settings.json'), content);
    const api = clientOf(await openTestCore(dataDir, env));
    expect(await turnsOf(api, id)).toEqual(turns);
    const found = readdirSync(dataDir).filter((name) => name.includes('.damaged-'));
    expect(found.toSorted().map((name) => name.split('.damaged-')[0])).toEqual(['live-state.json', 'settings.json']);
    expect((await api.system.info()).notices.map(({ problem }) => problem.code)).toEqual([
      'state_set_aside',
      'state_set_aside',
    ]);
    expect(textOf(await ask(api, id, 'What is my name?'))).toContain('Ada');
  });

  it('is refused to a second process, by name', async () => {
    const { dataDir, env } = await testWorld();
    await openTestCore(dataDir, env, 'desktop');
    await expect(openTestCore(dataDir, env)).rejects.toThrow(
      new RegExp(`Another Holdfast is using .* \\(the desktop host, process ${process.pid}, since .*--data-dir`),
    );
  });

  it('of a newer version is left untouched', async () => {
    const { dataDir, env } = await withConversation();
    const db = new DatabaseSync(join(dataDir, 'archive.db'));
    db.exec('PRAGMA user_version = 9999');
    db.close();
    const before = readFileSync(join(dataDir, 'archive.db'));
    await expect(openTestCore(dataDir, env)).rejects.toThrow(/newer Holdfast/);
    expect(readFileSync(join(dataDir, 'archive.db')).equals(before)).toBe(true);
  });

  it('that cannot be made is one clear sentence', async () => {
    const file = join(tempDir(), 'a-file');
    writeFileSync(file, '');
    const opened = await openCore({
      host: 'browser',
      version: '0',
      dataDir: join(file, 'below'),
      env: {},
      openKeyValueFile: () => expect.fail('Nothing may be opened'),
      secrets: { encrypted: false, get: async () => undefined, set: async () => {}, delete: async () => {} },
      log: silentLog,
    });
    expect(opened).toMatchObject({ ok: false, problem: { code: 'data_dir_unusable' } });
  });
});
