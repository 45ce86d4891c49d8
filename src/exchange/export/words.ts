import type { Note, Turn } from '../../contract/index.ts';

/** The words that an export for people is made of, in one place. */
export const speaker: Readonly<Record<Turn['role'], string>> = { user: 'You', model: 'Model', note: 'Connection' };

/** How the end of a turn is told; `undefined` where there is nothing to tell. */
export function endWords({ status, problem }: Turn): string | undefined {
  switch (status) {
    case 'queued':
    case 'sent':
      return 'Waiting for an answer when this was exported';
    case 'streaming':
      return 'Still being answered when this was exported';
    case 'stopped':
      return 'Stopped by you';
    case 'interrupted':
      return `Interrupted${problem === undefined ? '' : `: ${problem.message}`}`;
    case 'failed':
      return `Failed${problem === undefined ? '' : `: ${problem.message}`}`;
    case 'answered':
    case 'complete':
      return undefined;
  }
}

export function noteWords(note: Note, turns: number): string {
  switch (note) {
    case 'resumed':
      return 'The connection was resumed where it was.';
    case 'resumed-older':
      return 'The connection was resumed from an older point, and told again what came after it.';
    case 'rebuilt':
      return `A new connection was told the conversation again (${turns} turns).`;
    case 'summarised':
      return 'A new connection was told a summary of the conversation.';
    case 'context-lost':
      return 'A new connection does not know what was said before.';
  }
}

/** “2026-11-21 08:49” in the time zone. Empty for times that no calendar has. */
export function timeWords(ms: number, timeZone: string | undefined): string {
  if (!Number.isFinite(new Date(ms).getTime())) return '';
  const format = formatterFor(timeZone);
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part['year']}-${part['month']}-${part['day']} ${part['hour']}:${part['minute']}`;
}

/** Making one costs as much as a hundred uses of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterFor(timeZone: string | undefined): Intl.DateTimeFormat {
  const key = timeZone ?? '';
  const made =
    formatters.get(key) ??
    new Intl.DateTimeFormat('en-GB-u-ca-iso8601-hc-h23', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      ...(timeZone !== undefined && { timeZone }),
    });
  formatters.set(key, made);
  return made;
}

/** A title in one line; a name where there is none. */
export function titleWords(title: string): string {
  return title.replace(/[\s\p{Cc}]+/gu, ' ').trim() || 'Untitled conversation';
}

export function jsonWords(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
