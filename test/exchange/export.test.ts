import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { turnStatusSchema } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import type { SessionRecord } from '../../src/archive/index.ts';
import {
  bytesSource,
  conversationsFileSchema,
  exportConversations,
  exportFormats,
  fileTarget,
  folderTarget,
} from '../../src/exchange/index.ts';
import type { ExportFormat, ExportOptions, ExportProgress } from '../../src/exchange/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { SESSION, TURNS } from './samples.ts';
import { importing, memoryTarget, NOW, outgoing } from './support.ts';

type Conversation = { readonly session: SessionRecord; readonly turns: readonly Turn[] };
const TEA: Conversation = { session: SESSION, turns: TURNS };
const HEAD = { exportedAt: NOW, app: '0.1.0', timeZone: 'UTC' };

async function exported(
  format: ExportFormat,
  conversations: readonly Conversation[] = [TEA],
  layout: ExportOptions['layout'] = 'each',
): Promise<ReadonlyMap<string, string>> {
  const target = memoryTarget();
  const outcome = await exportConversations({
    conversations: outgoing(...conversations),
    format,
    layout,
    target,
    head: HEAD,
  });
  expect(outcome.kind).toBe('exported');
  return target.files;
}
const onlyFile = (files: ReadonlyMap<string, string>) => {
  expect(files.size).toBe(1);
  return [...files.values()][0] ?? '';
};

const moment = fc.integer({ min: 0, max: 8.64e15 });
const anyText = fc.string({ unit: 'binary', maxLength: 40 });
/** The contract's own schemas leave out a member named `__proto__`, in a journal as in a file. */
const bag = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  { maxKeys: 3, noNullPrototype: true },
);
const anyPart = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: anyText }),
  fc.record({ type: fc.constant('thought' as const), text: anyText }),
  fc.record(
    {
      type: fc.constant('tool' as const),
      callId: anyText,
      name: anyText,
      args: bag,
      result: bag,
      cancelled: fc.boolean(),
    },
    { requiredKeys: ['type', 'callId', 'name', 'args'] },
  ),
  fc.record({ type: fc.constant('note' as const), note: fc.constantFrom('resumed' as const), turns: fc.nat() }),
);
/** What a file does not bring back as it was is left to tests of its own. */
const ended = turnStatusSchema.options.filter((status) => !['queued', 'sent', 'streaming'].includes(status));
const anyTurn = fc.record(
  {
    role: fc.constantFrom('user' as const, 'model' as const, 'note' as const),
    parts: fc.array(anyPart, { maxLength: 3 }),
    status: fc.constantFrom(...ended),
    createdAt: moment,
    endedAt: moment,
    provider: fc.constantFrom('gemini' as const, 'demo' as const),
    model: anyText,
    usage: fc.record({
      promptTokens: fc.nat(),
      responseTokens: fc.nat(),
      thoughtTokens: fc.nat(),
      totalTokens: fc.nat(),
    }),
    problem: fc.constant(TURNS[4]?.problem),
  },
  { requiredKeys: ['role', 'parts', 'status', 'createdAt'] },
);
const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const anyConversation = fc
  .record({
    id: anyId,
    title: anyText,
    titled: fc.boolean(),
    status: fc.constantFrom('open' as const, 'closed' as const),
    createdAt: moment,
    lastActivityAt: moment,
    turns: fc.array(anyTurn, { maxLength: 6 }),
    ids: fc.uniqueArray(anyId, { minLength: 6, maxLength: 6 }),
  })
  .map(({ turns, ids, ...session }): Conversation => ({
    session: { ...session, turnCount: turns.length, rev: 0 },
    turns: turns.map(
      (turn, at) =>
        ({
          ...turn,
          id: ids[at],
          sessionId: session.id,
          index: at + 1,
          rev: 0,
          ...(turn.role === 'model' && at > 0 && { replyTo: ids[at - 1] }),
          ...(turn.role === 'model' && at > 1 && { continues: ids[at - 2] }),
        }) as Turn,
    ),
  }));

