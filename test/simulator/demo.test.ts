import { describe, expect, it } from 'vitest';
import { reply, type Conversation, type Reply } from '../../src/simulator/demo/index.ts';
import { WALL_TIME } from './virtual.ts';

type Turn = readonly [role: 'user' | 'model', text: string];

function answer(turns: readonly Turn[], extra: Partial<Conversation> = {}): Reply {
  const contents = turns.map(([role, text]) => ({ role, parts: [{ text }] }));
  return reply({ contents, system: '', tools: [], wallTime: WALL_TIME, timeZone: 'UTC', ...extra });
}

function say(text: string, before: readonly Turn[] = [], extra: Partial<Conversation> = {}): string {
  const made = answer([...before, ['user', text]], extra);
  return made.kind === 'say' ? made.text : JSON.stringify(made.calls);
}

const tool = (name: string, parameter: string): Conversation['tools'][number] => ({
  name,
  parameters: { type: 'OBJECT', properties: { [parameter]: { type: 'STRING' } }, required: [parameter] },
});
const memoryTools = [tool('remember', 'text'), tool('recall', 'query'), tool('forget', 'text')];

describe('the demo', () => {
  it.each([
    ['Hello', /^Hello\. I am the built-in demo/],
    ['Hallo', /^Hallo\. Ich bin die eingebaute Demo/],
    ['Guten Tag', /^Hallo/],
    ['¡Hola!', /^Hola\. Soy la demo/],
    ['Hello, my name is Ines.', /^Hello, Ines/],
    ['What is 12 times 7?', /^That is 84\.$/],
    ['what is (2 + 3) * 4 - 1', /^That is 19\.$/],
    ['0.1 + 0.2', /^That is 0\.3\.$/],
    ['What is 1 / 0?', /no answer/],
    ['2 ^ 10', /^That is 1024\.$/],
    ['count to 5', /^1, 2, 3, 4, 5\.$/],
    ['count from 3 to 1', /^3, 2, 1\.$/],
    ['What time is it?', /^It is 15:09 on Saturday,? 14 March 2026\.$/],
    ['What day is it today?', /^Today is Saturday,? 14 March 2026\.$/],
    ['Say good night', /^Good night$/],
    ['Who are you?', /not a language model/],
    ['What did I say first?', /not said anything before/],
    ['What is the meaning of snow?', /built-in demo.*Gemini API key/s],
    ['', /empty/],
  ])('answers %j', (text, expected) => {
    expect(say(text)).toMatch(expected);
  });

  it('counts no further than it says', () => {
    const said = say('count to 1000000');
    expect(said).toMatch(/199, 200\. I stop here/);
  });

  it('writes as many words as asked, up to a limit that it names', () => {
    expect(say('write 250 words about rain').split(/\s+/).length).toBe(250);
    expect(say('write 99999 words')).toMatch(/^I stop at 2000 words/);
    expect(say('tell me a story').split(/\s+/).length).toBeGreaterThan(200);
  });

  it('remembers what was said in the conversation', () => {
    const before: readonly Turn[] = [
      ['user', 'My name is Alice and my favorite color is teal.'],
      ['model', 'Nice to meet you, Alice.'],
      ['user', 'I live in Graz.'],
      ['model', 'A fine place.'],
    ];
    expect(say('What is my name and favorite color?', before)).toBe(
      'Your name is Alice and your favourite colour is teal.',
    );
    expect(say('Where do I live?', before)).toBe('You live in Graz.');
    expect(say("What's my dog's name?", before)).toMatch(/You have not told me/);
    expect(say('What did I say first?', before)).toContain('My name is Alice');
    expect(say('What did I say last?', before)).toContain('I live in Graz');
    expect(say('What did you say?', before)).toContain('A fine place.');
    expect(say('How many messages have I sent?', before)).toMatch(/3 messages/);
    expect(say('Please summarise', before)).toMatch(/1\. My name is Alice.*\n2\. I live in Graz\./);
    expect(say('Hello', before)).toMatch(/^Hello, Alice/);
  });

  it('takes the later of two statements', () => {
    expect(
      say('What is my name?', [
        ['user', 'My name is Ann.'],
        ['model', 'Hi.'],
        ['user', 'My name is Bea.'],
        ['model', 'Hi.'],
      ]),
    ).toBe('Your name is Bea.');
  });

  it('knows what the system instruction says about the user', () => {
    expect(
      say('What is my name?', [], {
        system: "Known facts:\nThe user's name is Tomas. The user's favourite tea is mint.",
      }),
    ).toBe('Your name is Tomas.');
  });

  it.each([
    ['Remember that I park on level 4', 'remember', { text: 'I park on level 4' }],
    ['Please remember: the code is blue', 'remember', { text: 'the code is blue' }],
    ['What do you remember about parking?', 'recall', { query: 'parking' }],
    ['Forget that I park on level 4', 'forget', { text: 'I park on level 4' }],
  ])('%j calls %s', (text, name, args) => {
    expect(answer([['user', text]], { tools: memoryTools })).toEqual({ kind: 'call', calls: [{ name, args }] });
  });

  it('does not call what is not declared', () => {
    expect(answer([['user', 'Remember that I park on level 4']]).kind).toBe('say');
  });

  it('calls a declared tool by its name and fills numbers and quoted words', () => {
    const record: Conversation['tools'][number] = {
      name: 'record_reading',
      parameters: {
        type: 'OBJECT',
        properties: { value: { type: 'INTEGER' }, a_note: { type: 'STRING' } },
        required: ['value'],
      },
    };
    expect(answer([['user', 'Please record a reading of 5 with the note "steady".']], { tools: [record] })).toEqual({
      kind: 'call',
      calls: [{ name: 'record_reading', args: { value: 5, a_note: 'steady' } }],
    });
  });

  it.each([
    ['remember', { ok: true }, 'I will remember that.'],
    ['recall', { memories: ['level 4', 'blue'] }, 'This is what I remember: level 4; blue.'],
    ['recall', { memories: [] }, 'I found nothing about that in memory.'],
    ['forget', {}, 'I have forgotten that.'],
    ['record', { error: 'no sensor' }, 'record reported an error: no sensor.'],
    ['record', { output: 'Recorded.' }, 'record answered: Recorded.'],
  ])('tells what %s answered: %j', (name, response, expected) => {
    const made = reply({
      contents: [{ role: 'user', parts: [{ functionResponse: { id: '1', name, response } }] }],
      system: '',
      tools: memoryTools,
      wallTime: WALL_TIME,
    });
    expect(made).toMatchObject({ kind: 'say', text: expected });
  });
});
