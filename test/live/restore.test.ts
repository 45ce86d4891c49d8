import { describe, expect, it } from 'vitest';
import type { Turn } from '../../src/contract/index.ts';
import { contextForm, contextFrom, NO_CONTEXT, traitsOf } from '../../src/live/index.ts';
import { CONTEXT_BUDGET_CHARS, continuationText } from '../../src/live/restore.ts';
import { coveredIndex, earlierQuestions, turnsToTell } from '../../src/sessions/context.ts';

type Given = Partial<Turn> & { readonly text: string };

function turnsOf(...given: readonly Given[]): Turn[] {
  return given.map(({ text, ...rest }, at) => {
    const turn = {
      id: `t${at + 1}`,
      sessionId: 's',
      index: at + 1,
      role: 'user',
      status: 'answered',
      parts: [{ type: 'text', text }],
      createdAt: 0,
      rev: 1,
      ...rest,
    };
    return turn as unknown as Turn;
  });
}
const user = (text: string, rest: Partial<Turn> = {}): Given => ({ text, role: 'user', ...rest });
const model = (text: string, rest: Partial<Turn> = {}): Given => ({ text, role: 'model', status: 'complete', ...rest });
const words = (context: ReturnType<typeof contextFrom>) => JSON.stringify(context.contents) + context.instruction;

describe('what a connection is told', () => {
  it('is nothing where nothing was said', () => {
    expect(contextFrom([], 'turns')).toEqual(NO_CONTEXT);
    expect(contextFrom(turnsOf(user('  ')), 'turns')).toEqual(NO_CONTEXT);
  });

  it('is the conversation word for word, one content a speaker, in order', () => {
    const told = contextFrom(turnsOf(user('One'), user('Two'), model('Three'), user('Four')), 'turns');
    expect(told).toEqual({
      contents: [
        { role: 'user', parts: [{ text: 'One\n\nTwo' }] },
        { role: 'model', parts: [{ text: 'Three' }] },
        { role: 'user', parts: [{ text: 'Four' }] },
      ],
      instruction: undefined,
      turns: 4,
    });
  });

  it('leaves out the notes that are meant for the user', () => {
    const told = contextFrom(turnsOf(user('One'), { text: 'Resumed', role: 'note' } as Given), 'turns');
    expect(told.turns).toBe(1);
    expect(words(told)).not.toContain('Resumed');
  });

  it('shortens the older turns when they are too many, keeps the newest as they were, and stays within the budget', () => {
    const long = Array.from({ length: 200 }, (_, n) =>
      n % 2 === 0 ? user(`question ${n} ${'x'.repeat(500)}`) : model(`answer ${n} ${'y'.repeat(500)}`),
    );
    const told = contextFrom(turnsOf(...long), 'turns', 20_000);
    const text = told.contents.map(({ parts }) => parts?.[0]?.text ?? '');
    expect(text.join('').length).toBeLessThan(20_500);
    expect(text.at(-1)).toBe(long.at(-1)!.text);
    expect(text[0]).toMatch(/^What we said earlier, shortened:\n/);
    expect(told.contents.map(({ role }) => role)).toEqual(
      told.contents.map((_, at) => (at % 2 === 0 ? 'user' : 'model')),
    );
  });

  it('has a budget that leaves room in the smallest window', () => {
    expect(CONTEXT_BUDGET_CHARS / 4).toBeLessThan(131_072 / 4);
  });

  it('stands in the instruction where turns are not taken', () => {
    const told = contextFrom(turnsOf(user('My name is Ada'), model('Hello Ada')), 'instruction');
    expect(told.contents).toEqual([]);
    expect(told.instruction).toContain('User: My name is Ada\nYou: Hello Ada');
    expect(told.turns).toBe(2);
  });

  it('survives one turn that is larger than the whole budget', () => {
    const told = contextFrom(turnsOf(user('z'.repeat(50_000)), model('Yes')), 'turns', 10_000);
    expect(words(told).length).toBeLessThan(11_000);
    expect(told.contents.at(-1)?.parts?.[0]?.text).toMatch(/Yes$/);
  });
});

describe('the form in which it is told', () => {
  const current = traitsOf('gemini-3.8-live');
  const older = traitsOf('gemini-3.1-flash-live-preview');

  it('is turns where the model takes them', () => {
    expect(contextForm(current, 'handle')).toBe('turns');
    expect(contextForm(current, 'history')).toBe('turns');
    expect(contextForm(older, 'history')).toBe('turns');
  });

  it('is the instruction where content closes the connection, or where turns were refused', () => {
    expect(contextForm(older, 'handle')).toBe('instruction');
    expect(contextForm(current, 'summary')).toBe('instruction');
  });
});

describe('the wish to go on', () => {
  it('quotes the end of what had come', () => {
    const partial = `${'a'.repeat(500)} and the last words`;
    expect(continuationText(partial)).toContain('and the last words”');
    expect(continuationText(partial).length).toBeLessThan(400);
  });

  it('asks for the answer where nothing had come', () => {
    expect(continuationText('  ')).toMatch(/Please answer now/);
  });
});

describe('the watermark', () => {
  const turns = turnsOf(user('1'), model('2'), user('3'), user('4'));

  it('is the last turn before those that wait at the end', () => {
    expect(coveredIndex(4, [])).toBe(4);
    expect(coveredIndex(4, turns.slice(2))).toBe(2);
    expect(coveredIndex(4, turns.slice(3))).toBe(3);
    expect(coveredIndex(1, turns.slice(0, 1))).toBe(0);
  });

  it('is not held back by a question that waits before an answer', () => {
    expect(coveredIndex(4, turns.slice(2, 3))).toBe(4);
  });
});

describe('the turns after a handle', () => {
  it('bring along the questions from before it that they answer', () => {
    const turns = turnsOf(user('Q1'), user('Q2'), model('A1', { replyTo: 't1' }), model('A2', { replyTo: 't2' }));
    const after = turns.slice(2);
    expect(earlierQuestions(after)).toEqual(['t1', 't2']);
    const earlier = new Map(turns.slice(0, 2).map((turn) => [turn.id, turn]));
    expect(turnsToTell(after, earlier, new Set()).map(({ id }) => id)).toEqual(['t1', 't3', 't2', 't4']);
  });

  it('leave out the questions that are going to be asked', () => {
    const turns = turnsOf(user('Q1'), model('A1', { replyTo: 't1' }), user('Q2'));
    expect(turnsToTell(turns, new Map(), new Set(['t3'])).map(({ id }) => id)).toEqual(['t1', 't2']);
  });

  it('tell a question once, though its answer was cut and gone on with', () => {
    const turns = turnsOf(
      user('Q1'),
      model('A1', { replyTo: 't1' }),
      model('rest', { replyTo: 't1', continues: 't2' }),
    );
    expect(turnsToTell(turns, new Map(), new Set()).map(({ id }) => id)).toEqual(['t1', 't2', 't3']);
    expect(earlierQuestions(turns.slice(2))).toEqual([]);
  });
});
