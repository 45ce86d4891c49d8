import { z } from 'zod';
import type { Part } from '../../contract/index.ts';
import { collectTurns, missingPart, textPart, thoughtPart, timeFrom } from './draft.ts';
import type { Draft, DraftContext } from './draft.ts';
import { countLeftOut, uncounted } from './left-out.ts';
import type { LeftOutCount } from './left-out.ts';
import { isString, listAt, looseRecord, looseText, stringAt } from './loose.ts';

/*
 * A conversation of ChatGPT's export (`conversations.json`). Its messages are a tree: editing a question or asking for
 * another answer begins a branch, and `current_node` is the end of the one that was shown last. OpenAI publishes no
 * schema and changes the form without a word, so all but the tree itself is optional here.
 */

const messageSchema = z.object({
  author: z.object({ role: z.string(), name: looseText }).catch({ role: 'unknown', name: undefined }),
  create_time: z.unknown().optional(),
  content: z
    .looseObject({ content_type: z.string().catch('unknown') })
    .nullish()
    .catch(undefined),
  recipient: looseText,
  metadata: looseRecord,
});
type Message = z.infer<typeof messageSchema>;

const nodeSchema = z.object({
  parent: looseText,
  message: messageSchema.nullish().catch(undefined),
});
type Node = z.infer<typeof nodeSchema>;

export const chatgptSchema = z.object({
  id: looseText,
  conversation_id: looseText,
  title: looseText,
  create_time: z.unknown().optional(),
  update_time: z.unknown().optional(),
  current_node: looseText,
  mapping: z.record(z.string(), z.unknown()),
});

/** `undefined`: the value has not the form of such a conversation. */
export function readChatgpt(value: unknown, context: DraftContext): Draft | undefined {
  const parsed = chatgptSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const conversation = parsed.data;
  const leftOut = countLeftOut();
  const nodes = new Map<string, Node>();
  for (const [id, raw] of Object.entries(conversation.mapping)) {
    const node = nodeSchema.safeParse(raw);
    if (node.success) nodes.set(id, node.data);
    else leftOut.add('turns');
  }

  const path = pathTo(endOf(conversation.current_node ?? undefined, nodes), nodes, leftOut);
  const onPath = new Set(path);
  const elsewhere = [...nodes].filter(([id, { message }]) => !onPath.has(id) && message && isShown(message));
  leftOut.add('branches', elsewhere.length);

  const collected = collectTurns();
  for (const id of path) {
    const message = nodes.get(id)?.message;
    if (message) addMessage(id, message);
  }

  function addMessage(id: string, message: Message): void {
    const { role } = message.author;
    if (role === 'system' || isHidden(message)) {
      if (hasInstructions(message)) leftOut.add('instructions');
      return;
    }
    const at = timeFrom(message.create_time, context, leftOut);
    if (role === 'user') {
      collected.user({ id, at, parts: [...partsOf(message, leftOut), ...attachmentsOf(message, leftOut)] });
      return;
    }
    const model = stringAt(message.metadata, 'model_slug');
    const called = message.recipient ?? 'all';
    if (role === 'assistant' && called !== 'all') {
      const input = plainText(partsOf(message, leftOut));
      collected.model({ id, at, model, parts: [{ type: 'tool', callId: id, name: called, args: { input } }] });
      return;
    }
    const parts = partsOf(message, leftOut);
    if (role === 'tool') {
      const output = plainText(parts);
      if (output === '' || collected.toolResult({ output })) return;
      const name = message.author.name ?? 'tool';
      collected.model({ id, at, model, parts: [{ type: 'tool', callId: id, name, args: {}, result: { output } }] });
      return;
    }
    collected.model({ id, at, model, parts });
  }

  const began = timeFrom(conversation.create_time, context, leftOut);
  return {
    source: 'chatgpt',
    // An old export without ids: its root is as good as one.
    sourceId: conversation.conversation_id ?? conversation.id ?? path[0] ?? `${began}:${conversation.title}`,
    title: conversation.title ?? undefined,
    createdAt: began,
    updatedAt: timeFrom(conversation.update_time, context, leftOut),
    turns: collected.turns,
    leftOut: leftOut.counts,
  };
}

/** The end of the branch that was shown last; where the export does not say, that of the newest message. */
function endOf(current: string | undefined, nodes: ReadonlyMap<string, Node>): string | undefined {
  if (current !== undefined && nodes.has(current)) return current;
  const parents = new Set([...nodes.values()].map(({ parent }) => parent));
  const ends = [...nodes].filter(([id, { message }]) => message && !parents.has(id));
  const time = ([, { message }]: [string, Node]) =>
    typeof message?.create_time === 'number' ? message.create_time : 0;
  const newest = ends.reduce<[string, Node] | undefined>(
    (best, end) => (best === undefined || time(end) >= time(best) ? end : best),
    undefined,
  );
  // All in a circle: anywhere is as good.
  return newest?.[0] ?? [...nodes.keys()].at(-1);
}

