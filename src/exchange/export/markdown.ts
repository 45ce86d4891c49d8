import type { Part, Turn } from '../../contract/index.ts';
import type { Format } from './format.ts';
import { endWords, jsonWords, noteWords, speaker, timeWords, titleWords } from './words.ts';

/** For people and their other tools. Texts stand as they are: what the model wrote is Markdown already. */
export const markdownFormat: Format = {
  extension: 'md',
  mediaType: 'text/markdown',
  writer(head, title) {
    // Alone in its file a conversation has the first heading.
    const level = title === undefined ? '##' : '#';
    return {
      begin: () => (title === undefined ? '# Conversations\n\n' : ''),
      open: (session) =>
        `${level} ${escaped(titleWords(session.title))}\n\n_${timeWords(session.createdAt, head.timeZone)}_\n\n`,
      turn: (turn) => turnText(turn, `${level}#`, head.timeZone),
      close: () => '',
      end: () => `---\n\n_Exported from Holdfast ${head.app} on ${timeWords(head.exportedAt, head.timeZone)}._\n`,
    };
  },
};

function turnText(turn: Turn, level: string, timeZone: string | undefined): string {
  if (turn.role === 'note') return `${turn.parts.map((part) => `_${partText(part)}_`).join('\n\n')}\n\n`;
  const who = turn.role === 'model' && turn.model !== undefined ? escaped(turn.model) : speaker[turn.role];
  const ending = endWords(turn);
  const texts = turn.parts.map(partText).filter((text) => text.trim() !== '');
  return [
    `${level} ${who} · ${timeWords(turn.createdAt, timeZone)}`,
    ...texts,
    ...(ending === undefined ? [] : [`_${escaped(ending)}_`]),
    '',
  ].join('\n\n');
}

function partText(part: Part): string {
  switch (part.type) {
    case 'text':
      return part.text.trim();
    case 'thought':
      return quoted(`**Thoughts**\n\n${part.text.trim()}`);
    case 'tool': {
      const call = `**Tool** ${escaped(part.name)}\n\n${fenced(jsonWords(part.args))}`;
      if (part.cancelled === true) return quoted(`${call}\n\nCancelled`);
      return quoted(part.result === undefined ? call : `${call}\n\n**Result**\n\n${fenced(jsonWords(part.result))}`);
    }
    case 'note':
      return noteWords(part.note, part.turns);
  }
}

function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');
}

/** A fence that is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}json\n${text}\n${fence}`;
}

/** A short text in one line, with nothing in it that Markdown reads as more than words. */
function escaped(text: string): string {
  return titleWords(text).replace(/[\\`*_{}[\]<>#|~]/g, '\\$&');
}
