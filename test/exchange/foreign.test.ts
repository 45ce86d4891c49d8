import { describe, expect, it } from 'vitest';
import { sessionSchema, turnSchema } from '../../src/contract/index.ts';
import { bytesSource } from '../../src/exchange/index.ts';
import { AI_STUDIO, CHATGPT, CLAUDE, GEMINI_ACTIVITY, GEMINI_HISTORY } from './samples.ts';
import { importing, importingJson, jsonSource, NOW, zipOf } from './support.ts';
import type { Imported } from './support.ts';

function only(imported: Imported) {
  expect(imported.kind).toBe('imported');
  expect(imported.conversations).toHaveLength(1);
  const [conversation] = imported.conversations;
  if (conversation === undefined) throw new Error('nothing imported');
  for (const turn of conversation.turns) turnSchema.parse(turn);
  sessionSchema.omit({ link: true }).parse(conversation.session);
  return conversation;
}
const said = (imported: Imported) =>
  only(imported).turns.map(({ role, parts }) => ({
    role,
    text: parts.map((part) =>
      part.type === 'text' || part.type === 'thought' ? `${part.type}:${part.text}` : part.type,
    ),
  }));

describe('a conversation of ChatGPT', () => {
  it('is the branch that was shown last, with the model’s messages in one turn', async () => {
    const imported = await importingJson([CHATGPT]);
    expect(said(imported)).toEqual([
      {
        role: 'user',
        text: [
          'text:[Picture (not part of the import)]\n\nWhere do carrots grow?\n\n[File: soil.pdf (not part of the import)]',
        ],
      },
      { role: 'model', text: ['thought:Soil\nSand is good.', 'tool', 'text:In loose soil, 30 cm deep.'] },
      { role: 'user', text: ['text:Thanks'] },
      { role: 'model', text: ['text:You are\n\nwelcome.'] },
    ]);
    expect(imported.report.items[0]).toMatchObject({
      outcome: 'partly',
      leftOut: { branches: 2, images: 1, files: 1 },
      message: expect.stringContaining('2 messages of other branches were left out'),
    });
  });

  it('keeps title, times, and what a tool was asked and answered', async () => {
    const { session, turns } = only(await importingJson([CHATGPT]));
    expect(session).toMatchObject({
      title: 'Garden plan',
      titled: true,
      status: 'closed',
      createdAt: CHATGPT.create_time * 1000,
      lastActivityAt: CHATGPT.update_time * 1000,
      turnCount: 4,
    });
    expect(turns[1]?.parts[1]).toEqual({
      type: 'tool',
      callId: 'n3',
      name: 'python',
      args: { input: 'depth = 30' },
      result: { output: '30' },
    });
    expect(turns[0]).toMatchObject({ status: 'answered', createdAt: (CHATGPT.create_time + 10) * 1000 });
    expect(turns[1]).toMatchObject({ status: 'complete', replyTo: turns[0]?.id });
  });

  it('takes the newest branch where the file does not name one', async () => {
    const mapping = structuredClone(CHATGPT.mapping);
    mapping.n2b.message = { ...(mapping.n2b.message as object), create_time: CHATGPT.create_time + 99 };
    const imported = await importingJson([{ ...CHATGPT, mapping, current_node: null }]);
    expect(said(imported).map(({ text }) => text)).toEqual([['text:Where do beets grow?'], ['text:In the ground.']]);
  });

  it('reads a single conversation that is a file of its own', async () => {
    expect(only(await importingJson(CHATGPT)).session.id).toBe(only(await importingJson([CHATGPT])).session.id);
  });

  it('names an untitled conversation after its first words, and says that nobody chose the title', async () => {
    const { session } = only(await importingJson([{ ...CHATGPT, title: null }]));
    expect(session.titled).toBe(false);
    expect(session.title).toContain('Where do carrots grow?');
  });
});

