import { evaluate, expressionIn, formatNumber } from './arithmetic.ts';
import { listed, modelTexts, shorten, userTexts, type Conversation, type Reply } from './conversation.ts';
import { askedSubjects, factsIn, type Fact } from './facts.ts';
import { longText, story } from './texts.ts';
import { callFor, isToolResult, wordResults } from './tools.ts';

export type { Conversation, PlannedCall, Reply } from './conversation.ts';

const COUNT_LIMIT = 200;
const LONG_TEXT_WORDS = 400;
const LONG_TEXT_LIMIT = 2_000;
/** Rules look no further into a turn than this: their patterns are not made for novels. */
const READ_CHARACTERS = 4_000;

const GREETING = /^(?:hello|hi|hey|good (?:morning|afternoon|evening)|greetings)\b/i;
const GERMAN = /^(?:hallo|guten (?:tag|morgen|abend)|servus|moin|grüß gott|grüezi)(?![\p{L}])/iu;
const SPANISH = /^¡?(?:hola|buenos días|buenas (?:tardes|noches))(?![\p{L}])/iu;

interface Asked extends Conversation {
  readonly text: string;
  /** The user's turns before this one. */
  readonly earlier: readonly string[];
  readonly facts: ReadonlyMap<string, Fact>;
}

/** A way to answer: `undefined` where it has nothing to say. The first that answers wins. */
type Answerer = (asked: Asked) => string | undefined;

function nameOf(asked: Asked): string | undefined {
  return asked.facts.get('name')?.value;
}

const greet: Answerer = (asked) => {
  const name = nameOf(asked);
  const called = name === undefined ? '' : `, ${name}`;
  if (GERMAN.test(asked.text)) return `Hallo${called}. Ich bin die eingebaute Demo. Wie kann ich helfen?`;
  if (SPANISH.test(asked.text)) return `Hola${called}. Soy la demo incorporada. ¿En qué puedo ayudar?`;
  if (!GREETING.test(asked.text) && !/\b(?:short )?greeting\b/i.test(asked.text)) return undefined;
  if (/\?\s*$/.test(asked.text) && !/how are you/i.test(asked.text)) return undefined;
  return `Hello${called}. I am the built-in demo. What shall we talk about?`;
};

const recallConversation: Answerer = ({ text, earlier, contents }) => {
  const nothing = 'You have not said anything before this.';
  if (
    /\bwhat did i (?:say|ask|write|tell you)\b|\bwhat was my (?:first|last|previous)\b|\bmy (?:first|last|previous) (?:message|question|words)\b/i.test(
      text,
    )
  ) {
    if (earlier.length === 0) return nothing;
    if (/\bfirst\b/i.test(text)) return `The first thing you said was: “${shorten(earlier[0]!, 300)}”`;
    return `The last thing you said was: “${shorten(earlier.at(-1)!, 300)}”`;
  }
  if (/\bwhat did you (?:just )?say\b|\brepeat (?:that|your(?:self| last answer))\b|\bsay that again\b/i.test(text)) {
    const last = modelTexts(contents).at(-1);
    return last === undefined ? 'I have not said anything yet.' : `I said: “${shorten(last, 600)}”`;
  }
  if (/\bhow many (?:messages|turns|things)\b/i.test(text)) {
    return `You have sent ${earlier.length + 1} ${earlier.length === 0 ? 'message' : 'messages'}, counting this one.`;
  }
  if (/\b(?:summari[sz]e|summary|recap|what (?:did we|have we) (?:talk|discuss))/i.test(text)) {
    if (earlier.length === 0) return nothing;
    const shown = earlier.slice(-8).map((said, at) => `${at + 1}. ${shorten(said, 120)}`);
    const left = earlier.length - shown.length;
    return `So far you said:\n\n${shown.join('\n')}${left > 0 ? `\n\nBefore that there were ${left} more.` : ''}`;
  }
  return undefined;
};

