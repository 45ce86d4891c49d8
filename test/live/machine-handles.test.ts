import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/contract/index.ts';
import { ask, invalid, lost, MINUTE, playedLive, playLink, rung, SECOND } from './played-link.ts';
import type { PlayedLink } from './played-link.ts';

const handles = (link: PlayedLink) => link.data.ladder.map(({ handle }) => handle);
const usage = (promptTokens: number): { kind: 'usage'; usage: Usage } => ({
  kind: 'usage',
  usage: { promptTokens, responseTokens: 20, thoughtTokens: 0, totalTokens: promptTokens + 20 },
});

describe('a handle', () => {
  it('that comes at a boundary is kept, newest first, four at most', () => {
    const link = playLink();
    for (let n = 1; n <= 6; n += 1) {
      link.input(ask(`q${n}`));
      link.answers('Yes.', `h${n}`);
    }
    expect(handles(link)).toEqual(['h6', 'h5', 'h4', 'h3']);
    expect(link.data.ladder.map(({ after }) => after)).toEqual(['q6', 'q5', 'q4', 'q3']);
    expect(link.factsOf('ladder').at(-1)?.ladder).toEqual(link.data.ladder);
  });

  it('that comes while an answer is due is not kept: nobody knows what it stands for', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'handle', handle: 'before', consumed: undefined });
    link.says({ kind: 'text', text: 'Tw' }, { kind: 'handle', handle: 'amid', consumed: undefined });
    expect(handles(link)).toEqual(['h1']);
    link.says({ kind: 'not-resumable' }, { kind: 'turn-complete' });
    link.says({ kind: 'handle', handle: 'h2', consumed: undefined });
    expect(handles(link)).toEqual(['h2', 'h1']);
  });

  it('that comes while words come that nobody asked for is not kept', () => {
    const link = playedLive();
    link.says({ kind: 'text', text: 'By the way' }, { kind: 'handle', handle: 'amid', consumed: undefined });
    expect(handles(link)).toEqual(['h1']);
  });

  it('that is two hours old, or of another model, is passed over', () => {
    const old = playedLive();
    old.input({ type: 'pause' });
    old.setClock(111 * MINUTE);
    old.input({ type: 'resume' });
    expect(old.plans.at(-1)).toEqual({ kind: 'history' });
    const other = playedLive();
    other.world.model = 'gemini-2.5-flash-native-audio-preview-12-2025';
    other.input({ type: 'refresh' });
    expect(other.plans.slice(-2).map(({ kind }) => kind)).toEqual(['handle', 'history']);
    expect(other.dials).toHaveLength(2);
    // The user may change back.
    expect(handles(other)).toEqual(['h1']);
  });
});

describe('a poisoned handle', () => {
  const ladder = [rung('poisoned'), rung('good', { after: 'q0' })];

  it('that connects and dies at the next input with 1007 is given up, and the turn is innocent', () => {
    const link = playLink({ ladder });
    link.input(ask('q1'));
    link.ends(invalid);
    expect(handles(link)).toEqual(['good']);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q1', epoch: 2 });
    expect(link.state).toMatchObject({ kind: 'live', restored: 'resumed-older' });
    expect(link.data.outbox[0]).toMatchObject({ deaths: 0 });
  });

  it('that hears and does not answer within 8 s is given up', () => {
    const link = playLink({ ladder });
    link.input(ask('q1'));
    link.says({ kind: 'heard', text: 'Say #1#', interim: false });
    link.pass(8 * SECOND - 1);
    expect(link.dials).toHaveLength(1);
    link.pass(1);
    expect(handles(link)).toEqual(['good']);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q1', epoch: 2 });
  });

  it('is told from a slow server: once it has answered, it is given 30 s', () => {
    const link = playLink({ ladder });
    link.input(ask('q1'));
    link.answers('One.', 'h1');
    link.pass(20 * SECOND);
    link.says({ kind: 'handle', handle: 'h2', consumed: undefined });
    link.input(ask('q2'));
    link.pass(29 * SECOND);
    expect(link.dials).toHaveLength(1);
    link.ends(lost);
    expect(handles(link)).toContain('poisoned');
  });

  it('is not used again after the ladder has been gone down', () => {
    const link = playLink({ ladder, contextTurns: (plan) => (plan.kind === 'handle' ? 0 : 3) });
    link.input(ask('q1'));
    link.ends(invalid);
    link.ends(invalid);
    expect(handles(link)).toEqual([]);
    expect(link.plans.map(({ kind }) => kind)).toEqual(['handle', 'handle', 'history']);
    expect(link.state).toMatchObject({ kind: 'live', restored: 'rebuilt' });
    link.answers('One.', 'h1');
    link.ends(lost);
    link.pass(SECOND);
    expect(link.plans.slice(3).filter((plan) => plan.kind === 'handle' && plan.rung.handle === 'poisoned')).toEqual([]);
  });

  it('is not suspected for a connection that the network took', () => {
    const link = playLink({ ladder });
    link.input(ask('q1'));
    link.ends(lost);
    link.pass(SECOND);
    expect(handles(link)).toEqual(['poisoned', 'good']);
  });
});

