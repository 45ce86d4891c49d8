/** Why a file cannot be read to its end. What came before the fault may be good. */
export type UnreadableReason =
  | 'empty'
  | 'unknown-format'
  | 'html'
  | 'packed-otherwise'
  | 'newer-version'
  | 'encoding'
  | 'truncated'
  | 'malformed'
  | 'too-large'
  | 'zip-damaged'
  | 'zip-encrypted'
  | 'zip-unsafe-name'
  | 'zip-bomb'
  | 'zip-nothing-inside'
  | 'disk';

/** Thrown within this folder alone; `readSource` turns it into a value. */
export class Unreadable extends Error {
  readonly reason: UnreadableReason;
  readonly context: Readonly<Record<string, string | number>>;

  constructor(reason: UnreadableReason, context: Readonly<Record<string, string | number>> = {}) {
    super(`Unreadable: ${reason}`);
    this.reason = reason;
    this.context = context;
  }
}

/** What a user is told: what is the matter, and what to do. `name` is the file's. */
export function wordsFor(reason: UnreadableReason, name: string): string {
  const file = `“${name}”`;
  switch (reason) {
    case 'empty':
      return `${file} is empty. Download or export it again.`;
    case 'unknown-format':
      return `${file} is not an export that Holdfast knows. It reads its own JSON, the exports of ChatGPT and Claude, prompts of Google AI Studio, and Gemini’s activity from Google Takeout.`;
    case 'html':
      return `${file} is a web page, which cannot be imported. Choose the JSON file instead: conversations.json in an export of ChatGPT or Claude; in Google Takeout, set the format of My Activity to JSON and export again.`;
    case 'packed-otherwise':
      return `${file} is packed in a way that Holdfast does not open. Unpack it and choose the JSON file inside, or export again as a zip file.`;
    case 'newer-version':
      return `${file} was written by a newer version of Holdfast. Update Holdfast, then import it again. Nothing was changed.`;
    case 'encoding':
      return `${file} is not text in UTF-8 or UTF-16. It was damaged or saved again by another program; use the file as it was downloaded.`;
    case 'truncated':
      return `${file} ends in the middle. The download was probably cut; download it again.`;
    case 'malformed':
      return `${file} is damaged: it stops being valid JSON part of the way in. Use the file as it was downloaded, or download it again.`;
    case 'too-large':
      return `${file} holds a single text that is larger than Holdfast can take in. It is probably damaged.`;
    case 'zip-damaged':
      return `${file} is a damaged or incomplete zip file. Download it again.`;
    case 'zip-encrypted':
      return `${file} is protected by a password. Unpack it, and choose the JSON file inside.`;
    case 'zip-unsafe-name':
      return `${file} names files outside of itself, which no genuine export does. It was not opened.`;
    case 'zip-bomb':
      return `${file} unpacks to far more than an export does. It was not opened further.`;
    case 'zip-nothing-inside':
      return `${file} holds no conversations that Holdfast knows. Look for conversations.json or MyActivity.json inside.`;
    case 'disk':
      return `${file} could not be read. Check that it is still there and may be opened, then try again.`;
  }
}
