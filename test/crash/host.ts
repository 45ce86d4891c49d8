import './kill-switch.ts';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import Conf from 'conf';
import { serveOverPort } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, followEvents, toProblem } from '../../src/contract/index.ts';
import type { CoreClient, PortLike, Turn } from '../../src/contract/index.ts';
import { openCore } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import { openSecretFile } from '../../src/server/secret-file.ts';
import { HOST_ENV } from './messages.ts';
import type { FromHost, ToHost } from './messages.ts';

/** A host that does what its parent says and tells what came of it, until it is killed. */
const PAGE = 1_000;

const dataDir = process.env[HOST_ENV.dataDir]!;
/** Plants the bug that this test is there to find: a turn counts as accepted before it is on disk. */
const tooEarly = process.env[HOST_ENV.tooEarly] !== undefined;
const tell = (message: FromHost) => process.send?.(message);

const opened = await openCore({
  host: 'browser',
  version: '0.0.0-test',
  dataDir,
  env: process.env,
  secrets: openSecretFile(join(dataDir, 'secrets.json')),
  log: silentLog,
  openKeyValueFile: (name, cwd) =>
    new Conf({ cwd, configName: name, clearInvalidConfig: false, accessPropertiesByDotNotation: false }),
});

if (!opened.ok) {
  tell({ type: 'not-opened', problem: opened.problem });
} else {
  const core = opened.value;
  const { port1, port2 } = new MessageChannel();
  serveOverPort(core.router, port2 as unknown as ServerPort, silentLog);
  const connection = connectOverPort(port1 as unknown as PortLike);
  const { client } = connection;
  let follows = false;
  followEvents(connection, (event) => {
    if (event.type === 'turn.delta') tell({ type: 'delta', delta: event.delta });
    if (follows) return;
    follows = true;
    tell({ type: 'open' });
  });
  process.on('message', (message: ToHost) => {
    if (message.type === 'close') {
      connection.close();
      void core.close().then(() => process.disconnect());
      return;
    }
    carryOut(client, message).catch((error: unknown) =>
      tell({ type: 'refused', what: JSON.stringify(message), problem: toProblem(error) }),
    );
  });
}

async function carryOut(client: CoreClient, message: Exclude<ToHost, { type: 'close' }>): Promise<void> {
  switch (message.type) {
    case 'create':
      await client.sessions.create({ sessionId: message.sessionId });
      tell({ type: 'created', sessionId: message.sessionId });
      return;
    case 'send': {
      const { sessionId, turnId, text } = message;
      if (tooEarly) tell({ type: 'accepted', turnId });
      await client.turns.send({ sessionId, turnId, text });
      tell({ type: 'accepted', turnId });
      return;
    }
    case 'history': {
      const { sessions } = await client.sessions.list({ limit: 500 });
      const histories: Record<string, readonly Turn[]> = {};
      for (const { id } of sessions) {
        histories[id] = (await client.history.page({ sessionId: id, limit: PAGE })).turns;
      }
      const { notices } = await client.system.info();
      tell({ type: 'history', sessions: histories, notices: notices.map(({ problem }) => problem) });
      return;
    }
  }
}

// A process that is killed does not come to write its cache, and three hundred of them start.
if (enableCompileCache(process.env['NODE_COMPILE_CACHE']).directory !== undefined) flushCompileCache();