describe('a turn that kills connections', () => {
  it('is put aside after two, on a proven connection, and those behind it go on', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.answers('Two.', 'h2');
    link.input({ type: 'reconnect' });
    link.input(ask('q3'));
    link.answers('Three.');
    link.pass(11 * SECOND);
    link.says({ kind: 'handle', handle: 'h3', consumed: undefined });
    link.input(ask('killer'), ask('q5'));
    link.ends(invalid);
    link.pass(30 * SECOND);
    expect(link.factsOf('failed')).toEqual([]);
    // The handle it is asked on next is not proven, so that is given up first.
    for (let death = 0; death < 4 && link.factsOf('failed').length === 0; death += 1) {
      link.ends(invalid);
      link.pass(30 * SECOND);
    }
    expect(link.factsOf('failed')).toMatchObject([
      { turnId: 'killer', problem: { code: 'turn_rejected', retry: 'user' } },
    ]);
    link.pass(30 * SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q5' });
    expect(link.state.kind).toBe('live');
  });

  it('never kills more connections than there are rungs and tries, whatever it is asked on', () => {
    const link = playLink({
      ladder: ['a', 'b', 'c', 'd'].map((handle) => rung(handle)),
      contextTurns: (plan) => (plan.kind === 'handle' ? 0 : 4),
    });
    link.input(ask('killer'), ask('next'));
    let deaths = 0;
    while (link.data.outbox[0]?.turnId === 'killer' && deaths < 20) {
      if (link.data.connection?.stage === 'ready') {
        link.ends(invalid);
        deaths += 1;
      } else if (link.state.kind === 'needs-you') link.input({ type: 'reconnect' });
      else link.pass(30 * SECOND);
    }
    expect(link.factsOf('failed').map(({ turnId }) => turnId)).toEqual(['killer']);
    expect(deaths).toBeLessThanOrEqual(8);
  });
});

describe('an acknowledgement', () => {
  it('makes a handle of use that comes after the question: it is then only nudged for the answer', () => {
    const link = playedLive();
    link.input(ask('q2'));
    // The setup was frame 0, the first question 1, this one 2.
    expect(link.data.outbox[0]).toMatchObject({ messageIndex: 2 });
    link.says({ kind: 'handle', handle: 'h2', consumed: 2 });
    expect(link.data.ladder[0]).toMatchObject({ handle: 'h2', after: 'q1', pending: 'q2' });
    link.ends(lost);
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'nudge', epoch: 2 });
  });

  it('of less than the question leaves the question to be asked', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'handle', handle: 'h2', consumed: 1 });
    expect(link.data.ladder[0]).toMatchObject({ handle: 'h2', after: 'q1', pending: undefined });
    link.ends(lost);
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'question', epoch: 2 });
  });

  it('in mid-answer is of no use: what has been said of the answer is not in it', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' }, { kind: 'handle', handle: 'h2', consumed: 2 });
    expect(handles(link)).toEqual(['h1']);
  });
});

