import { z } from 'zod';
import type { Part } from '../../contract/index.ts';
import { collectTurns, missingPart, textPart, thoughtPart, timeFrom } from './draft.ts';
import type { Draft, DraftContext } from './draft.ts';
import { countLeftOut } from './left-out.ts';
import type { LeftOutCount } from './left-out.ts';
import { looseList, looseText, recordFrom, stringAt, valueAt } from './loose.ts';

/*
 * A conversation of Claude's export (`conversations.json`). Messages stand in the order in which they were written;
 * some exports name each one's parent, and then a parent with two children is where a branch begins.
 */

const messageSchema = z.object({
  uuid: looseText,
  sender: z.string(),
  text: looseText,
  content: looseList,
  created_at: z.unknown().optional(),
  attachments: looseList,
  files: looseList,
  parent_message_uuid: looseText,
});
type Message = z.infer<typeof messageSchema>;

const claudeSchema = z.object({
  uuid: looseText,
  name: looseText,
  created_at: z.unknown().optional(),
  updated_at: z.unknown().optional(),
  model: looseText,
  current_leaf_message_uuid: looseText,
  chat_messages: z.array(z.unknown()),
});

/** `undefined`: the value has not the form of such a conversation. */
export function readClaude(value: unknown, context: DraftContext): Draft | undefined {
  const parsed = claudeSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const conversation = parsed.data;
  const leftOut = countLeftOut();
  const messages = conversation.chat_messages.flatMap((raw): Message[] => {
    const message = messageSchema.safeParse(raw);
    if (!message.success) leftOut.add('turns');
    return message.success ? [message.data] : [];
  });

  const collected = collectTurns();
  for (const message of shownBranch(messages, conversation.current_leaf_message_uuid ?? undefined, leftOut)) {
    const turn = {
      id: message.uuid ?? undefined,
      at: timeFrom(message.created_at, context, leftOut),
      parts: partsOf(message, leftOut),
    };
    if (message.sender === 'human' || message.sender === 'user') collected.user(turn);
    else collected.model({ ...turn, model: conversation.model ?? undefined });
  }

  const began = timeFrom(conversation.created_at, context, leftOut);
  return {
    source: 'claude',
    sourceId: conversation.uuid ?? messages[0]?.uuid ?? `${began}:${conversation.name}`,
    title: conversation.name ?? undefined,
    createdAt: began,
    updatedAt: timeFrom(conversation.updated_at, context, leftOut),
    turns: collected.turns,
    leftOut: leftOut.counts,
  };
}

/** All messages where there is one branch; otherwise the way to the leaf that was shown last, or to the last message. */
function shownBranch(
  messages: readonly Message[],
  leaf: string | undefined,
  leftOut: LeftOutCount,
): readonly Message[] {
  const parents = messages.map((message) => message.parent_message_uuid).filter((parent) => parent != null);
  if (new Set(parents).size === parents.length) return messages;
  const byId = new Map(messages.map((message) => [message.uuid, message]));
  const path: Message[] = [];
  const seen = new Set<string>();
  let id = leaf !== undefined && byId.has(leaf) ? leaf : messages.at(-1)?.uuid;
  while (id != null) {
    const message = byId.get(id);
    // The first message names a parent that is in no export.
    if (message === undefined) break;
    if (seen.has(id)) {
      leftOut.add('cycle');
      break;
    }
    seen.add(id);
    path.push(message);
    id = message.parent_message_uuid;
  }
  leftOut.add('branches', messages.length - path.length);
  return path.reverse();
}

function partsOf(message: Message, leftOut: LeftOutCount): readonly Part[] {
  const parts: Part[] = [];
  for (const block of message.content ?? []) addBlock(parts, block, leftOut);
  if (parts.length === 0) parts.push(...texts(message.text ?? undefined));
  for (const file of message.attachments ?? []) {
    const name = stringAt(file, 'file_name');
    // What was read from a document, or pasted and too long for the message, is in the export as text.
    const words = texts(stringAt(file, 'extracted_content'));
    if (words.length > 0) parts.push(...(name ? [textPart(`[File: ${name}]`)] : []), ...words);
    else leaveOutFile(parts, name, leftOut);
  }
  for (const file of message.files ?? []) leaveOutFile(parts, stringAt(file, 'file_name'), leftOut);
  return parts;
}

function leaveOutFile(parts: Part[], name: string | undefined, leftOut: LeftOutCount): void {
  leftOut.add('files');
  parts.push(missingPart('File', name));
}

function addBlock(parts: Part[], block: unknown, leftOut: LeftOutCount): void {
  const kind = stringAt(block, 'type') ?? 'unknown';
  switch (kind) {
    case 'text':
    case 'voice_note':
      parts.push(...texts(stringAt(block, 'text')));
      return;
    case 'thinking':
      parts.push(...thoughts(stringAt(block, 'thinking')));
      return;
    case 'tool_use':
      parts.push({
        type: 'tool',
        callId: stringAt(block, 'id') ?? `call-${parts.length + 1}`,
        name: stringAt(block, 'name') ?? 'tool',
        args: recordFrom(valueAt(block, 'input'), 'input'),
      });
      return;
    case 'tool_result':
      addResult(parts, block, leftOut);
      return;
    // What the service keeps for itself.
    case 'token_budget':
    case 'redacted_thinking':
    case 'flag':
      return;
    case 'image':
      leftOut.add('images');
      parts.push(missingPart('Picture'));
      return;
    default:
      leftOut.add('unknown');
      parts.push(missingPart('Something of an unknown kind', kind));
  }
}

/** A result belongs to the call that it names, or to the newest that has none. */
function addResult(parts: Part[], block: unknown, leftOut: LeftOutCount): void {
  const content = valueAt(block, 'content');
  const pieces = Array.isArray(content) ? content : [content];
  const output = pieces
    .map((piece) => (typeof piece === 'string' ? piece : (stringAt(piece, 'text') ?? '')))
    .filter((words) => words !== '')
    .join('\n');
  leftOut.add('images', pieces.filter((piece) => stringAt(piece, 'type') === 'image').length);
  const result = { output, ...(valueAt(block, 'is_error') === true && { isError: true }) };
  const callId = stringAt(block, 'tool_use_id');
  const at = parts.findLastIndex(
    (part) => part.type === 'tool' && part.result === undefined && (callId === undefined || part.callId === callId),
  );
  const call = parts[at];
  if (call?.type === 'tool') parts[at] = { ...call, result };
  else {
    const name = stringAt(block, 'name') ?? 'tool';
    parts.push({ type: 'tool', callId: callId ?? `call-${parts.length + 1}`, name, args: {}, result });
  }
}

function texts(text: string | undefined): Part[] {
  return text === undefined || text.trim() === '' ? [] : [textPart(text)];
}

function thoughts(text: string | undefined): Part[] {
  return text === undefined || text.trim() === '' ? [] : [thoughtPart(text)];
}