const recallFacts: Answerer = ({ text, facts }) => {
  const subjects = askedSubjects(text);
  if (subjects === undefined) {
    if (!/\bwhat do you (?:know|remember) about me\b/i.test(text)) return undefined;
    const known = [...facts.values()].map((fact) => `your ${fact.subject} is ${fact.value}`);
    return known.length === 0
      ? 'You have not told me anything about yourself yet.'
      : `From this conversation I know that ${listed(known)}.`;
  }
  const known = subjects.flatMap((subject) => facts.get(subject) ?? []);
  const unknown = subjects.filter((subject) => !facts.has(subject));
  const said = known.map((fact) =>
    fact.subject === 'home' ? `you live in ${fact.value}` : `your ${fact.subject} is ${fact.value}`,
  );
  const asked = unknown.map((subject) => (subject === 'home' ? 'where you live' : `your ${subject}`));
  const sentences = [
    said.length > 0 ? `${said.join(' and ').replace(/^y/, 'Y')}.` : '',
    asked.length > 0 ? `You have not told me ${listed(asked)} in this conversation.` : '',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
};

const countUp: Answerer = ({ text }) => {
  const match = /\bcount\b(?:\s+(?:up|down))?(?:\s+from\s+(-?\d+))?\s+(?:to|until)\s+(-?\d+)/i.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1] ?? 1);
  const to = Number(match[2]);
  const step = to < from ? -1 : 1;
  const wanted = Math.abs(to - from) + 1;
  const numbers = Array.from({ length: Math.min(wanted, COUNT_LIMIT) }, (_, at) => from + at * step);
  const stop = wanted > COUNT_LIMIT ? ` I stop here: ${COUNT_LIMIT} numbers are as many as I count at once.` : '';
  return `${numbers.join(', ')}.${stop}`;
};