describe('a conversation of Claude', () => {
  it('comes with thoughts, tools and the text of attachments', async () => {
    const imported = await importingJson([CLAUDE]);
    expect(said(imported)).toEqual([
      {
        role: 'user',
        text: ['text:How much salt?\n\n[File: recipe.txt]\n\n500 g flour\n\n[File: loaf.jpg (not part of the import)]'],
      },
      {
        role: 'model',
        text: [
          'thought:Two per cent.',
          'tool',
          'text:Ten grams.\n\n[Something of an unknown kind: hologram (not part of the import)]',
        ],
      },
    ]);
    expect(only(imported).turns[1]?.parts[1]).toMatchObject({ args: { grams: 500 }, result: { output: '10' } });
    expect(only(imported).session).toMatchObject({ title: 'Bread', createdAt: Date.parse(CLAUDE.created_at) });
    expect(imported.report.items[0]).toMatchObject({ outcome: 'partly', leftOut: { files: 1, unknown: 1 } });
  });

  it('has what was pasted and too long for the message as its words', async () => {
    const attachments = [{ file_name: '', file_type: 'txt', extracted_content: 'A long text.' }];
    const chat_messages = [{ uuid: 'm', sender: 'human', text: '', content: [], attachments }];
    const imported = await importingJson([{ ...CLAUDE, chat_messages }]);
    expect(said(imported)).toEqual([{ role: 'user', text: ['text:A long text.'] }]);
    expect(imported.report.partly).toBe(0);
  });

  it('follows the branch to the last message where messages name their parents', async () => {
    const message = (uuid: string, parent: string, sender: string) => ({
      uuid,
      sender,
      text: uuid,
      created_at: '2025-01-01T00:00:00Z',
      parent_message_uuid: parent,
    });
    const chat_messages = [
      message('a', 'nowhere', 'human'),
      message('b', 'a', 'assistant'),
      message('c', 'a', 'assistant'),
      message('d', 'c', 'human'),
    ];
    const imported = await importingJson([{ ...CLAUDE, chat_messages }]);
    expect(said(imported).map(({ text }) => text)).toEqual([['text:a'], ['text:c'], ['text:d']]);
    expect(imported.report.items[0]).toMatchObject({ leftOut: { branches: 1 } });
  });
});

describe('Google', () => {
  it('AI Studio: what code came to belongs to it, in one chunk or in two', async () => {
    const chunks = [
      { role: 'user', text: 'Run it.' },
      {
        role: 'model',
        executableCode: { code: 'print(42)' },
        codeExecutionResult: { outcome: 'OUTCOME_OK', output: '42' },
      },
      { role: 'model', functionCall: { name: 'look', args: { at: 1 } } },
      { role: 'user', functionResponse: { name: 'look', response: { seen: true } } },
      { role: 'model', text: 'Done.' },
    ];
    const { turns } = only(await importingJson({ chunkedPrompt: { chunks } }));
    expect(turns).toHaveLength(2);
    expect(turns[1]?.parts).toMatchObject([
      { name: 'code_execution', result: { output: '42' } },
      { name: 'look', args: { at: 1 }, result: { response: { seen: true } } },
      { type: 'text', text: 'Done.' },
    ]);
  });

  it('AI Studio: a prompt is titled by its file and has its thoughts apart', async () => {
    const imported = await importing([jsonSource(AI_STUDIO, 'River names')]);
    expect(said(imported)).toEqual([
      { role: 'user', text: ['text:Name a river.'] },
      { role: 'user', text: ['text:[Picture: drive-1 (not part of the import)]'] },
      { role: 'model', text: ['thought:Rivers…', 'tool', 'text:The Elbe.'] },
    ]);
    const { session, turns } = only(imported);
    expect(session).toMatchObject({ title: 'River names', titled: true, createdAt: Date.UTC(2025, 7, 1, 10) });
    expect(turns[2]).toMatchObject({ model: 'gemini-3-pro' });
    expect(turns[2]?.parts[1]).toMatchObject({ args: { code: 'print(1)' }, result: { output: '1' } });
    expect(imported.report.items[0]).toMatchObject({ leftOut: { instructions: 1, images: 1 } });
  });

  it('AI Studio: a prompt without dates has that of its file, and the same id whatever that is', async () => {
    const chunks = AI_STUDIO.chunkedPrompt.chunks.map((chunk) => ({ ...chunk, createTime: undefined }));
    const value = { ...AI_STUDIO, chunkedPrompt: { chunks } };
    const one = only(await importing([jsonSource(value, 'a', 1.6e12)]));
    const two = only(await importing([jsonSource(value, 'b', 1.7e12)]));
    expect(one.session.createdAt).toBe(1.6e12);
    expect(two.session.id).toBe(one.session.id);
  });

  it('My Activity: what was asked within half an hour is one conversation, oldest first', async () => {
    const imported = await importingJson(GEMINI_ACTIVITY);
    expect(imported.conversations.map(({ turns }) => turns.map(({ parts }) => parts))).toEqual([
      [
        [{ type: 'text', text: 'Say hello in French' }],
        [{ type: 'text', text: 'Bonjour\n\n- Salut\n- Coucou' }],
        [{ type: 'text', text: 'Und auf Deutsch?' }],
        [{ type: 'text', text: 'Guten **Tag** & willkommen' }],
      ],
      [
        [
          { type: 'text', text: 'Name a star' },
          { type: 'text', text: '[File: sky.png (not part of the import)]' },
        ],
        [{ type: 'text', text: '```\nSirius <A>\n```' }],
      ],
    ]);
    expect(imported.report.items.map(({ outcome }) => outcome)).toEqual(['partly', 'partly', 'skipped']);
    expect(imported.report.skipped).toBe(2);
  });

  it('Conversation History: a file a conversation', async () => {
    const imported = await importing([jsonSource(GEMINI_HISTORY, 'conversation_1.txt')]);
    expect(said(imported)).toEqual([
      { role: 'user', text: ['text:Which lamp?'] },
      {
        role: 'model',
        text: [
          'thought:Light\nWarm is nice.',
          'text:A warm one.\n\n[Picture: conversation_1_turn_1_images_0 (not part of the import)]',
        ],
      },
    ]);
    expect(only(imported).session).toMatchObject({ title: 'Lamps', titled: true });
  });
});

