import type { IncomingConversation } from '../conversation.ts';
import { FILE_FORMAT, FILE_VERSION } from '../json-format.ts';
import { readAiStudio } from './ai-studio.ts';
import { readChatgpt } from './chatgpt.ts';
import { readClaude } from './claude.ts';
import { settle } from './draft.ts';
import type { Draft, DraftContext } from './draft.ts';
import { belongTogether, draftOfActivities, readGeminiActivity, readGeminiHistory } from './gemini.ts';
import type { GeminiActivity } from './gemini.ts';
import { readHoldfast } from './holdfast.ts';
import { jsonItems } from './json-items.ts';
import type { JsonEvent } from './json-items.ts';
import type { LeftOut } from './left-out.ts';
import type { ImportLimits } from './limits.ts';
import { isRecord, stringAt } from './loose.ts';
import { Unreadable } from './unreadable.ts';

/** Why something that stands in a file is not taken. */
export type SkipReason = 'empty' | 'damaged' | 'too-large' | 'too-deep' | 'not-a-conversation';

/** What is found in a file, in its order. */
export type Found =
  | { readonly kind: 'conversation'; readonly conversation: IncomingConversation; readonly leftOut: LeftOut }
  | { readonly kind: 'skipped'; readonly title: string; readonly count: number; readonly reason: SkipReason };

/**
 * The conversations of a JSON text, whichever service wrote it: the form of each value says what it is, never the name
 * of the file. Throws `Unreadable` at the first byte that makes no sense; what was found before is good.
 */
export async function* readJson(
  chunks: AsyncIterable<Uint8Array>,
  context: DraftContext,
  limits: ImportLimits,
): AsyncGenerator<Found> {
  const json = jsonItems(limits);
  const file = fileReader(context);
  for await (const chunk of chunks) {
    for (const event of json.write(chunk)) yield* file.take(event);
  }
  for (const event of json.end()) yield* file.take(event);
  yield* file.end();
}

function fileReader(context: DraftContext) {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  let activities: GeminiActivity[] = [];
  let items = 0;
  let known = 0;
  let unknown = 0;

  function* take(event: JsonEvent): Generator<Found> {
    switch (event.kind) {
      case 'field':
        fields[event.key] = event.value;
        if (isOurs()) known += 1;
        return;
      case 'item':
        items += 1;
        yield* isOurs() ? ours(event.value) : foreign(event.value);
        return;
      case 'left-out':
        items += 1;
        known += 1;
        yield { kind: 'skipped', title: event.key ?? `Number ${items}`, count: 1, reason: event.reason };
        return;
      case 'broken':
        yield* finished();
        throw new Unreadable(event.reason, { at: event.at });
    }
  }

  /** Whether the head of the file says so. A version that we do not know is not read at all. */
  function isOurs(): boolean {
    if (fields['format'] !== FILE_FORMAT || fields['version'] === undefined) return false;
    if (fields['version'] === FILE_VERSION) return true;
    const { version } = fields;
    throw typeof version === 'number' && version > FILE_VERSION
      ? new Unreadable('newer-version', { version })
      : new Unreadable('malformed', { version: String(version) });
  }

  function* ours(value: unknown): Generator<Found> {
    const read = readHoldfast(value, context);
    if (read?.kind === 'read') yield { ...read, kind: 'conversation' };
    else {
      const title = stringAt(isRecord(value) ? value['session'] : undefined, 'title') ?? `Number ${items}`;
      yield { kind: 'skipped', title, count: 1, reason: 'damaged' };
    }
  }

  function* foreign(value: unknown): Generator<Found> {
    const draft = draftOf(value, context);
    if (draft !== undefined) {
      known += 1;
      yield* finished();
      yield settledOrEmpty(draft);
      return;
    }
    const activity = readGeminiActivity(value, context);
    if (activity === undefined || activity === 'other') {
      // An activity of another product shows that the file is one of activities.
      if (activity === 'other') known += 1;
      unknown += 1;
      return;
    }
    known += 1;
    const last = activities.at(-1);
    if (last !== undefined && !belongTogether(last, activity)) yield* finished();
    activities.push(activity);
  }

  /** Activities are held until one comes that belongs to another conversation. */
  function* finished(): Generator<Found> {
    if (activities.length === 0) return;
    const draft = draftOfActivities(activities);
    activities = [];
    yield settledOrEmpty(draft);
  }

  function settledOrEmpty(draft: Draft): Found {
    const conversation = settle(draft, context);
    return conversation.turns.length === 0
      ? { kind: 'skipped', title: conversation.session.title, count: 1, reason: 'empty' }
      : { kind: 'conversation', conversation, leftOut: draft.leftOut };
  }

  function* end(): Generator<Found> {
    yield* finished();
    const draft = items === 0 ? draftOf({ ...fields }, context) : undefined;
    if (draft !== undefined) {
      known += 1;
      yield settledOrEmpty(draft);
    }
    if (known === 0) {
      throw new Unreadable(items === 0 && Object.keys(fields).length === 0 ? 'empty' : 'unknown-format');
    }
    if (unknown > 0) yield { kind: 'skipped', title: context.fileTitle, count: unknown, reason: 'not-a-conversation' };
  }

  return { take, end };
}

/** A foreign conversation that is one value. */
function draftOf(value: unknown, context: DraftContext): Draft | undefined {
  if (!isRecord(value)) return undefined;
  if ('mapping' in value) return readChatgpt(value, context);
  if ('chat_messages' in value) return readClaude(value, context);
  if ('chunkedPrompt' in value) return readAiStudio(value, context);
  if ('conversation_turns' in value) return readGeminiHistory(value, context);
  return undefined;
}