describe('our own JSON', () => {
  it('brings every conversation back exactly as it was', async () => {
    const anyConversations = fc.uniqueArray(anyConversation, { selector: ({ session }) => session.id, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(anyConversations, async (conversations) => {
        const file = onlyFile(await exported('json', conversations, 'together'));
        const imported = await importing([bytesSource('x', Buffer.from(file))]);
        // What was said at the same moments in the same words is the same conversation.
        const said = conversations.map(({ turns }) =>
          JSON.stringify(
            turns.filter(({ role }) => role !== 'note').map((turn) => [turn.role, turn.createdAt, turn.parts]),
          ),
        );
        const expected = conversations.filter((_, at) => said[at] === '[]' || said.indexOf(said[at] ?? '') === at);
        expect(imported.conversations.map(({ session, turns }) => ({ session, turns }))).toEqual(expected);
        expect(imported.report.partly).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is as its schema says, with nothing of the moment in it', async () => {
    const file = JSON.parse(onlyFile(await exported('json'))) as {
      conversations: { session: object; turns: object[] }[];
    };
    expect(conversationsFileSchema.parse(file)).toEqual(file);
    expect(Object.keys(file)).toEqual(['format', 'version', 'exportedAt', 'app', 'conversations']);
    const [conversation] = file.conversations;
    expect(conversation?.session).toEqual({ ...SESSION, rev: undefined });
    expect(conversation?.turns[1]).toEqual({ ...TURNS[1], sessionId: undefined, rev: undefined });
  });

  it('does not bring back what was waiting as something still to be sent', async () => {
    const turns = (['queued', 'sent', 'streaming'] as const).map((status, at): Turn => ({
      ...(TURNS[0] as Turn),
      id: `t${at}`,
      index: at + 1,
      status,
    }));
    const file = onlyFile(await exported('json', [{ session: { ...SESSION, turnCount: 3 }, turns }]));
    const imported = await importing([bytesSource('x', Buffer.from(file))]);
    expect(imported.conversations[0]?.turns.map(({ status }) => status)).toEqual(['failed', 'failed', 'interrupted']);
    expect(imported.report.items[0]).toMatchObject({ outcome: 'partly', leftOut: { unfinished: 3 } });
  });
});

describe('what people read', () => {
  it('Markdown has each turn under its speaker, and its code and tools fenced', async () => {
    expect(onlyFile(await exported('markdown'))).toMatchInlineSnapshot(`
      "# Tea & "biscuits" \\<now\\>

      _2026-10-03 14:05_

      ## You · 2026-10-03 14:06

      How long does **green tea** steep?
      At \`80 °C\` — & how much?

      ## gemini-3.8-live · 2026-10-03 14:07

      > **Thoughts**
      >
      > The user asks about tea.

      > **Tool** kettle
      >
      > \`\`\`json
      > {
      >   "celsius": 80,
      >   "<b>": "x"
      > }
      > \`\`\`
      >
      > **Result**
      >
      > \`\`\`json
      > {
      >   "ok": true
      > }
      > \`\`\`

      Two minutes.

      \`\`\`js
      steep({ minutes: 2 });
      \`\`\`

      Not longer: it turns **bitter**.

      _A new connection was told the conversation again (2 turns)._

      ## You · 2026-10-03 14:09

      ماذا عن الشاي الأسود؟ 👩‍👩‍👧‍👦

      ## demo · 2026-10-03 14:10

      Four min

      _Interrupted: The connection was lost._

      ---

      _Exported from Holdfast 0.1.0 on 2026-11-21 09:00._
      "
    `);
  });

  it('plain text has the words as they are', async () => {
    expect(onlyFile(await exported('text'))).toMatchInlineSnapshot(`
      "========================================================================
      Tea & "biscuits" <now>
      2026-10-03 14:05
      ========================================================================

      You, 2026-10-03 14:06:
      How long does **green tea** steep?
      At \`80 °C\` — & how much?

      Model, 2026-10-03 14:07:
      [Thoughts]
      The user asks about tea.
      [End of thoughts]
      [Tool kettle]
      {
        "celsius": 80,
        "<b>": "x"
      }
      Result: {
        "ok": true
      }
      Two minutes.

      \`\`\`js
      steep({ minutes: 2 });
      \`\`\`

      Not longer: it turns **bitter**.

      (A new connection was told the conversation again (2 turns).)

      You, 2026-10-03 14:09:
      ماذا عن الشاي الأسود؟ 👩‍👩‍👧‍👦

      Model, 2026-10-03 14:10:
      Four min
      [Interrupted: The connection was lost.]

      ========================================================================
      Exported from Holdfast 0.1.0 on 2026-11-21 09:00.
      "
    `);
  });

  it.each(exportFormats)('%s holds what was said in all conversations, together and each alone', async (format) => {
    const second: Conversation = {
      session: { ...SESSION, id: 'b', title: 'Second' },
      turns: TURNS.map((turn) => ({ ...turn, parts: [{ type: 'text', text: 'Words of the second' }] })),
    };
    const together = onlyFile(await exported(format, [TEA, second], 'together'));
    expect(together).toContain('Not longer: it turns');
    expect(together).toContain('Words of the second');
    const each = [...(await exported(format, [TEA, second], 'each')).values()];
    expect(each.map((file) => file.includes('Words of the second'))).toEqual([false, true]);
  });

  it('does not fail at a time that no calendar has', async () => {
    const session = { ...SESSION, createdAt: 1e16 };
    const turns = TURNS.map((turn) => ({ ...turn, createdAt: 1e16 }));
    for (const format of exportFormats) {
      expect(onlyFile(await exported(format, [{ session, turns }]))).toContain('Four min');
    }
  });
});

describe('writing', () => {
  it('keeps to memory what is being said, however long a conversation is', async () => {
    const text = 'word '.repeat(200);
    const total = 100_000;
    async function* turns(): AsyncGenerator<readonly Turn[]> {
      for (let at = 0; at < total; at += 100) {
        yield Array.from({ length: 100 }, (_, n): Turn => ({
          ...(TURNS[0] as Turn),
          id: `t${at + n}`,
          index: at + n + 1,
          parts: [{ type: 'text', text }],
        }));
      }
    }
    async function* conversations() {
      yield { session: SESSION, turns: turns() };
    }
    const path = join(tempDir(), 'all.html');
    let longest = 0;
    const inner = fileTarget(path);
    const outcome = await exportConversations({
      conversations: conversations(),
      format: 'html',
      layout: 'each',
      head: HEAD,
      target: {
        ...inner,
        open: async (name) => {
          const file = await inner.open(name);
          return {
            ...file,
            write: (piece) => {
              longest = Math.max(longest, piece.length);
              return file.write(piece);
            },
          };
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'exported', files: [{ conversations: 1, turns: total }] });
    expect(outcome.kind === 'exported' && outcome.files[0]?.bytes).toBeGreaterThan(100_000_000);
    expect(longest).toBeLessThan(100_000);
  });

  it('puts whole files in a folder and touches none that was there', async () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'tea & -biscuits- -now-.MD'), 'mine');
    const outcome = await exportConversations({
      conversations: outgoing(TEA, { ...TEA, session: { ...SESSION, title: 'TEA & "biscuits" <now>' } }),
      format: 'markdown',
      layout: 'each',
      target: folderTarget(folder),
      head: HEAD,
    });
    expect(outcome.kind).toBe('exported');
    expect(readdirSync(folder).sort()).toEqual([
      'TEA & -biscuits- -now- (3).md',
      'Tea & -biscuits- -now- (2).md',
      'tea & -biscuits- -now-.MD',
    ]);
    expect(readFileSync(join(folder, 'tea & -biscuits- -now-.MD'), 'utf8')).toBe('mine');
    expect(readFileSync(join(folder, 'Tea & -biscuits- -now- (2).md'), 'utf8')).toContain('green tea');
  });

  it('leaves no file behind when it is cancelled, and says how far it is on the way', async () => {
    const folder = tempDir();
    const abort = new AbortController();
    const seen: ExportProgress[] = [];
    async function* conversations() {
      yield* outgoing(TEA);
      abort.abort();
      yield* outgoing(TEA);
    }
    const options = { format: 'text', layout: 'each', head: HEAD, total: 2 } as const;
    const target = folderTarget(folder);
    const cancelled = await exportConversations({
      ...options,
      conversations: conversations(),
      target,
      signal: abort.signal,
    });
    expect(cancelled).toEqual({ kind: 'cancelled' });
    expect(readdirSync(folder)).toEqual([]);

    await exportConversations({
      ...options,
      conversations: outgoing(TEA, TEA),
      target,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toMatchObject({ conversations: { done: 2, total: 2 }, turns: 10 });
    expect(seen.at(-1)?.bytes).toBe(
      readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0),
    );
  });

  it('says what the disk said, and leaves no file behind', async () => {
    const folder = tempDir();
    const inner = folderTarget(folder);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    let opened = 0;
    const outcome = await exportConversations({
      conversations: outgoing(TEA, TEA),
      format: 'text',
      layout: 'each',
      head: HEAD,
      target: {
        ...inner,
        open: async (name) => {
          opened += 1;
          const file = await inner.open(name);
          return opened < 2 ? file : { ...file, finish: () => Promise.reject(full) };
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'failed', problem: { code: 'disk_full', retry: 'user' } });
    expect(opened).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says so when the folder is not there', async () => {
    const target = folderTarget(join(tempDir(), 'gone'));
    const outcome = await exportConversations({
      conversations: outgoing(TEA),
      format: 'text',
      layout: 'each',
      head: HEAD,
      target,
    });
    expect(outcome).toMatchObject({ kind: 'failed', problem: { code: 'disk_failed' } });
  });

  it('leaves the old file as it was when the new one cannot take its place', async () => {
    const folder = tempDir();
    const path = join(folder, 'taken');
    mkdirSync(join(path, 'full'), { recursive: true });
    const outcome = await exportConversations({
      conversations: outgoing(TEA),
      format: 'text',
      layout: 'each',
      head: HEAD,
      target: fileTarget(path),
    });
    expect(outcome.kind).toBe('failed');
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  it('hands on what reading the conversations fails with, and leaves no file behind', async () => {
    const folder = tempDir();
    async function* broken() {
      yield* outgoing(TEA);
      throw new Error('SQLite says no');
    }
    const exporting = exportConversations({
      conversations: broken(),
      format: 'json',
      layout: 'each',
      target: folderTarget(folder),
      head: HEAD,
    });
    await expect(exporting).rejects.toThrow('SQLite says no');
    expect(readdirSync(folder)).toEqual([]);
  });
});
