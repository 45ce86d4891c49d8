import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Part } from '../../contract/index.ts';
import { collectTurns, missingPart, textPart, thoughtPart, timeFrom } from './draft.ts';
import type { Draft, DraftContext } from './draft.ts';
import { countLeftOut } from './left-out.ts';
import type { LeftOutCount } from './left-out.ts';
import { isRecord, listAt, looseText, recordFrom, stringAt, valueAt } from './loose.ts';

/*
 * A chat prompt of Google AI Studio: one JSON file each, in the folder “Google AI Studio” of the user's Drive. The file's
 * name is its title. Files of before 2025 have no dates, and none has an id: what was said is its id.
 */

const promptSchema = z.object({
  runSettings: z.object({ model: looseText }).nullish().catch(undefined),
  systemInstruction: z.unknown().optional(),
  chunkedPrompt: z.object({ chunks: z.array(z.unknown()) }),
});

/** Members of a chunk that stand for something kept elsewhere, and what a reader calls it. */
const MEDIA = {
  driveImage: ['images', 'Picture'],
  inlineImage: ['images', 'Picture'],
  driveAudio: ['audio', 'Recording'],
  inlineAudio: ['audio', 'Recording'],
  driveVideo: ['video', 'Video'],
  youtubeVideo: ['video', 'YouTube video'],
  driveDocument: ['files', 'Document'],
  inlineFile: ['files', 'File'],
  inlineData: ['files', 'File'],
  fileData: ['files', 'File'],
} as const;

/** `undefined`: the value has not the form of such a prompt. */
export function readAiStudio(value: unknown, context: DraftContext): Draft | undefined {
  const parsed = promptSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { chunkedPrompt, runSettings, systemInstruction } = parsed.data;
  const leftOut = countLeftOut();
  if (stringAt(systemInstruction, 'text') || listAt(systemInstruction, 'parts').length > 0) leftOut.add('instructions');

  const model = runSettings?.model?.replace(/^models\//, '');
  const collected = collectTurns();
  const said = createHash('sha256');
  for (const chunk of chunkedPrompt.chunks) {
    const role = stringAt(chunk, 'role');
    if (!isRecord(chunk) || (role !== 'user' && role !== 'model')) {
      leftOut.add('turns');
      continue;
    }
    const at = timeFrom(chunk['createTime'], context, leftOut);
    const result = valueAt(chunk, 'codeExecutionResult') ?? valueAt(chunk, 'functionResponse');
    const parts = partsOf(chunk, leftOut);
    said.update(JSON.stringify([role, parts, result ?? null]));
    if (role === 'user') collected.user({ at, parts });
    else collected.model({ at, model, parts });
    // After its call, which may stand in the same chunk.
    if (isRecord(result) && !collected.toolResult(result)) leftOut.add('references');
  }

  return {
    source: 'ai-studio',
    sourceId: said.digest('hex'),
    title: context.fileTitle,
    turns: collected.turns,
    leftOut: leftOut.counts,
  };
}

function partsOf(chunk: Record<string, unknown>, leftOut: LeftOutCount): readonly Part[] {
  const parts: Part[] = [];
  const words = (text: string | undefined, isThought: unknown) => {
    if (text === undefined || text.trim() === '') return;
    parts.push(isThought === true ? thoughtPart(text) : textPart(text));
  };

  // `parts` has the pieces in which `text` came.
  const pieces = listAt(chunk, 'parts').filter((piece) => stringAt(piece, 'text') !== undefined);
  const text = stringAt(chunk, 'text');
  if (text !== undefined || pieces.length === 0) words(text, chunk['isThought']);
  else for (const piece of pieces) words(stringAt(piece, 'text'), chunk['isThought'] ?? valueAt(piece, 'thought'));

  for (const [name, [kind, label]] of Object.entries(MEDIA)) {
    if (!isRecord(chunk[name])) continue;
    leftOut.add(kind);
    parts.push(missingPart(label, stringAt(chunk[name], 'mimeType') ?? stringAt(chunk[name], 'id')));
  }
  const code = chunk['executableCode'];
  if (isRecord(code)) {
    parts.push({ type: 'tool', callId: `code-${parts.length + 1}`, name: 'code_execution', args: code });
  }
  const call = chunk['functionCall'];
  if (isRecord(call)) {
    const name = stringAt(call, 'name') ?? 'tool';
    const callId = stringAt(call, 'id') ?? `call-${parts.length + 1}`;
    parts.push({ type: 'tool', callId, name, args: recordFrom(call['args'], 'args') });
  }
  const error = stringAt(chunk, 'errorMessage');
  if (error !== undefined && error !== '') parts.push(textPart(`[The answer failed: ${error}]`));
  return parts;
}