function pathTo(end: string | undefined, nodes: ReadonlyMap<string, Node>, leftOut: LeftOutCount): readonly string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  for (let id = end; id !== undefined; id = nodes.get(id)?.parent ?? undefined) {
    if (seen.has(id)) {
      leftOut.add('cycle');
      break;
    }
    if (!nodes.has(id)) {
      leftOut.add('references');
      break;
    }
    seen.add(id);
    path.push(id);
  }
  return path.reverse();
}

function isHidden({ metadata }: Message): boolean {
  return metadata?.['is_visually_hidden_from_conversation'] === true;
}

function isShown(message: Message): boolean {
  return (
    ['user', 'assistant'].includes(message.author.role) && !isHidden(message) && plainText(partsOf(message)) !== ''
  );
}

/** What the user told all conversations about themselves, or about how to answer. */
function hasInstructions({ content }: Message): boolean {
  return content?.content_type === 'user_editable_context' || content?.content_type === 'model_editable_context';
}

function partsOf({ content }: Message, leftOut: LeftOutCount = uncounted): Part[] {
  if (!content) return [];
  switch (content.content_type) {
    case 'text':
    case 'multimodal_text':
      return listAt(content, 'parts').flatMap((part) => partOf(part, leftOut));
    case 'code':
    case 'execution_output':
    case 'system_error':
      return texts(stringAt(content, 'text'));
    case 'tether_browsing_display':
      return texts(stringAt(content, 'result') ?? stringAt(content, 'summary'));
    case 'tether_quote':
    case 'sonic_webpage':
      return texts([stringAt(content, 'title'), stringAt(content, 'url'), stringAt(content, 'text')].join('\n').trim());
    case 'thoughts':
      return listAt(content, 'thoughts').flatMap((thought) => {
        const words = [stringAt(thought, 'summary'), stringAt(thought, 'content')].filter(Boolean).join('\n');
        return words === '' ? [] : [thoughtPart(words)];
      });
    // "Thought for 12 seconds", and what the service tells the model about the user.
    case 'reasoning_recap':
    case 'user_editable_context':
    case 'model_editable_context':
      return [];
    default: {
      const words = texts(stringAt(content, 'text') ?? listAt(content, 'parts').filter(isString).join('\n'));
      if (words.length > 0) return words;
      leftOut.add('unknown');
      return [missingPart('Something of an unknown kind', content.content_type)];
    }
  }
}

function partOf(part: unknown, leftOut: LeftOutCount): Part[] {
  if (isString(part)) return texts(part);
  const kind = stringAt(part, 'content_type') ?? 'unknown';
  switch (kind) {
    case 'image_asset_pointer':
      leftOut.add('images');
      return [missingPart('Picture')];
    case 'audio_transcription':
      return texts(stringAt(part, 'text'));
    case 'audio_asset_pointer':
    case 'real_time_user_audio_video_asset_pointer':
      leftOut.add('audio');
      return [missingPart('Recording')];
    case 'video_asset_pointer':
    case 'video_container_asset_pointer':
      leftOut.add('video');
      return [missingPart('Video')];
    default: {
      const words = texts(stringAt(part, 'text'));
      if (words.length > 0) return words;
      leftOut.add('unknown');
      return [missingPart('Something of an unknown kind', kind)];
    }
  }
}

/** Files that a question came with. Its pictures are in its parts already. */
function attachmentsOf({ metadata }: Message, leftOut: LeftOutCount): Part[] {
  return listAt(metadata, 'attachments').flatMap((file) => {
    const type = stringAt(file, 'mimeType') ?? stringAt(file, 'mime_type') ?? '';
    if (type.startsWith('image/')) return [];
    leftOut.add('files');
    return [missingPart('File', stringAt(file, 'name'))];
  });
}

/** Marks of citations, which stand between characters of private use and mean nothing without the service. */
const CITATION = /\ue200[^\ue200\ue201]*\ue201/g;

function texts(text: string | undefined): Part[] {
  const words = (text ?? '').replace(CITATION, '');
  return words.trim() === '' ? [] : [textPart(words)];
}

function plainText(parts: readonly Part[]): string {
  return parts.map((part) => (part.type === 'text' || part.type === 'thought' ? part.text : '')).join('\n');
}