describe('an archive', () => {
  const archive = (name: string, value: unknown) =>
    bytesSource(
      'export.zip',
      zipOf([
        { name: 'user.json', content: '{"email":"somebody@example.org"}' },
        { name: 'chat.html', content: '<html><script>1</script></html>' },
        { name: 'pictures/one.png', content: 'not looked at' },
        { name, content: JSON.stringify(value) },
      ]),
    );

  it.each([
    ['ChatGPT', 'conversations.json', [CHATGPT]],
    ['Claude', 'data/conversations.json', [CLAUDE]],
    ['AI Studio', 'Takeout/Drive/Google AI Studio/River names', AI_STUDIO],
    ['Gemini', 'Takeout/My Activity/Gemini Apps/MyActivity.json', GEMINI_ACTIVITY],
  ])('of %s is read without unpacking it, and what else is in it is passed over', async (_service, name, value) => {
    const fromZip = await importing([archive(name, value)]);
    const alone = await importing([jsonSource(value, name.split('/').at(-1))]);
    expect(fromZip.conversations.map(({ session }) => session.id)).toEqual(
      alone.conversations.map(({ session }) => session.id),
    );
    expect(fromZip.conversations.length).toBeGreaterThan(0);
    expect(fromZip.report.items[0]?.file).toBe(`export.zip › ${name}`);
    expect(fromZip.report.items.every(({ outcome }) => outcome !== 'unreadable')).toBe(true);
  });

  it('has its kind told by its content, not by its name', async () => {
    const bytes = zipOf([{ name: 'anything', content: JSON.stringify([CHATGPT]) }]);
    expect(only(await importing([bytesSource('holiday.jpg', bytes)])).source).toBe('chatgpt');
  });
});

describe('what a service may leave out', () => {
  it('is not missed: only what makes a conversation one is needed', async () => {
    const least = [
      [
        {
          mapping: {
            a: { message: { author: { role: 'user' }, content: { content_type: 'text', parts: ['Words'] } } },
          },
        },
      ],
      [{ chat_messages: [{ sender: 'human', text: 'Words' }] }],
      { chunkedPrompt: { chunks: [{ role: 'user', text: 'Words' }] } },
      [{ title: 'Prompted Words', time: '2025-01-01T00:00:00Z', products: ['Gemini Apps'] }],
      { conversation_turns: [{ user_turn: { prompt: 'Words' } }] },
    ];
    for (const value of least) {
      const imported = await importingJson(value);
      expect(imported.report).toMatchObject({ imported: 1, partly: 0, skipped: 0 });
      expect(said(imported)).toEqual([{ role: 'user', text: ['text:Words'] }]);
    }
  });
});

describe('what is imported', () => {
  it('has the same ids each time', async () => {
    for (const value of [[CHATGPT], [CLAUDE], AI_STUDIO, GEMINI_ACTIVITY, GEMINI_HISTORY]) {
      const [one, two] = [await importingJson(value), await importingJson(value, { now: () => NOW + 5000 })];
      expect(one.conversations.length).toBeGreaterThan(0);
      expect(two.conversations).toEqual(one.conversations);
    }
  });

  it('has turns numbered from 1, with ids that occur once', async () => {
    for (const value of [[CHATGPT], [CLAUDE], AI_STUDIO, GEMINI_ACTIVITY, GEMINI_HISTORY]) {
      for (const { session, turns } of (await importingJson(value)).conversations) {
        expect(turns.map(({ index }) => index)).toEqual(turns.map((_, at) => at + 1));
        expect(new Set(turns.map(({ id }) => id)).size).toBe(turns.length);
        expect(session.turnCount).toBe(turns.length);
      }
    }
  });

  it('comes from files of several services at once', async () => {
    const imported = await importing([
      jsonSource([CHATGPT], 'a.json'),
      jsonSource([CLAUDE], 'b.json'),
      jsonSource(AI_STUDIO, 'c'),
    ]);
    expect(imported.conversations.map(({ source }) => source)).toEqual(['chatgpt', 'claude', 'ai-studio']);
  });
});
