import type { Content, ToolDeclaration } from '../wire.ts';
import { textOf } from '../wire.ts';
import { shorten, type PlannedCall } from './conversation.ts';

type Parameter = readonly [name: string, type: string, allowed: readonly unknown[], required: boolean];

function parametersOf(tool: ToolDeclaration): readonly Parameter[] {
  const schema = (tool.parameters ?? tool.parametersJsonSchema ?? {}) as {
    properties?: Record<string, { type?: unknown; enum?: unknown }>;
    required?: unknown;
  };
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const type = Array.isArray(property.type) ? property.type[0] : property.type;
    return [
      name,
      String(type ?? 'STRING').toUpperCase(),
      Array.isArray(property.enum) ? property.enum : [],
      required.includes(name),
    ];
  });
}

/** Fills a tool's parameters from a sentence: numbers from numbers, text from quotes, or else the sentence itself. */
function argumentsFrom(tool: ToolDeclaration, sentence: string, subject: string): Readonly<Record<string, unknown>> {
  const numbers = (sentence.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  const quotes = [...sentence.matchAll(/["“]([^"”]*)["”]/g)].map((match) => match[1]!);
  const args: Record<string, unknown> = {};
  let hasText = false;
  for (const [name, type, allowed, required] of parametersOf(tool)) {
    if (type === 'INTEGER' || type === 'NUMBER') {
      const number = numbers.shift() ?? (required ? 1 : undefined);
      if (number !== undefined) args[name] = type === 'INTEGER' ? Math.trunc(number) : number;
    } else if (type === 'BOOLEAN') {
      if (required) args[name] = true;
    } else if (type === 'ARRAY') {
      if (required) args[name] = hasText ? [] : [subject];
    } else if (type === 'OBJECT') {
      if (required) args[name] = {};
    } else if (allowed.length > 0) {
      const named = allowed.find((value) => sentence.toLowerCase().includes(String(value).toLowerCase()));
      if (named !== undefined || required) args[name] = named ?? allowed[0];
    } else {
      const text = quotes.shift() ?? (required || !hasText ? subject : undefined);
      if (text === undefined) continue;
      args[name] = text;
      hasText = true;
    }
  }
  return args;
}

/** `remember_fact` is a tool to remember with; so is `memory.remember`. */
function named(tools: readonly ToolDeclaration[], verb: string): ToolDeclaration | undefined {
  return tools.find((tool) =>
    tool.name
      .toLowerCase()
      .split(/[^a-z]+|(?<=[a-z])(?=[A-Z])/)
      .includes(verb),
  );
}

const MEMORY_REQUESTS: readonly { readonly verb: string; readonly request: RegExp }[] = [
  {
    verb: 'remember',
    request: /^(?:please\s+|can you\s+|could you\s+)*(?:remember|keep in mind|note)(?:\s+that|:)?\s+(.+?)[.!?]*$/is,
  },
  { verb: 'forget', request: /^(?:please\s+|can you\s+|could you\s+)*forget(?:\s+about|\s+that|:)?\s+(.+?)[.!?]*$/is },
  {
    verb: 'recall',
    request:
      /^(?:please\s+|can you\s+|could you\s+)*(?:recall|do you remember|what do you (?:remember|know) about|what did i ask you to remember about)\s*(.*?)[.!?]*$/is,
  },
];

function words(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** True if the sentence has the tool's name in it, written as one or as words in that order. */
function mentions(sentence: string, tool: ToolDeclaration): boolean {
  if (sentence.includes(tool.name)) return true;
  const wanted = words(tool.name.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' '));
  if (wanted.length < 2)
    return /\b(?:use|call|run|tool|function)\b/i.test(sentence) && words(sentence).includes(wanted[0] ?? '');
  let at = 0;
  for (const word of words(sentence)) if (word === wanted[at]) at += 1;
  return at === wanted.length;
}

/** The call that a sentence asks for, if a tool for it is declared. */
export function callFor(sentence: string, tools: readonly ToolDeclaration[]): PlannedCall | undefined {
  for (const { verb, request } of MEMORY_REQUESTS) {
    const match = request.exec(sentence.trim());
    const tool = match === null ? undefined : named(tools, verb);
    if (match !== null && tool !== undefined) {
      return { name: tool.name, args: argumentsFrom(tool, '', (match[1] ?? '').trim()) };
    }
  }
  const tool = tools.find((candidate) => mentions(sentence, candidate));
  return tool === undefined ? undefined : { name: tool.name, args: argumentsFrom(tool, sentence, sentence.trim()) };
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plain).join('; ');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value);
  const only = entries.length === 1 ? entries[0]! : undefined;
  if (only !== undefined) return plain(only[1]);
  return entries.map(([key, inner]) => `${key}: ${plain(inner)}`).join(', ');
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value !== 'object') return false;
  const inner = Object.values(value);
  return inner.every(isEmpty);
}

/** Words for what the tools answered. */
export function wordResults(responses: NonNullable<Content['parts']>): string {
  return responses
    .map((part) => {
      const name = part.functionResponse?.name ?? 'The tool';
      const response = part.functionResponse?.response;
      if (response !== undefined && 'error' in response)
        return `${name} reported an error: ${shorten(plain(response.error), 300)}.`;
      const verb = name.toLowerCase();
      if (verb.includes('recall')) {
        return isEmpty(response)
          ? 'I found nothing about that in memory.'
          : `This is what I remember: ${shorten(plain(response), 600)}.`;
      }
      if (verb.includes('remember')) return 'I will remember that.';
      if (verb.includes('forget')) return 'I have forgotten that.';
      return isEmpty(response) ? `${name} is done.` : `${name} answered: ${shorten(plain(response), 600)}`;
    })
    .join(' ')
    .replace(/([.!?])\.(?=\s|$)/g, '$1');
}

export function isToolResult(content: Content | undefined): boolean {
  return content?.parts?.some((part) => part.functionResponse !== undefined) === true && textOf(content) === '';
}
