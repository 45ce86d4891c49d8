import { createHash } from 'node:crypto';
import type { SessionRecord } from '../../archive/index.ts';
import type { Part, Turn } from '../../contract/index.ts';
import type { Format } from './format.ts';
import { STYLE } from './html-style.ts';
import { endWords, jsonWords, noteWords, speaker, timeWords, titleWords } from './words.ts';

/**
 * The page loads nothing and runs nothing, whatever is written in it: all is denied but this one style, by its hash.
 * Texts are escaped as well; either would do alone.
 */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** One page that needs nothing beside it: no scripts, no pictures, no addresses to follow. */
export const htmlFormat: Format = {
  extension: 'html',
  mediaType: 'text/html',
  writer(head, title) {
    const sessions: SessionRecord[] = [];
    const time = (ms: number) => timeTag(ms, head.timeZone);
    return {
      begin: () => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title === undefined ? 'Conversations' : titleWords(title))}</title>
<style>${STYLE}</style>
</head>
<body>
${title === undefined ? '<header><h1>Conversations</h1><p><a href="#contents">Contents</a></p></header>\n' : ''}<main>
`,
      open(session) {
        sessions.push(session);
        const heading = title === undefined ? 'h2' : 'h1';
        return `<article id="c${sessions.length}">
<${heading} dir="auto">${escapeHtml(titleWords(session.title))}</${heading}>
<p class="when">${time(session.createdAt)}</p>
`;
      },
      turn: (turn) => turnHtml(turn, time),
      close: () => '</article>\n',
      end() {
        // Only at the end is it known what there was; a list in front would need all of it twice.
        const contents = sessions.map(
          (session, at) =>
            `<li><a href="#c${at + 1}" dir="auto">${escapeHtml(titleWords(session.title))}</a> ${time(session.createdAt)}</li>\n`,
        );
        const list =
          title === undefined ? `<nav id="contents"><h2>Contents</h2>\n<ol>\n${contents.join('')}</ol></nav>\n` : '';
        return `</main>
${list}<footer><p>Exported from Holdfast ${escapeHtml(head.app)} on ${time(head.exportedAt)}</p></footer>
</body>
</html>
`;
      },
    };
  },
};

function turnHtml(turn: Turn, time: (ms: number) => string): string {
  const parts = turn.parts.map(partHtml).join('\n');
  if (turn.role === 'note') return `<aside class="note">${parts}</aside>\n`;
  const who = turn.role === 'model' && turn.model !== undefined ? turn.model : speaker[turn.role];
  const ending = endWords(turn);
  return `<section class="turn ${turn.role}">
<p class="by"><b>${escapeHtml(who)}</b> ${time(turn.createdAt)}</p>
${parts}
${ending === undefined ? '' : `<p class="ending">${escapeHtml(ending)}</p>\n`}</section>
`;
}

function partHtml(part: Part): string {
  switch (part.type) {
    case 'text':
      return textHtml(part.text);
    case 'thought':
      return `<details><summary>Thoughts</summary>${textHtml(part.text)}</details>`;
    case 'tool': {
      const result = part.result === undefined ? '' : `<p>Result</p><pre>${escapeHtml(jsonWords(part.result))}</pre>`;
      const cancelled = part.cancelled === true ? ' (cancelled)' : '';
      return `<details><summary>Tool: ${escapeHtml(part.name)}${cancelled}</summary><pre>${escapeHtml(jsonWords(part.args))}</pre>${result}</details>`;
    }
    case 'note':
      return `<p>${escapeHtml(noteWords(part.note, part.turns))}</p>`;
  }
}

/** Blocks of code between lines of three backticks or more; all else as it was written, line by line. */
function textHtml(text: string): string {
  const out: string[] = [];
  let fence: string | undefined;
  let lines: string[] = [];
  const flush = () => {
    const block = lines.join('\n');
    lines = [];
    if (fence !== undefined) out.push(`<pre dir="ltr"><code>${escapeHtml(block)}</code></pre>`);
    else if (block.trim() !== '') out.push(`<div class="text" dir="auto">${inlineHtml(trimLines(block))}</div>`);
  };
  for (const line of text.split(/\r\n|\r|\n/)) {
    const found = /^ {0,3}(`{3,}|~{3,})([^`]*)$/.exec(line);
    const marks = found?.[1];
    const closes = fence !== undefined && marks !== undefined && marks.startsWith(fence) && found?.[2]?.trim() === '';
    if (closes || (fence === undefined && marks !== undefined)) {
      flush();
      fence = closes ? undefined : marks;
    } else lines.push(line);
  }
  flush();
  return out.join('\n');
}

/** Bold and code, which answers are full of. It works on escaped text, and so can only ever add these two tags. */
function inlineHtml(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`\n]{1,1000})`/g, '<code>$1</code>')
    .replace(/\*\*([^*\n<>]{1,1000})\*\*/g, '<b>$1</b>');
}

function trimLines(text: string): string {
  let [from, to] = [0, text.length];
  while (text[from] === '\n') from += 1;
  while (to > from && text[to - 1] === '\n') to -= 1;
  return text.slice(from, to);
}

function timeTag(ms: number, timeZone: string | undefined): string {
  const words = timeWords(ms, timeZone);
  return words === '' ? '' : `<time datetime="${new Date(ms).toISOString()}">${words}</time>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attributes in quotes. Control characters, which no page may have, become visible. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replace(/[^\P{Cc}\t\n\r]/gu, '\ufffd');
}