const tellTime: Answerer = ({ text, wallTime, timeZone }) => {
  const zone = timeZone === undefined ? {} : { timeZone };
  const format = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en-GB', { ...options, ...zone }).format(wallTime);
  const day = () => format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  if (
    /\bwhat(?:['’]s| is)? (?:the )?time\b|\btime is it\b|\btell me the time\b|\bwie spät\b|\bqué hora\b/i.test(text)
  ) {
    return `It is ${format({ hour: '2-digit', minute: '2-digit' })} on ${day()}.`;
  }
  if (
    /\b(?:what|which) (?:day|date)\b|\btoday['’]?s date\b|\bwhat(?:['’]s| is) the date\b|\btell me the date\b/i.test(
      text,
    )
  )
    return `Today is ${day()}.`;
  return undefined;
};

const calculate: Answerer = ({ text }) => {
  const expression = expressionIn(text);
  if (expression === undefined) return undefined;
  const value = evaluate(expression);
  return value === undefined ? 'That sum has no answer that I can give.' : `That is ${formatNumber(value)}.`;
};

const writeAtLength: Answerer = ({ text }) => {
  if (/\b(?:tell|write|give)\b.*\bstory\b/i.test(text)) return story();
  const words = /\b(?:write|give|say|speak)\b.*?\b(\d{2,6})[\s-]+words?\b/i.exec(text);
  if (words !== null) {
    const wanted = Number(words[1]);
    const said = wanted > LONG_TEXT_LIMIT ? `I stop at ${LONG_TEXT_LIMIT} words.\n\n` : '';
    return said + longText(Math.min(wanted, LONG_TEXT_LIMIT));
  }
  return /\b(?:write|give|tell)\b.*\b(?:long|essay|lengthy)\b/i.test(text) ? longText(LONG_TEXT_WORDS) : undefined;
};

const repeat: Answerer = ({ text }) => {
  const match = /^(?:please\s+)?(?:repeat after me|say|echo)(?:[:,]|\s)\s*["“]?(.+?)["”]?$/is.exec(text);
  return match === null || match[1]!.length > 2_000
    ? undefined
    : match[1]!.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
};

const smallTalk: Answerer = (asked) => {
  const { text } = asked;
  if (/\bhow are you\b/i.test(text)) return 'I am well, thank you. I am only a demo, so every day is much the same.';
  if (/\b(?:who|what) are you\b|\byour name\b/i.test(text)) {
    return 'I am the demo that is built into this app. I speak the same protocol as Gemini Live, but I am not a language model.';
  }
  if (/\b(?:help|what can you do)\b/i.test(text)) {
    return 'I can greet you, remember what you tell me in this conversation, count, calculate, tell the time and the date, tell a story, and use the memory tools. With a Gemini API key in the settings, Gemini itself answers.';
  }
  if (/^(?:thanks|thank you|danke|gracias)\b/i.test(text)) return 'You are welcome.';
  if (/^(?:bye|goodbye|good night|see you)\b/i.test(text)) {
    const name = nameOf(asked);
    return `Goodbye${name === undefined ? '' : `, ${name}`}. This conversation is kept.`;
  }
  if (/^(?:ok|okay|yes|no|sure|fine|stop|wait)[.!]*$/i.test(text)) return 'All right.';
  return undefined;
};

const acknowledgeFact: Answerer = ({ text }) => {
  const told = [...factsIn([text]).values()];
  if (told.length === 0) return undefined;
  const name = told.find((fact) => fact.subject === 'name');
  const rest = told.filter((fact) => fact !== name).map((fact) => `your ${fact.subject} is ${fact.value}`);
  const hello = name === undefined ? '' : `Nice to meet you, ${name.value}. `;
  return `${hello}${rest.length === 0 ? 'I will keep that in mind while we talk.' : `I will keep in mind that ${listed(rest)}.`}`;
};

const hearSpeech: Answerer = ({ text }) => {
  const match = /^\[speech, ([\d.]+) s\]$/.exec(text);
  if (match === null) return undefined;
  return `I heard you speak for ${match[1]} seconds. The built-in demo cannot make out words; with a Gemini API key in the settings, Gemini can.`;
};

const fallBack = ({ text, contents }: Asked): string => {
  const attached = contents.at(-1)?.parts?.find((part) => part.inlineData !== undefined)?.inlineData;
  if (attached !== undefined) {
    const about = text === '' ? '' : ` You also wrote: “${shorten(text, 200)}”`;
    return `You sent something of type ${attached.mimeType}. The built-in demo cannot look at it; with a Gemini API key in the settings, Gemini can.${about}`;
  }
  if (text === '') return 'That message was empty. Say something and I will answer.';
  return `You said: “${shorten(text, 300)}” I am the built-in demo and have no better answer than that. Add a Gemini API key in the settings and Gemini itself will answer.`;
};

/** A client that lost an answer in the middle asks for the rest, quoting how it ended. */
const CUT_OFF = /^Your last answer was cut off(?:\. It ended with: “(.*)” Please go on| before it began)/s;

const goOn: Answerer = (asked) => {
  const match = CUT_OFF.exec(asked.text);
  if (match === null) return undefined;
  const question = asked.earlier.findLast((said) => !CUT_OFF.test(said));
  if (question === undefined) return 'I do not know what I was saying. Ask me again.';
  const whole = plainAnswer({ ...asked, text: question.trim(), earlier: asked.earlier.slice(0, -1) });
  const at = match[1] === undefined ? -1 : whole.indexOf(match[1]);
  return at === -1 ? whole : whole.slice(at + match[1]!.length).trim() || 'That was all.';
};

const answerers: readonly Answerer[] = [
  hearSpeech,
  goOn,
  recallConversation,
  recallFacts,
  countUp,
  tellTime,
  writeAtLength,
  calculate,
  repeat,
  (asked) => (GREETING.test(asked.text) && factsIn([asked.text]).size > 0 ? greet(asked) : undefined),
  acknowledgeFact,
  greet,
  smallTalk,
];

function plainAnswer(asked: Asked): string {
  for (const answerer of answerers) {
    const said = answerer(asked);
    if (said !== undefined) return said;
  }
  return fallBack(asked);
}

function thoughtAbout(text: string): string {
  return `**Considering the request**\n\nThe user wrote “${shorten(text, 60)}”. I look at what was said so far and choose the plainest answer that fits.`;
}

/**
 * The demo's answer: plain rules over the conversation so far. It says what it is, and makes nothing up.
 */
export function reply(conversation: Conversation): Reply {
  const { contents, system, tools } = conversation;
  const last = contents.at(-1);
  if (last !== undefined && isToolResult(last))
    return { kind: 'say', text: wordResults(last.parts ?? []), thought: '' };
  const texts = userTexts(contents).map((said) => said.slice(0, READ_CHARACTERS));
  const text = (texts.at(-1) ?? '').trim();
  const asked: Asked = {
    ...conversation,
    text,
    earlier: texts.slice(0, -1),
    facts: factsIn([system.slice(0, READ_CHARACTERS), ...texts]),
  };
  const call = callFor(text, tools);
  if (call !== undefined) return { kind: 'call', calls: [call] };
  return { kind: 'say', text: plainAnswer(asked), thought: thoughtAbout(text) };
}
