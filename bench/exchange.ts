import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Turn } from '../src/contract/index.ts';
import {
  exportConversations,
  exportFormats,
  fileSource,
  fileTarget,
  importConversations,
} from '../src/exchange/index.ts';
import type { ExportFormat, OutgoingConversation } from '../src/exchange/index.ts';
import { atLeast, atMost, note, printReport, rounded } from './support/measure.ts';

/*
 * Getting 100,000 messages out and in again, as 1,000 conversations and as a single one, beside `JSON.parse` of the
 * whole file. The longest pause of the event loop is what a host that does this in its own thread would be silent for.
 */

const MESSAGES = 100_000;
const TEXT = 'What is said in a message, with "quotes", é and a line\nbreak. '.repeat(12);

async function* conversations(count: number): AsyncGenerator<OutgoingConversation> {
  for (let at = 0; at < count; at += 1) yield conversation(`c${at}`, MESSAGES / count);
}

function conversation(id: string, messages: number): OutgoingConversation {
  async function* turns(): AsyncGenerator<readonly Turn[]> {
    for (let from = 0; from < messages; from += 100) {
      yield Array.from({ length: Math.min(100, messages - from) }, (_, n): Turn => ({
        id: `${id}-${from + n}`,
        sessionId: id,
        index: from + n + 1,
        role: n % 2 === 0 ? 'user' : 'model',
        parts: [{ type: 'text', text: `${id}, ${from + n}: ${TEXT}` }],
        status: n % 2 === 0 ? 'answered' : 'complete',
        createdAt: 1_700_000_000_000 + from + n,
        rev: 0,
      }));
    }
  }
  const session = { titled: true, status: 'closed', createdAt: 1, lastActivityAt: 2, rev: 0 } as const;
  return { session: { ...session, id, title: `Conversation ${id}`, turnCount: messages }, turns: turns() };
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number; pauseMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const value = await work();
  const ms = performance.now() - began;
  // A pause is seen by the timer that comes late because of it.
  await setTimeout(10);
  delay.disable();
  return { value, ms: rounded(ms), pauseMs: rounded(delay.max / 1e6) };
}

async function write(format: ExportFormat, count: number, path: string) {
  const done = await timed(() =>
    exportConversations({
      conversations: conversations(count),
      format,
      layout: 'together',
      target: fileTarget(path),
      head: { exportedAt: 0, app: 'bench' },
    }),
  );
  if (done.value.kind !== 'exported') throw new Error(`The export was ${done.value.kind}`);
  return done;
}

async function read(path: string) {
  const done = { ok: true, value: undefined } as const;
  const source = await fileSource(path);
  const result = await timed(() =>
    importConversations({
      sources: [source],
      sink: {
        begin: () => Promise.resolve(done),
        add: () => Promise.resolve(done),
        commit: () => Promise.resolve(done),
        abort: () => Promise.resolve(),
      },
      known: () => Promise.resolve(undefined),
      now: Date.now,
    }),
  );
  if (result.value.report.turns !== MESSAGES) throw new Error('Not all that went out came in');
  return result;
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
try {
  const figures: Record<string, number> = {};
  for (const format of exportFormats) {
    note(`${MESSAGES} messages as ${format}…`);
    const path = join(folder, `many.${format}`);
    const { ms, pauseMs } = await write(format, 1_000, path);
    figures[`export_${format}_ms`] = ms;
    figures[`export_${format}_pause_ms`] = pauseMs;
    figures[`export_${format}_mb`] = rounded((await stat(path)).size / 1e6);
  }
  note('In again, as 1,000 conversations…');
  const many = await read(join(folder, 'many.json'));
  note('In again, as one…');
  await write('json', 1, join(folder, 'one.json'));
  const one = await read(join(folder, 'one.json'));
  note('The whole file by JSON.parse…');
  const whole = await timed(async () => void JSON.parse(await readFile(join(folder, 'many.json'), 'utf8')));

  printReport({
    bench: 'exchange',
    sizes: { messages: MESSAGES, conversations: 1_000 },
    figures: {
      ...figures,
      import_ms: many.ms,
      import_pause_ms: many.pauseMs,
      import_one_ms: one.ms,
      import_one_pause_ms: one.pauseMs,
      whole_parse_ms: whole.ms,
      whole_parse_pause_ms: whole.pauseMs,
    },
    goals: [
      atLeast('messages a second in', 10_000, rounded((MESSAGES / many.ms) * 1000)),
      atMost('longest pause while importing 1,000 conversations, ms', 100, many.pauseMs),
      atMost('longest pause while exporting HTML, ms', 100, figures['export_html_pause_ms'] ?? null),
    ],
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
