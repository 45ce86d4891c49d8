/*
 * File names from titles, good on Windows, macOS and Linux alike: a folder of exports is copied from one to the other.
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file has Windows' rules, the strictest of the three.
 */

/** Bytes of a name without its ending. Most file systems take 255; some encrypted ones take 143. */
const NAME_MAX_BYTES = 120;
/** What is looked at of a title. Titles of the app are short; those of files can be anything. */
const TITLE_MAX = 1000;
const UNNAMED = 'Conversation';

const NOT_IN_NAMES = /[<>:"/\\|?*]/g;
/** Control characters, and those that turn the direction of text and could make one ending look like another. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu;
/** Format characters that belong to what people write: joiners of emoji and of scripts. */
const JOINERS = /[\u200c\u200d]/;
/** Devices of DOS, with or without an ending. */
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A name without an ending: never empty, never reserved, no leading or trailing dot or space, at most 120 bytes. */
export function safeFileName(title: string): string {
  const readable = title
    .slice(0, TITLE_MAX)
    .toWellFormed()
    .normalize('NFC')
    .replace(UNSEEN, (character) => (JOINERS.test(character) ? character : ' '))
    .replace(NOT_IN_NAMES, '-')
    .replace(/\s+/g, ' ');
  const trimmed = trimEnds(cut(trimEnds(readable), NAME_MAX_BYTES));
  if (trimmed === '' || /^[-\s.]*$/.test(trimmed)) return UNNAMED;
  return RESERVED.test(trimmed) ? `_${trimmed}` : trimmed;
}

/** Gives out names that no file system takes for one another, whatever it thinks of case and of accents. */
export interface FileNames {
  /** A safe name with the extension, numbered where it was given out or marked before. */
  name(title: string, extension: string): string;
  /** A name that is taken already. */
  mark(name: string): void;
}

export function fileNames(): FileNames {
  const taken = new Set<string>();
  return {
    name(title, extension) {
      const safe = safeFileName(title);
      for (let count = 1; ; count += 1) {
        const candidate = `${count === 1 ? safe : `${safe} (${count})`}.${extension}`;
        if (taken.has(folded(candidate))) continue;
        taken.add(folded(candidate));
        return candidate;
      }
    },
    mark: (name) => void taken.add(folded(name)),
  };
}

function folded(name: string): string {
  return name.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD');
}

function trimEnds(name: string): string {
  return name.replace(/^[\s.]+/, '').replace(/[\s.]+$/, '');
}

/** Cuts between what a reader sees as characters, so that no half of an emoji is left. */
function cut(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  let room = bytes;
  let kept = '';
  for (const { segment } of graphemes.segment(name)) {
    room -= Buffer.byteLength(segment);
    if (room < 0) break;
    kept += segment;
  }
  return kept;
}
