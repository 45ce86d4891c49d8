/** What a person has said about themselves, read from plain sentences. */

export interface Fact {
  /** As asked for, such as `name` or `favourite colour`. */
  readonly subject: string;
  readonly value: string;
}

/** One spelling for both sides of the Atlantic, so that an answer is found under either. */
export function subjectKey(subject: string): string {
  return subject
    .toLowerCase()
    .replaceAll('favorite', 'favourite')
    .replaceAll('color', 'colour')
    .replace(/\s+/g, ' ')
    .trim();
}

const STATEMENT =
  /\b(?:my|the user['’]s|their)\s+((?:[\p{L}-]+\s+){0,3}?[\p{L}-]+)\s+(?:is|are|was)\s+(?:called\s+)?(.+?)(?=\s+(?:and|but)\s+(?:my|the user['’]s|their|i)\b|[.,;!?\n]|$)/giu;
const CALLED = /\b(?:call me|i am called|i['’]m called)\s+([\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)?)/giu;
const I_AM_NAMED = /\b(?:i am|i['’]m)\s+(\p{Lu}[\p{L}'’-]+)(?=[.,;!?\n]|$)/gu;
const LIVES = /\b(?:i live|i['’]m living|the user lives)\s+in\s+(.+?)(?=\s+(?:and|but)\s|[.,;!?\n]|$)/giu;

const QUESTION_WORD = /^(?:what|who|which|where|when|how|why|unknown|not)\b/i;

/** Later statements go over earlier ones. @param texts oldest first */
export function factsIn(texts: readonly string[]): ReadonlyMap<string, Fact> {
  const facts = new Map<string, Fact>();
  const note = (subject: string, value: string): void => {
    const clean = value.trim().replace(/["']+$/, '');
    if (clean === '' || QUESTION_WORD.test(clean)) return;
    const key = subjectKey(subject);
    facts.delete(key);
    facts.set(key, { subject: key, value: clean });
  };
  for (const text of texts) {
    // "What is my name?" states nothing; "My name is Ada. What can you do?" does.
    const statements = text.split(/(?<=[.!?\n])\s+/).filter((sentence) => !sentence.trim().endsWith('?'));
    for (const sentence of statements) {
      for (const match of sentence.matchAll(STATEMENT)) note(match[1]!, match[2]!);
      for (const match of sentence.matchAll(CALLED)) note('name', match[1]!);
      for (const match of sentence.matchAll(I_AM_NAMED)) note('name', match[1]!);
      for (const match of sentence.matchAll(LIVES)) note('home', match[1]!);
    }
  }
  return facts;
}

const QUESTION =
  /\b(?:what|who|which|where)(?:['’]s|\s+is|\s+are|\s+was|\s+were)?\s+my\s+(.+?)(?:\s+again)?\s*[?.!]*$/i;
const ASKED_OTHERWISE =
  /\b(?:do you (?:know|remember)|can you tell me|tell me)\s+(?:what\s+)?my\s+(.+?)(?:\s+(?:is|are))?\s*[?.!]*$/i;
const LIVES_QUESTION = /\bwhere do i live\b/i;

/** The subjects that a question asks about: "my name and favourite colour" are two. */
export function askedSubjects(text: string): readonly string[] | undefined {
  if (LIVES_QUESTION.test(text)) return ['home'];
  if (/\bwho am i\b/i.test(text)) return ['name'];
  const match = QUESTION.exec(text) ?? ASKED_OTHERWISE.exec(text);
  if (match === null) return undefined;
  return match[1]!
    .split(/\s*,\s*|\s+and\s+/)
    .map((subject) => subjectKey(subject.replace(/^(?:what\s+is\s+)?my\s+/i, '')))
    .filter((subject) => subject !== '');
}
