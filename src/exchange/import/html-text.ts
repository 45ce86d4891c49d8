/*
 * The words of an answer that Takeout has as HTML, with as much Markdown as its structure carries. It only ever makes
 * text: whatever a tag or an attribute says besides is dropped, and nothing of it is shown as HTML again.
 */

/** Ends at the first `>`, in quotes or not: anything cleverer takes quadratic time on what a bad file can hold. */
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>/y;
const HREF = /\bhref\s*=\s*(?:"(https?:[^"]*)"|'(https?:[^']*)')/i;
const SKIPPED_WITH_CONTENT = new Set(['script', 'style', 'head', 'title', 'template', 'noscript']);
const BLOCKS = new Set(['p', 'div', 'section', 'article', 'table', 'blockquote', 'ul', 'ol', 'figure', 'hr']);
const HEADING = /^h[1-6]$/;
const MARKS: Readonly<Record<string, string>> = { b: '**', strong: '**', i: '*', em: '*', code: '`' };
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  middot: '·',
  copy: '©',
  euro: '€',
  times: '×',
  deg: '°',
};
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g;

/** Markdown of HTML. Takes any text; time and result are linear in its length. */
export function textOfHtml(html: string): string {
  const out = outline();
  let skipping: string | undefined;
  let commentsEnd = true;
  for (let at = 0; at < html.length;) {
    const next = html.indexOf('<', at);
    if (skipping === undefined) out.words(html.slice(at, next === -1 ? html.length : next));
    if (next === -1) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(html);
    if (tag === null) {
      const comment = commentsEnd && html.startsWith('<!--', next) ? html.indexOf('-->', next + 4) : -1;
      if (html.startsWith('<!--', next) && comment === -1) commentsEnd = false;
      // A comment goes; a bare `<` is a character like any other.
      if (comment === -1 && skipping === undefined) out.words('<');
      at = comment === -1 ? next + 1 : comment + 3;
      continue;
    }
    at = TAG.lastIndex;
    const name = (tag[2] ?? '').toLowerCase();
    const closes = tag[1] === '/';
    if (skipping !== undefined) {
      if (closes && name === skipping) skipping = undefined;
    } else if (SKIPPED_WITH_CONTENT.has(name)) {
      if (!closes) skipping = name;
    } else if (closes) out.close(name);
    else out.open(name, tag[3] ?? '');
  }
  return out.text();
}

/** Writes Markdown as tags open and close. */
function outline() {
  const pieces: string[] = [];
  const lists: { readonly ordered: boolean; count: number }[] = [];
  const links: (string | undefined)[] = [];
  let newlines = 2;
  let spaced = false;
  let pre = false;

  function put(text: string): void {
    if (text === '') return;
    pieces.push(text);
    spaced = text.endsWith(' ');
    newlines = text.endsWith('\n') ? (text === '\n' ? newlines + 1 : 1) : 0;
  }
  function breakLine(count: number): void {
    while (newlines < count) put('\n');
  }
  const apart = () => breakLine(lists.length > 0 ? 1 : 2);

  function item(): void {
    breakLine(1);
    const list = lists.at(-1);
    if (list !== undefined) list.count += 1;
    put(`${'  '.repeat(Math.min(20, Math.max(0, lists.length - 1)))}${list?.ordered ? `${list.count}.` : '-'} `);
  }

  return {
    words(html: string): void {
      const text = pre ? html : html.replace(/\s+/g, ' ');
      put(decoded((newlines > 0 || spaced) && !pre ? text.trimStart() : text));
    },
    open(name: string, attributes: string): void {
      if (BLOCKS.has(name)) apart();
      if (name === 'br') put('\n');
      else if (name === 'ul' || name === 'ol') lists.push({ ordered: name === 'ol', count: 0 });
      else if (name === 'li') item();
      else if (name === 'tr') breakLine(1);
      else if (name === 'td' || name === 'th') put(newlines > 0 ? '' : ' | ');
      else if (name === 'pre') {
        breakLine(2);
        put('```\n');
        pre = true;
      } else if (name === 'a') {
        const found = HREF.exec(attributes);
        const address = found?.[1] ?? found?.[2];
        links.push(address);
        put(address === undefined ? '' : '[');
      } else if (HEADING.test(name)) {
        breakLine(2);
        put(`${'#'.repeat(Number(name[1]))} `);
      } else if (!pre) put(MARKS[name] ?? '');
    },
    close(name: string): void {
      if (name === 'ul' || name === 'ol') lists.pop();
      if (name === 'pre') {
        if (!pre) return;
        pre = false;
        breakLine(1);
        put('```\n');
        breakLine(2);
      } else if (name === 'a') {
        const address = links.pop();
        put(address === undefined ? '' : `](${decoded(address)})`);
      } else if (BLOCKS.has(name) || HEADING.test(name)) apart();
      else if (!pre) put(MARKS[name] ?? '');
    },
    text: () =>
      pieces
        .join('')
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n')
        .replace(/\n{3,}/g, '\n\n')
        .trim(),
  };
}

function decoded(text: string): string {
  return text.replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? whole) : whole;
    const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(decimal, 10);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