describe('a context that has collapsed', () => {
  /** A conversation of 400 tokens, resumed; the first answer's prompt count says what the server still knows. */
  function resumedWith(promptTokens: number): PlayedLink {
    const link = playLink({ contextTurns: (plan) => (plan.kind === 'history' && link.dials.length > 0 ? 6 : 0) });
    for (let n = 1; n <= 4; n += 1) {
      link.input(ask(`q${n}`));
      link.says({ kind: 'text', text: 'Yes.' }, usage(n * 100), { kind: 'turn-complete' });
      link.says({ kind: 'handle', handle: `h${n}`, consumed: undefined });
    }
    link.ends(lost);
    link.pass(SECOND);
    link.input(ask('q5'));
    link.says({ kind: 'text', text: 'What?' }, usage(promptTokens), { kind: 'turn-complete' });
    // It might have been a greeting, whose count would say nothing.
    link.pass(11 * SECOND);
    return link;
  }

  it('is left, told, and told the history', () => {
    const link = resumedWith(110);
    expect(link.factsOf('context-lost')).toMatchObject([{ expected: 400, found: 110 }]);
    expect(handles(link)).toEqual([]);
    expect(link.plans.at(-1)).toEqual({ kind: 'history' });
    expect(link.state).toMatchObject({ kind: 'live', restored: 'rebuilt' });
    expect(link.factsOf('connection').at(-1)).toMatchObject({ why: 'fresh' });
  });

  it.each([400, 450, 900])('is not seen in one of %i tokens', (tokens) => {
    const link = resumedWith(tokens);
    expect(link.factsOf('context-lost')).toEqual([]);
    expect(link.dials).toHaveLength(2);
  });

  it('is not seen where compression has shrunk it', () => {
    const link = playLink({ ladder: [rung('h')], tokens: { base: 100, last: 61_000 } });
    link.input(ask('q1'));
    link.says({ kind: 'text', text: 'Yes.' }, usage(20_000), { kind: 'turn-complete' });
    link.pass(11 * SECOND);
    expect(link.factsOf('context-lost')).toEqual([]);
  });
});

describe('a resumed server', () => {
  it('that greets before anything was asked is not taken for an answer', () => {
    const link = playedLive();
    link.ends(lost);
    link.pass(SECOND);
    link.says({ kind: 'text', text: 'Hello again' }, { kind: 'turn-complete' });
    expect(link.factsOf('words').map(({ text }) => text)).toEqual(['One.']);
    link.input(ask('q2'));
    link.pass(SECOND);
    link.answers('Two.');
    expect(link.factsOf('words').at(-1)).toMatchObject({ turnId: 'q2', text: 'Two.' });
  });

  it('that greets when it is asked, and is interrupted by the question, still answers it', () => {
    const link = playedLive();
    link.ends(lost);
    link.pass(SECOND);
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Hello ag' }, { kind: 'interrupted' }, { kind: 'turn-complete' });
    expect(link.factsOf('not-the-answer')).toMatchObject([{ turnId: 'q2' }]);
    link.answers('Two.');
    expect(link.factsOf('answered').at(-1)).toMatchObject({ turnId: 'q2', how: 'complete' });
    expect(link.asks.filter(({ turnId }) => turnId === 'q2')).toHaveLength(1);
  });

  it('that says once more what it had said is not taken for an answer', () => {
    const link = playedLive();
    link.ends(lost);
    link.pass(SECOND);
    link.says(
      { kind: 'heard', text: 'q1', interim: false },
      { kind: 'text', text: 'On' },
      { kind: 'text', text: 'e.' },
      { kind: 'turn-complete' },
    );
    expect(link.factsOf('words')).toHaveLength(1);
    expect(link.data.outbox).toEqual([]);
  });

  it('that refuses the history as turns is told a summary in its instructions', () => {
    const link = playLink({ contextTurns: () => 5 });
    link.input(ask('q1'));
    expect(link.plans).toEqual([{ kind: 'history' }]);
    link.ends(invalid);
    link.pass(SECOND);
    expect(link.plans.at(-1)).toEqual({ kind: 'summary' });
    expect(link.state).toMatchObject({ kind: 'live', restored: 'summarised' });
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q1', epoch: 2 });
  });
});
