import type { Session, Turn } from '../../src/contract/index.ts';

/* Own conversations in the forms of the services' exports. Nobody said any of this. */

export const SESSION: Omit<Session, 'link'> = {
  id: 'tea-1',
  title: 'Tea & "biscuits" <now>',
  titled: true,
  status: 'open',
  createdAt: Date.UTC(2026, 9, 3, 14, 5),
  lastActivityAt: Date.UTC(2026, 9, 3, 14, 9),
  turnCount: 5,
  rev: 17,
};

const turn = (index: number, rest: Partial<Turn>): Turn => ({
  id: `tea-turn-${index}`,
  sessionId: SESSION.id,
  index,
  role: 'user',
  parts: [{ type: 'text', text: `Text ${index}` }],
  status: 'answered',
  createdAt: SESSION.createdAt + index * 60_000,
  rev: index * 3,
  ...rest,
});

export const TURNS: readonly Turn[] = [
  turn(1, { parts: [{ type: 'text', text: 'How long does **green tea** steep?\nAt `80 °C` — & how much?' }] }),
  turn(2, {
    role: 'model',
    status: 'complete',
    replyTo: 'tea-turn-1',
    endedAt: SESSION.createdAt + 125_000,
    provider: 'gemini',
    model: 'gemini-3.8-live',
    usage: { promptTokens: 12, responseTokens: 40, thoughtTokens: 7, totalTokens: 59 },
    parts: [
      { type: 'thought', text: 'The user asks about tea.' },
      { type: 'tool', callId: 'c1', name: 'kettle', args: { celsius: 80, '<b>': 'x' }, result: { ok: true } },
      { type: 'text', text: 'Two minutes.\n\n```js\nsteep({ minutes: 2 });\n```\n\nNot longer: it turns **bitter**.' },
    ],
  }),
  turn(3, { role: 'note', status: 'complete', parts: [{ type: 'note', note: 'rebuilt', turns: 2 }] }),
  turn(4, { parts: [{ type: 'text', text: 'ماذا عن الشاي الأسود؟ 👩‍👩‍👧‍👦' }] }),
  turn(5, {
    role: 'model',
    status: 'interrupted',
    replyTo: 'tea-turn-4',
    provider: 'demo',
    model: 'demo',
    parts: [{ type: 'text', text: 'Four min' }],
    problem: {
      code: 'connection_lost',
      message: 'The connection was lost.',
      retry: 'automatic',
      context: { close: 1006 },
    },
  }),
];

const SECONDS = Date.UTC(2025, 4, 6, 7, 8, 9) / 1000;

function node(id: string, parent: string | null, children: readonly string[], message: unknown = null) {
  return { id, parent, children, message };
}
function message(id: string, role: string, content: unknown, rest: Record<string, unknown> = {}) {
  return {
    id,
    author: { role, name: null, metadata: {} },
    create_time: SECONDS + 10,
    content,
    recipient: 'all',
    ...rest,
  };
}
const text = (...parts: readonly unknown[]) => ({ content_type: 'text', parts });

/** An edited question, a tool, a thought, pictures, a hidden text: all that ChatGPT's tree can have on one branch. */
export const CHATGPT = {
  id: 'conv-gpt-1',
  conversation_id: 'conv-gpt-1',
  title: 'Garden plan',
  create_time: SECONDS,
  update_time: SECONDS + 500.25,
  current_node: 'n9',
  default_model_slug: 'gpt-9',
  mapping: {
    root: node('root', null, ['sys']),
    sys: node('sys', 'root', ['n1', 'n1b'], message('sys', 'system', text(''))),
    n1b: node('n1b', 'sys', ['n2b'], message('n1b', 'user', text('Where do beets grow?'))),
    n2b: node('n2b', 'n1b', [], message('n2b', 'assistant', text('In the ground.'))),
    n1: node(
      'n1',
      'sys',
      ['n2'],
      message(
        'n1',
        'user',
        {
          content_type: 'multimodal_text',
          parts: [
            { content_type: 'image_asset_pointer', asset_pointer: 'sediment://file_1', width: 3 },
            'Where do carrots grow?',
          ],
        },
        { metadata: { attachments: [{ id: 'f', name: 'soil.pdf', mimeType: 'application/pdf' }] } },
      ),
    ),
    n2: node(
      'n2',
      'n1',
      ['n3'],
      message('n2', 'assistant', {
        content_type: 'thoughts',
        thoughts: [{ summary: 'Soil', content: 'Sand is good.' }],
      }),
    ),
    n3: node(
      'n3',
      'n2',
      ['n4'],
      message(
        'n3',
        'assistant',
        { content_type: 'code', language: 'python', text: 'depth = 30' },
        { recipient: 'python' },
      ),
    ),
    n4: node('n4', 'n3', ['n5'], message('n4', 'tool', { content_type: 'execution_output', text: '30' })),
    n5: node(
      'n5',
      'n4',
      ['n6'],
      message('n5', 'assistant', text('In loose soil\ue200cite\ue202turn0search0\ue201, 30 cm deep.'), {
        metadata: { model_slug: 'gpt-9-mini' },
      }),
    ),
    n6: node(
      'n6',
      'n5',
      ['n7'],
      message('n6', 'user', text('Hidden'), { metadata: { is_visually_hidden_from_conversation: true } }),
    ),
    n7: node('n7', 'n6', ['n8'], message('n7', 'user', text('Thanks'))),
    n8: node('n8', 'n7', ['n9'], message('n8', 'assistant', text('You are'))),
    n9: node('n9', 'n8', [], message('n9', 'assistant', text('welcome.'))),
  },
};

