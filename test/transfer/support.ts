import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { serveOverPort } from '../../src/api/index.ts';
import type { ServerPort } from '../../src/api/index.ts';
import { connectOverPort, fetchExport, randomId, toProblem } from '../../src/contract/index.ts';
import type { CoreClient, ExportWish, ImportFile, PortLike, Problem, Turn } from '../../src/contract/index.ts';
import type { Core } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

export function clientOf(core: Core): CoreClient {
  const { port1, port2 } = new MessageChannel();
  serveOverPort(core.router, port2 as unknown as ServerPort, silentLog);
  const connection = connectOverPort(port1 as unknown as PortLike);
  onTestFinished(() => connection.close());
  return connection.client;
}

export async function ask(api: CoreClient, sessionId: string, text: string): Promise<Turn> {
  const turnId = randomId();
  await api.turns.send({ sessionId, turnId, text });
  return until('an answer', async () =>
    (await turnsOf(api, sessionId)).findLast((turn) => turn.replyTo === turnId && turn.status === 'complete'),
  );
}

export const turnsOf = async (api: CoreClient, sessionId: string): Promise<readonly Turn[]> =>
  (await api.history.page({ sessionId, limit: 1000 })).turns;

/** Turns without their place in a journal. */
export const withoutRev = (turns: readonly Turn[]) => turns.map(({ rev: _rev, ...rest }) => rest);

export async function exported(api: CoreClient, wish: ExportWish) {
  const chunks: Uint8Array[] = [];
  const file = await fetchExport(api, wish, { onChunk: (bytes) => void chunks.push(bytes) });
  return { ...file, chunks, bytes: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() };
}

export function fileOf(content: Uint8Array | string, name = 'Conversations.json'): ImportFile {
  const bytes = Buffer.from(content as string);
  return {
    name,
    size: bytes.length,
    read: (start, end) => Promise.resolve(new Uint8Array(bytes.subarray(start, end))),
  };
}

/** A file of our own form with so many conversations of two turns. */
export function fileWith(count: number, prefix = 'made', name?: string): ImportFile {
  return fileOf(JSON.stringify(conversations(count, prefix)), name);
}

export function conversations(count: number, prefix = 'made') {
  return {
    format: 'holdfast-conversations',
    version: 1,
    exportedAt: 1,
    app: 'test',
    conversations: Array.from({ length: count }, (_, at) => ({
      session: {
        id: `${prefix}-${at}`,
        title: `Number ${at}`,
        titled: true,
        status: 'open',
        createdAt: 1_000 + at,
        lastActivityAt: 2_000 + at,
        turnCount: 2,
      },
      turns: [
        {
          id: 'q',
          index: 1,
          role: 'user',
          parts: [{ type: 'text', text: `Question ${at}` }],
          status: 'answered',
          createdAt: 1_000 + at,
        },
        {
          id: 'a',
          index: 2,
          role: 'model',
          parts: [{ type: 'text', text: `Answer ${at}` }],
          status: 'complete',
          createdAt: 2_000 + at,
          replyTo: 'q',
        },
      ],
    })),
  };
}

export async function problemOf(call: Promise<unknown>): Promise<Problem> {
  return call.then(
    () => {
      throw new Error('The call should have failed');
    },
    (error: unknown) => toProblem(error),
  );
}

/** A data directory as a crash would leave it: whatever was on disk at this moment, and nothing closed. */
export function asAfterCrash(dataDir: string): string {
  const copy = tempDir();
  cpSync(dataDir, copy, { recursive: true });
  rmSync(join(copy, 'lock.db'), { force: true });
  return copy;
}

export const journalsOf = (dataDir: string): readonly string[] => readdirSync(join(dataDir, 'journal')).sort();
export const hasLeftovers = (dataDir: string): boolean => existsSync(join(dataDir, 'import'));
