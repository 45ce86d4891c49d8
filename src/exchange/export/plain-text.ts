import type { Part, Turn } from '../../contract/index.ts';
import type { Format } from './format.ts';
import { endWords, jsonWords, noteWords, speaker, timeWords, titleWords } from './words.ts';

const RULE = '='.repeat(72);

/** For anything that shows text. Lines are as long as they were. */
export const plainTextFormat: Format = {
  extension: 'txt',
  mediaType: 'text/plain',
  writer: (head) => ({
    begin: () => '',
    open: (session) =>
      `${RULE}\n${titleWords(session.title)}\n${timeWords(session.createdAt, head.timeZone)}\n${RULE}\n\n`,
    turn: (turn) => turnText(turn, head.timeZone),
    close: () => '',
    end: () => `${RULE}\nExported from Holdfast ${head.app} on ${timeWords(head.exportedAt, head.timeZone)}.\n`,
  }),
};

function turnText(turn: Turn, timeZone: string | undefined): string {
  const texts = turn.parts.map(partText).filter((text) => text.trim() !== '');
  if (turn.role === 'note') return `${texts.map((text) => `(${text})`).join('\n')}\n\n`;
  const ending = endWords(turn);
  return [
    `${speaker[turn.role]}, ${timeWords(turn.createdAt, timeZone)}:`,
    ...texts,
    ...(ending === undefined ? [] : [`[${ending}]`]),
    '\n',
  ].join('\n');
}

function partText(part: Part): string {
  switch (part.type) {
    case 'text':
      return part.text.trim();
    case 'thought':
      return `[Thoughts]\n${part.text.trim()}\n[End of thoughts]`;
    case 'tool': {
      const result = part.result === undefined ? '' : `\nResult: ${jsonWords(part.result)}`;
      return `[Tool ${titleWords(part.name)}${part.cancelled === true ? ', cancelled' : ''}]\n${jsonWords(part.args)}${result}`;
    }
    case 'note':
      return noteWords(part.note, part.turns);
  }
}
