import { Readable } from 'node:stream';
import { importConversations } from '../../src/exchange/index.ts';
import type { ByteSource } from '../../src/exchange/index.ts';

/*
 * Imports a file of ChatGPT's form that is made while it is read, in a process of its own with a heap as small as the
 * caller says. node large-import.ts <conversations> <messages in each>
 */

const [conversations = 1, messages = 1] = process.argv.slice(2).map(Number);
const text = 'The quick brown fox, é, "quoted" and \n broken. '.repeat(22);

function* file(): Generator<Buffer> {
  yield Buffer.from('[');
  for (let c = 0; c < conversations; c += 1) {
    yield Buffer.from(
      `${c === 0 ? '' : ','}{"conversation_id":"c${c}","title":"T${c}","create_time":1700000000,"current_node":"n${messages - 1}","mapping":{`,
    );
    for (let m = 0; m < messages; m += 1) {
      const node = {
        id: `n${m}`,
        parent: m === 0 ? null : `n${m - 1}`,
        children: m + 1 === messages ? [] : [`n${m + 1}`],
        message: {
          id: `n${m}`,
          author: { role: m % 2 === 0 ? 'user' : 'assistant' },
          create_time: 1_700_000_000 + m,
          content: { content_type: 'text', parts: [`${c}/${m} ${text}`] },
          metadata: { model_slug: 'gpt', finish_details: { type: 'stop' } },
        },
      };
      yield Buffer.from(`${m === 0 ? '' : ','}"n${m}":${JSON.stringify(node)}`);
    }
    yield Buffer.from('}}');
  }
  yield Buffer.from(']');
}

let bytes = 0;
function* counted(): Generator<Buffer> {
  for (const chunk of file()) {
    bytes += chunk.length;
    yield chunk;
  }
}
const source: ByteSource = {
  name: 'conversations.json',
  size: 1e9,
  read: (_start, end) => Readable.from(end === undefined ? counted() : [Buffer.from('[{')], { objectMode: false }),
};

const done = { ok: true, value: undefined } as const;
const began = performance.now();
const outcome = await importConversations({
  sources: [source],
  sink: {
    begin: () => Promise.resolve(done),
    add: () => Promise.resolve(done),
    commit: () => Promise.resolve(done),
    abort: () => Promise.resolve(),
  },
  known: () => Promise.resolve(undefined),
  now: () => 1_800_000_000_000,
});
process.stdout.write(
  JSON.stringify({
    kind: outcome.kind,
    imported: outcome.report.imported,
    turns: outcome.report.turns,
    fileMb: Math.round(bytes / 1e6),
    ms: Math.round(performance.now() - began),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
