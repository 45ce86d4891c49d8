import { z } from 'zod';
import { collectTurns, missingPart, textPart, thoughtPart, timeFrom } from './draft.ts';
import type { Draft, DraftContext, DraftTurn } from './draft.ts';
import { textOfHtml } from './html-text.ts';
import { countLeftOut } from './left-out.ts';
import { isString, listAt, looseList, looseText, stringAt, valueAt } from './loose.ts';

/*
 * Gemini in Google Takeout has two forms. “My Activity” is one list of all that was asked, newest first, each with the
 * answer as HTML; nothing says what belongs together. “Conversation History” (Gemini in Workspace) is a file a conversation.
 */

/** A pause that is longer than this is taken as the end of a conversation. */
const PAUSE_MS = 30 * 60 * 1000;

const activitySchema = z.object({
  header: looseText,
  title: z.string(),
  time: z.string(),
  products: looseList,
  safeHtmlItem: looseList,
  attachedFiles: looseList,
  imageFile: looseText,
});

/** One entry of “My Activity”: a question, and its answer where there is one. */
export interface GeminiActivity {
  readonly at: number;
  readonly question: string;
  readonly answer: string;
  readonly attachments: readonly string[];
}

/** Verbs that begin a title when the user said something. Titles are in the language of the account. */
const SAID = /^(Prompted with: |Asked Gemini: |Asked Bard: |Prompted |Asked |Said |Branched |Answered )/;
/** And when they did something else. */
const DID =
  /^(Created|Used|Added|Gave|Selected|Shared|Deleted|Viewed|Visited|Searched|Edited|Pinned|Renamed|Exported|Updated) /;

/** `undefined`: not an activity. `'other'`: one in which nothing was said, or one of another product. */
export function readGeminiActivity(value: unknown, context: DraftContext): GeminiActivity | 'other' | undefined {
  const parsed = activitySchema.safeParse(value);
  if (!parsed.success || (parsed.data.products == null && parsed.data.header == null)) return undefined;
  const { header, title, products, safeHtmlItem, attachedFiles, imageFile } = parsed.data;
  const at = timeFrom(parsed.data.time, context, countLeftOut());
  const isGemini = [header, ...(products ?? [])].some((name) => isString(name) && /gemini|bard/i.test(name));
  const answer = (safeHtmlItem ?? [])
    .map((item) => textOfHtml(stringAt(item, 'html') ?? ''))
    .filter((text) => text !== '')
    .join('\n\n');
  const said = SAID.exec(title);
  // In other languages the verb is not known: what was answered was said.
  if (!isGemini || at === undefined || DID.test(title) || (said === null && answer === '')) return 'other';
  return {
    at,
    question: title.slice(said?.[0].length ?? 0),
    answer,
    attachments: [...(attachedFiles ?? []), ...(imageFile == null ? [] : [imageFile])].filter(isString),
  };
}

/** Whether two activities that follow one another in the file are of one conversation. */
export function belongTogether(one: GeminiActivity, next: GeminiActivity): boolean {
  return Math.abs(one.at - next.at) <= PAUSE_MS;
}

/** A conversation of activities in any order; at least one. */
export function draftOfActivities(activities: readonly GeminiActivity[]): Draft {
  const leftOut = countLeftOut();
  const inOrder = [...activities].sort((a, b) => a.at - b.at);
  if (inOrder.length > 1) leftOut.add('grouped');
  const turns = inOrder.flatMap(({ at, question, answer, attachments }): DraftTurn[] => {
    leftOut.add('files', attachments.length);
    const files = attachments.map((name) => missingPart('File', name));
    return [
      { role: 'user', at, parts: [textPart(question), ...files] },
      ...(answer === '' ? [] : [{ role: 'model' as const, at, parts: [textPart(answer)] }]),
    ];
  });
  const first = inOrder[0];
  return {
    source: 'gemini',
    // Takeout has no ids; nobody asks two things in one millisecond.
    sourceId: `activity:${first?.at}:${first?.question.slice(0, 200)}`,
    turns,
    leftOut: leftOut.counts,
  };
}

const historySchema = z.object({
  title: looseText,
  creation_time: z.unknown().optional(),
  last_modification_time: z.unknown().optional(),
  conversation_turns: z.array(z.unknown()),
});

/** A file of “Conversation History”. `undefined`: the value has not its form. */
export function readGeminiHistory(value: unknown, context: DraftContext): Draft | undefined {
  const parsed = historySchema.safeParse(value);
  if (!parsed.success) return undefined;
  const leftOut = countLeftOut();
  const collected = collectTurns();
  for (const entry of parsed.data.conversation_turns) {
    const asked = valueAt(entry, 'user_turn');
    const answered = valueAt(entry, 'system_turn');
    if (asked === undefined && answered === undefined) leftOut.add('turns');
    if (asked !== undefined) {
      const at = timeFrom(valueAt(asked, 'turn_last_modified'), context, leftOut);
      const prompt = stringAt(asked, 'prompt') ?? '';
      collected.user({ at, parts: prompt === '' ? [] : [textPart(prompt)] });
    }
    if (answered !== undefined) {
      const at = timeFrom(valueAt(answered, 'turn_last_modified'), context, leftOut);
      const thoughts = listAt(answered, 'model_thoughts').map((thought) =>
        [stringAt(thought, 'headline'), stringAt(thought, 'description')].filter(Boolean).join('\n'),
      );
      const texts = listAt(answered, 'text').flatMap((piece) => [
        stringAt(piece, 'data') ?? '',
        ...listAt(piece, 'cards').map((card) => stringAt(card, 'content') ?? ''),
      ]);
      const images = listAt(answered, 'images');
      leftOut.add('images', images.length);
      collected.model({
        at,
        parts: [
          ...thoughts.filter((text) => text !== '').map(thoughtPart),
          ...texts.filter((text) => text !== '').map(textPart),
          ...images.map((name) => missingPart('Picture', isString(name) ? name : undefined)),
        ],
      });
    }
  }
  const began = timeFrom(parsed.data.creation_time, context, leftOut);
  const firstWords = collected.turns[0]?.parts.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? '';
  return {
    source: 'gemini',
    sourceId: `history:${began ?? ''}:${firstWords.slice(0, 200)}`,
    title: parsed.data.title ?? undefined,
    createdAt: began,
    updatedAt: timeFrom(parsed.data.last_modification_time, context, leftOut),
    turns: collected.turns,
    leftOut: leftOut.counts,
  };
}