export const CLAUDE = {
  uuid: 'claude-conv-1',
  name: 'Bread',
  summary: '',
  created_at: '2025-05-06T07:08:09.123456Z',
  updated_at: '2025-05-06T08:08:09.123456Z',
  account: { uuid: 'a' },
  chat_messages: [
    {
      uuid: 'm1',
      text: 'How much salt?',
      content: [{ type: 'text', text: 'How much salt?', citations: [] }],
      sender: 'human',
      created_at: '2025-05-06T07:08:10Z',
      attachments: [{ file_name: 'recipe.txt', file_size: 9, file_type: 'txt', extracted_content: '500 g flour' }],
      files: [{ file_name: 'loaf.jpg' }],
    },
    {
      uuid: 'm2',
      text: 'Ten grams.',
      content: [
        { type: 'thinking', thinking: 'Two per cent.' },
        { type: 'tool_use', id: 'tu1', name: 'scale', input: { grams: 500 } },
        {
          type: 'tool_result',
          tool_use_id: 'tu1',
          name: 'scale',
          content: [{ type: 'text', text: '10' }],
          is_error: false,
        },
        { type: 'text', text: 'Ten grams.' },
        { type: 'hologram', data: 1 },
      ],
      sender: 'assistant',
      created_at: '2025-05-06T07:08:20Z',
      attachments: [],
      files: [],
    },
  ],
};

export const AI_STUDIO = {
  runSettings: { temperature: 1, model: 'models/gemini-3-pro' },
  systemInstruction: { text: 'Be brief.' },
  chunkedPrompt: {
    chunks: [
      { text: 'Name a river.', role: 'user', tokenCount: 4, createTime: '2025-08-01T10:00:00Z' },
      { role: 'user', driveImage: { id: 'drive-1' }, tokenCount: 258 },
      { text: 'Rivers…', role: 'model', isThought: true, thinkingBudget: -1, createTime: '2025-08-01T10:00:05Z' },
      { role: 'model', executableCode: { language: 'PYTHON', code: 'print(1)' } },
      { role: 'model', codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      {
        text: 'The Elbe.',
        role: 'model',
        finishReason: 'STOP',
        tokenCount: 3,
        parts: [{ text: 'The ' }, { text: 'Elbe.' }],
        createTime: '2025-08-01T10:00:06Z',
      },
    ],
    pendingInputs: [{ text: '', role: 'user' }],
  },
};

const activity = (title: string, time: string, html?: string, rest: Record<string, unknown> = {}) => ({
  header: 'Gemini Apps',
  title,
  time,
  products: ['Gemini Apps'],
  activityControls: ['Gemini Apps Activity'],
  ...(html !== undefined && { safeHtmlItem: [{ html }] }),
  ...rest,
});

/** Newest first, as Takeout writes it. */
export const GEMINI_ACTIVITY = [
  activity(
    'Prompted Und auf Deutsch?',
    '2025-09-02T12:05:00.000Z',
    '<p>Guten <strong>Tag</strong> &amp; willkommen</p>',
  ),
  activity(
    'Prompted Say hello in French',
    '2025-09-02T12:00:00.000Z',
    '<p>Bonjour</p><ul><li>Salut</li><li>Coucou</li></ul>',
  ),
  activity('Created Gemini Canvas titled x', '2025-09-01T09:00:00.000Z'),
  activity('Searched for shoes', '2025-09-01T08:00:00.000Z', undefined, { header: 'Search', products: ['Search'] }),
  activity('Asked Name a star', '2025-08-31T20:00:00.000Z', '<pre><code>Sirius &lt;A&gt;</code></pre>', {
    attachedFiles: ['sky.png'],
  }),
];

export const GEMINI_HISTORY = {
  title: 'Lamps',
  creation_time: '2025-10-01T10:00:00Z',
  last_modification_time: '2025-10-01T10:05:00Z',
  conversation_turns: [
    { user_turn: { prompt: 'Which lamp?', turn_index: 0, turn_last_modified: '2025-10-01T10:00:00Z' } },
    {
      system_turn: {
        turn_index: 1,
        turn_last_modified: '2025-10-01T10:00:09Z',
        model_thoughts: [{ headline: 'Light', description: 'Warm is nice.' }],
        text: [{ data: 'A warm one.' }],
        images: ['conversation_1_turn_1_images_0'],
      },
    },
  ],
};
