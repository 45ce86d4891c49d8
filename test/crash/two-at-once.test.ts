import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { serveOverPort } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, randomId, textOf } from '../../src/contract/index.ts';
import type { CoreClient, PortLike } from '../../src/contract/index.ts';
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

// Found by `node test/crash/main.ts --seed 1`: the archive was marked as up to date by the second question while it had
// nothing of the answer to the first.
it('keeps what was shown of an answer when another question was accepted right before the crash', async () => {
  const { dataDir, env } = await testWorld({ pace: 20 });
  const api = clientOf(await openTestCore(dataDir, env));
  const { id } = await api.sessions.create({});
  const answer = async (client: CoreClient) => (await client.history.page({ sessionId: id })).turns[1];
  await api.turns.send({ sessionId: id, turnId: randomId(), text: 'Count to 500' });
  const shown = await until('part of the answer', async () => {
    const text = textOf((await answer(api)) ?? { parts: [] });
    return text.length > 20 && text;
  });
  await api.turns.send({ sessionId: id, turnId: randomId(), text: 'And then count to 3' });
  // As a crash leaves it at this moment: whatever is on disk, nothing closed.
  const remains = tempDir();
  cpSync(dataDir, remains, { recursive: true });
  rmSync(join(remains, 'lock.db'), { force: true });

  const again = clientOf(await openTestCore(remains, env));
  expect(textOf((await answer(again))!).slice(0, shown.length)).toBe(shown);
});
