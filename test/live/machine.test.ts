import { describe, expect, it } from 'vitest';
import type { LinkInput } from '../../src/live/index.ts';
import { ask, lost, MINUTE, playedLive, playLink, rung, SECOND, START } from './played-link.ts';
import type { PlayedLink } from './played-link.ts';

const turnIds = (link: PlayedLink) => link.asks.map(({ turnId }) => turnId);
const audio = (base64: string): LinkInput => ({ type: 'audio', base64 });

describe('turns', () => {
  it('connect a link that is idle, and are sent one after the other, each after the answer before it', () => {
    const link = playLink();
    expect(link.state).toEqual({ kind: 'idle', since: START });
    link.input(ask('q1'), ask('q2'), ask('q3'));
    expect(turnIds(link)).toEqual(['q1']);
    link.answers('One.', 'h1');
    expect(turnIds(link)).toEqual(['q1', 'q2']);
    link.answers('Two.', 'h2');
    link.answers('Three.', 'h3');
    expect(turnIds(link)).toEqual(['q1', 'q2', 'q3']);
    expect(link.factsOf('answered').map(({ turnId, how }) => [turnId, how])).toEqual([
      ['q1', 'complete'],
      ['q2', 'complete'],
      ['q3', 'complete'],
    ]);
  });

  it('are taken once, however often they are handed in', () => {
    const link = playLink();
    link.input(ask('q1'), ask('q1'));
    link.answers('One.');
    expect(turnIds(link)).toEqual(['q1']);
  });

  it('wait a moment for the handle that covers the last answer, and no longer', () => {
    const link = playedLive();
    link.input(ask('q2'), ask('q3'));
    link.answers('Two.');
    expect(turnIds(link)).toEqual(['q1', 'q2']);
    link.pass(150);
    expect(turnIds(link)).toEqual(['q1', 'q2', 'q3']);
  });

  it('whose answer never ends are over at silence after generationComplete', () => {
    const link = playLink();
    link.input(ask('q1'));
    link.says({ kind: 'text', text: 'One.' }, { kind: 'generation-complete' });
    link.pass(1_500);
    expect(link.factsOf('answered')).toMatchObject([{ turnId: 'q1', how: 'complete' }]);
  });

  it('whose answer does not come within 30 s are asked again on a new connection', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.pass(30 * SECOND - 1);
    expect(link.dials).toHaveLength(1);
    link.pass(SECOND);
    expect(turnIds(link)).toEqual(['q1', 'q2', 'q2']);
  });

  it('are asked again when nothing but thoughts had come, and what came is told to be cut', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'thought', text: 'Hm.' });
    link.ends(lost);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'question' });
    expect(link.factsOf('cut')).toMatchObject([{ turnId: 'q2', goesOn: true }]);
  });

  it('whose answer is cut are gone on with by themselves once; the second time is left to the user', () => {
    const link = playedLive();
    link.input(ask('q2'), ask('q3'));
    link.says({ kind: 'text', text: 'Tw' });
    link.ends(lost);
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'continuation' });
    link.says({ kind: 'text', text: 'o, a' });
    link.ends(lost);
    link.pass(SECOND);
    expect(link.factsOf('cut').map(({ turnId, goesOn }) => [turnId, goesOn])).toEqual([
      ['q2', true],
      ['q2', false],
    ]);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3', form: 'question' });
  });

  it('whose answer is cut are left to the user where they want it so', () => {
    const link = playedLive({ goOn: false });
    link.input(ask('q2'), ask('q3'));
    link.says({ kind: 'text', text: 'Tw' });
    link.ends(lost);
    expect(link.factsOf('cut')).toMatchObject([{ turnId: 'q2', goesOn: false }]);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3', form: 'question' });
  });

  it('whose answer was cut in an earlier run of the program are gone on with', () => {
    const link = playLink();
    link.input({ type: 'ask', turnId: 'q1', continuation: true });
    expect(link.asks).toMatchObject([{ turnId: 'q1', form: 'continuation' }]);
    link.says({ kind: 'text', text: 'rest' });
    link.ends(lost);
    // That was the one time.
    expect(link.factsOf('cut')).toMatchObject([{ turnId: 'q1', goesOn: false }]);
  });

  it('that are lost five times in vain are handed back to the user, and the next one goes on', () => {
    const link = playLink();
    link.input(ask('q1'), ask('q2'));
    for (let loss = 0; loss < 5; loss += 1) {
      expect(link.asks.at(-1)?.turnId).toBe('q1');
      link.ends(lost);
      link.pass(10 * SECOND);
    }
    expect(link.factsOf('failed')).toMatchObject([{ turnId: 'q1', problem: { code: 'connection_lost' } }]);
    expect(link.asks.at(-1)?.turnId).toBe('q2');
  });

  it('that are stopped while they wait are taken back; while they are answered, the server is interrupted', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' });
    link.input({ type: 'stop' });
    expect(link.effects.at(-2)).toMatchObject({ type: 'interrupt' });
    link.says({ kind: 'text', text: 'o that nobody wants' }, { kind: 'interrupted' }, { kind: 'turn-complete' });
    expect(link.factsOf('answered').at(-1)).toMatchObject({ turnId: 'q2', how: 'stopped' });
    expect(link.factsOf('words').map(({ text }) => text)).toEqual(['One.', 'Tw']);
    link.input({ type: 'pause' }, ask('q3'), { type: 'stop' });
    expect(link.factsOf('answered').at(-1)).toMatchObject({ turnId: 'q3', how: 'stopped' });
    expect(link.data.outbox).toEqual([]);
  });

  it('leave a server that will not be stopped', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' });
    link.input({ type: 'stop' }, ask('q3'));
    link.pass(2 * SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3', epoch: 2 });
    expect(link.factsOf('answered').at(-1)).toMatchObject({ turnId: 'q2', how: 'stopped' });
  });

  it('never have their words mixed with those of an earlier connection', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.ends(lost);
    link.input({ type: 'signal', epoch: 1, signal: { kind: 'text', text: 'late' } });
    link.input({ type: 'ended', epoch: 1, end: lost });
    expect(link.factsOf('words').map(({ text }) => text)).toEqual(['One.']);
    expect(link.state.kind).toBe('live');
  });
});

describe('what the user wants', () => {
  /** A link in each of its states. */
  const states: Readonly<Record<string, () => PlayedLink>> = {
    idle: () => playLink(),
    connecting: () => {
      const link = playLink({ dial: () => 'nothing' });
      link.input(ask('q1'));
      return link;
    },
    restoring: () => {
      const link = playLink({ dial: () => 'nothing', contextTurns: () => 4 });
      link.input(ask('q1'));
      return link;
    },
    live: () => playedLive(),
    answering: () => {
      const link = playedLive();
      link.input(ask('q2'));
      link.says({ kind: 'text', text: 'Tw' });
      return link;
    },
    rotating: () => {
      const link = playedLive();
      link.input(ask('q2'));
      link.says({ kind: 'go-away', timeLeftMs: 20_000 });
      return link;
    },
    waiting: () => {
      const link = playLink({ dial: () => lost });
      link.input(ask('q1'));
      return link;
    },
    offline: () => {
      const link = playLink({ dial: () => lost });
      link.input(ask('q1'), { type: 'network', online: false });
      return link;
    },
    paused: () => {
      const link = playedLive();
      link.input({ type: 'pause' }, ask('q2'));
      return link;
    },
    'needs-you': () => {
      const link = playLink({ dial: () => ({ kind: 'refused', status: 403, body: '' }) });
      link.input(ask('q1'));
      return link;
    },
    leaving: () => {
      const link = playedLive({ closes: false });
      link.input(ask('q2'), { type: 'reconnect' });
      link.says({ kind: 'text', text: 'Two.' }, { kind: 'turn-complete' });
      return link;
    },
  };
  const names = Object.keys(states);

  /** The world is well again, and so much time passes that all must have come right; what is due is answered. */
  function comesRight(link: PlayedLink): void {
    link.world.dial = () => 'ready';
    link.input(ask('last'));
    for (let round = 0; round < 12 && link.data.outbox.length > 0; round += 1) {
      link.pass(20 * SECOND);
      if (link.data.connection?.stage === 'ready' && link.data.outbox.length > 0) link.answers('Yes.');
    }
    expect(link.data.outbox).toEqual([]);
    expect(link.state.kind).toBe('live');
  }

  it.each(names)('“reconnect” while it is %s makes it live', (name) => {
    const link = states[name]!();
    const wasPaused = name === 'paused';
    link.input({ type: 'reconnect' });
    if (wasPaused) expect(link.state.kind).toBe('live');
    comesRight(link);
  });

  it.each(names)(
    '“pause” while it is %s hangs up, keeps what waits and what is written, and “resume” sends it',
    (name) => {
      const link = states[name]!();
      const waiting = link.data.outbox.filter(({ stage }) => stage === 'waiting').map(({ turnId }) => turnId);
      link.input({ type: 'pause' }, ask('meanwhile'));
      expect(link.state).toMatchObject({ kind: 'paused', by: 'user' });
      const dials = link.dials.length;
      link.pass(5 * MINUTE);
      expect(link.dials).toHaveLength(dials);
      expect(link.data.connection).toBeUndefined();
      expect(link.data.outbox.map(({ turnId }) => turnId)).toEqual(expect.arrayContaining([...waiting, 'meanwhile']));
      for (const input of [
        { type: 'network', online: false },
        { type: 'network', online: true },
        { type: 'wake' },
      ] as const) {
        link.input(input);
        expect(link.state).toMatchObject({ kind: 'paused', by: 'user' });
      }
      link.input({ type: 'resume' });
      comesRight(link);
      expect(turnIds(link)).toContain('meanwhile');
    },
  );

  it.each(names.filter((name) => name !== 'paused'))(
    '“start fresh” while it is %s forgets all handles, and the next connection is told the history',
    (name) => {
      const link = states[name]!();
      link.world.dial = () => 'ready';
      link.world.contextTurns = () => 2;
      link.input({ type: 'start-fresh' });
      expect(link.data.ladder).toEqual([]);
      const plans = link.plans.length;
      comesRight(link);
      expect(link.plans.slice(plans).every(({ kind }) => kind === 'history')).toBe(true);
    },
  );

  it.each(names)('“close” while it is %s ends it for good', (name) => {
    const link = states[name]!();
    link.input({ type: 'close' });
    expect(link.state.kind).toBe('closed');
    const { length } = link.effects;
    link.input(ask('late'), { type: 'reconnect' }, { type: 'resume' }, { type: 'wake' });
    link.pass(60 * MINUTE);
    expect(link.effects).toHaveLength(length);
  });

  it('new settings do not cut an answer: they count from the next connection on, which follows it', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' });
    link.input({ type: 'refresh' });
    expect(link.dials).toHaveLength(1);
    link.answers('o.', 'h2');
    expect(link.dials).toHaveLength(2);
    expect(link.factsOf('cut')).toEqual([]);
  });
});

describe('the network', () => {
  it('that is gone stops the dialling but for a try each half minute; that is back, it is tried at once', () => {
    const link = playLink({ dial: () => ({ kind: 'failed', errno: 'ENETUNREACH' }) });
    link.input(ask('q1'), { type: 'network', online: false });
    expect(link.state).toMatchObject({ kind: 'paused', by: 'offline' });
    link.pass(29 * SECOND);
    expect(link.dials).toHaveLength(1);
    link.pass(2 * SECOND);
    expect(link.dials).toHaveLength(2);
    expect(link.state).toMatchObject({ kind: 'paused', by: 'offline' });
    link.world.dial = () => 'ready';
    link.input({ type: 'network', online: true });
    expect(link.state.kind).toBe('live');
  });

  it('that is said to be gone does not end a connection that works', () => {
    const link = playedLive();
    link.input({ type: 'network', online: false });
    expect(link.state.kind).toBe('live');
  });

  it('after a sleep is not trusted: an idle connection is made anew, one that answers must show a sign of life', () => {
    const idle = playedLive();
    idle.input({ type: 'wake' });
    // Interfaces that come and go do not use up the dials.
    expect(idle.dials).toHaveLength(1);
    idle.pass(2 * MINUTE);
    idle.input({ type: 'wake' });
    expect(idle.dials).toHaveLength(2);
    const answering = playedLive();
    answering.input(ask('q2'));
    answering.says({ kind: 'text', text: 'T' });
    answering.input({ type: 'wake' });
    answering.pass(4 * SECOND);
    expect(answering.dials).toHaveLength(1);
    answering.pass(2 * SECOND);
    expect(answering.dials).toHaveLength(2);
  });

  it('after a sleep is tried at once, whatever was waited for', () => {
    const link = playLink({ random: () => 0.99, dial: (dialled) => (dialled <= 9 ? lost : 'ready') });
    link.input(ask('q1'));
    link.pass(61 * SECOND);
    expect(link.state.kind).toBe('waiting');
    link.input({ type: 'wake' });
    expect(link.dials).toHaveLength(9);
  });
});

describe('a socket that was left', () => {
  it('is waited for before the next is opened, and given up after a second and a half', () => {
    const link = playedLive({ closes: false });
    link.input({ type: 'reconnect' });
    expect(link.dials).toHaveLength(1);
    link.pass(1_499);
    expect(link.dials).toHaveLength(1);
    link.pass(1);
    expect(link.dials).toHaveLength(2);
    expect(link.openAtMost).toBe(2);
  });
});

describe('tool calls', () => {
  const call = { kind: 'tool-call', id: 'c1', name: 'clock', args: {} } as const;
  const result: LinkInput = { type: 'tool-result', result: { id: 'c1', name: 'clock', response: { time: '12:00' } } };

  it('are run once, however often they come', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says(call, call);
    link.input(result);
    link.says(call);
    expect(link.factsOf('tool-call')).toHaveLength(1);
    expect(link.effects.filter(({ type }) => type === 'tool-response')).toHaveLength(1);
  });

  it('that are cancelled get no response', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says(call, { kind: 'tool-cancel', ids: ['c1'] });
    link.input(result);
    expect(link.effects.filter(({ type }) => type === 'tool-response')).toEqual([]);
  });

  it('whose connection is gone have their result told to the next one, before the question', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says(call);
    link.ends(lost);
    link.world.dial = () => 'nothing';
    link.input(result);
    link.ends(lost);
    link.world.dial = () => 'ready';
    link.pass(SECOND);
    const wire = link.effects.filter(({ type }) => ['ask', 'tool-response', 'tell-results'].includes(type));
    expect(wire.map(({ type }) => type)).not.toContain('tool-response');
    expect(link.data.orphans).toEqual([]);
    expect(wire.at(-2)).toMatchObject({ type: 'tell-results', results: [{ id: 'c1' }] });
    expect(wire.at(-1)).toMatchObject({ type: 'ask', turnId: 'q2' });
  });

  it('that were answered and come again on the next connection are answered there too, without being run', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says(call);
    link.input(result);
    link.ends(lost);
    link.says(call);
    expect(link.factsOf('tool-call')).toHaveLength(1);
    expect(link.effects.filter(({ type }) => type === 'tool-response')).toMatchObject([{ epoch: 1 }, { epoch: 2 }]);
  });

  it('that come again on the next connection are answered there', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says(call);
    link.ends(lost);
    link.says(call);
    link.input(result);
    expect(link.factsOf('tool-call')).toHaveLength(1);
    expect(link.effects.filter(({ type }) => type === 'tool-response')).toMatchObject([{ epoch: 2 }]);
  });
});

describe('sound', () => {
  it('goes out at once on a live connection', () => {
    const link = playedLive();
    link.input(audio('AAAA'));
    expect(link.effects.at(-1)).toMatchObject({ type: 'audio', epoch: 1, base64: 'AAAA' });
  });

  it('that is said in a gap of 30 s is kept and sent in order, before the next question', () => {
    const link = playedLive({ closes: false });
    link.world.dial = () => lost;
    link.ends(lost);
    // 100 ms of PCM16 at 16 kHz a piece, numbered.
    const pieces = Array.from({ length: 300 }, (_, n) => String(n).padStart(Math.ceil(3_200 / 3) * 4, '0'));
    for (const piece of pieces) {
      link.input(audio(piece));
      link.pass(100);
    }
    link.input(ask('q2'));
    link.world.dial = () => 'ready';
    link.input({ type: 'network', online: false }, { type: 'network', online: true });
    link.pass(31 * SECOND);
    const sent = link.effects.flatMap((effect) => (effect.type === 'audio' ? [effect.base64] : []));
    expect(sent.map(Number)).toEqual(pieces.map(Number));
    const kinds = link.effects.map(({ type }) => type);
    expect(kinds.lastIndexOf('audio')).toBeLessThan(kinds.lastIndexOf('ask'));
  });

  it('that is said for longer loses its beginning, not its end, and never grows without bound', () => {
    const link = playLink({ dial: () => lost });
    const piece = (n: number) => String(n).padStart(Math.ceil(3_200 / 3) * 4, '0');
    for (let n = 0; n < 1_000; n += 1) link.input(audio(piece(n)));
    expect(Number(link.data.audio.at(-1))).toBe(999);
    expect(link.data.audio.length).toBeGreaterThan(290);
    expect(link.data.audio.length).toBeLessThan(310);
  });
});

describe('a clock that is set', () => {
  it.each([60 * MINUTE, -60 * MINUTE])('by %i ms loses nothing and keeps no connection waiting', (by) => {
    const link = playedLive();
    link.input(ask('q2'));
    link.setClock(by);
    link.pass(SECOND);
    expect(link.state.kind).toBe('live');
    link.ends(lost);
    link.pass(SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', epoch: 2 });
    link.answers('Two.');
    link.pass(11 * SECOND);
    link.says({ kind: 'handle', handle: 'h2', consumed: undefined });
    expect(link.data.ladder[0]).toMatchObject({ handle: 'h2', at: link.now });
    // A wait that had been announced is over when its timer says so, not when the clock does.
    link.world.dial = (dialled) => (dialled <= 5 ? lost : 'ready');
    link.input(ask('q3'));
    link.ends(lost);
    expect(link.state.kind).toBe('waiting');
    link.setClock(-by);
    link.pass(5 * SECOND);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q3' });
  });
});

describe('what a connection is told', () => {
  const gathering = (setupWaits: boolean) => {
    const link = playLink({ ladder: [rung('h1')], gathering: 'by hand', setupWaits, dial: () => 'ready' });
    link.input(ask('q1'));
    const told = (turns: number) => link.input({ type: 'context', epoch: link.data.epoch, turns, asFrame: turns > 0 });
    const effects = () => link.effects.map(({ type }) => type).filter((type) => SENT.has(type));
    return { link, told, effects };
  };
  const SENT = new Set(['dial', 'setup', 'tell-context', 'ask', 'hang-up']);

  it('is gathered while it is dialled; what stands in the setup is waited for', () => {
    const { link, told, effects } = gathering(true);
    expect(effects()).toEqual(['dial']);
    expect(link.state.kind).toBe('connecting');
    told(2);
    expect(effects()).toEqual(['dial', 'setup', 'tell-context', 'ask']);
    expect(link.state).toMatchObject({ kind: 'live', restored: 'resumed' });
  });

  it('is waited for by the first question, and by no more than that', () => {
    const { link, told, effects } = gathering(false);
    expect(effects()).toEqual(['dial', 'setup']);
    expect(link.state.kind).toBe('connecting');
    told(2);
    expect(effects()).toEqual(['dial', 'setup', 'tell-context', 'ask']);
  });

  it('comes before what the server says meanwhile: a greeting is none the less known for one', () => {
    const { link, told, effects } = gathering(false);
    link.says({ kind: 'text', text: 'Hello again.' });
    told(0);
    expect(effects()).toEqual(['dial', 'setup']);
    expect(link.factsOf('words')).toEqual([]);
    link.says({ kind: 'turn-complete' });
    expect(effects()).toEqual(['dial', 'setup', 'ask']);
  });

  it('is not told to a connection that went meanwhile, and its failure is one of the connection', () => {
    const { link, told, effects } = gathering(false);
    link.ends(lost);
    told(3);
    expect(effects()).not.toContain('tell-context');
    link.pass(SECOND);
    const problem = { code: 'internal', message: 'Not prepared.', retry: 'automatic' } as const;
    link.input({ type: 'unprepared', epoch: link.data.epoch, problem });
    expect(effects().at(-1)).toBe('hang-up');
    expect(link.state).toMatchObject({ kind: 'waiting', problem: { code: 'internal' } });
  });

  it('that never comes is one dial in vain', () => {
    const { link } = gathering(false);
    link.pass(15 * SECOND);
    expect(link.state).toMatchObject({ kind: 'waiting', problem: { code: 'server_silent' } });
  });
});

describe('the user’s wish to connect', () => {
  it('is followed at once, whatever is being said: the answer is cut and gone on with', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' });
    link.input({ type: 'reconnect' });
    expect(link.dials).toEqual([0, 0]);
    expect(link.asks.at(-1)).toMatchObject({ turnId: 'q2', form: 'continuation', epoch: 2 });
  });

  it('gives up a dial that hangs, and not one that was just made', () => {
    const link = playLink({ dial: (dialled) => (dialled === 1 ? 'nothing' : 'ready') });
    link.input(ask('q1'), { type: 'reconnect' });
    expect(link.dials).toHaveLength(1);
    link.pass(SECOND);
    link.input({ type: 'reconnect' });
    expect(link.dials).toEqual([0, SECOND]);
    expect(link.state.kind).toBe('live');
  });

  it('to start fresh leaves no handle behind, in mid-answer either', () => {
    const link = playedLive({ contextTurns: (plan) => (plan.kind === 'history' ? 3 : 0) });
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' });
    link.input({ type: 'start-fresh' });
    expect(link.plans.at(-1)).toEqual({ kind: 'history' });
    expect(link.state).toMatchObject({ kind: 'live', restored: 'rebuilt' });
  });
});

describe('the end of an answer', () => {
  it('that comes after the silence which ended it is not taken for the end of the next', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Two.' }, { kind: 'generation-complete' });
    link.pass(2 * SECOND);
    link.input(ask('q3'));
    link.pass(SECOND);
    expect(link.asks.at(-1)?.turnId).toBe('q3');
    link.says({ kind: 'turn-complete' }, { kind: 'text', text: 'Three.' }, { kind: 'turn-complete' });
    expect(link.factsOf('answered').map(({ turnId, how }) => [turnId, how])).toEqual([
      ['q1', 'complete'],
      ['q2', 'complete'],
      ['q3', 'complete'],
    ]);
    expect(link.factsOf('words').at(-1)).toMatchObject({ turnId: 'q3', text: 'Three.' });
  });

  it('which the server brings about by itself is an interruption, on a connection that cannot greet', () => {
    const link = playedLive();
    link.input(ask('q2'));
    link.says({ kind: 'text', text: 'Tw' }, { kind: 'interrupted' }, { kind: 'turn-complete' });
    expect(link.factsOf('not-the-answer')).toEqual([]);
    expect(link.factsOf('answered').at(-1)).toMatchObject({ turnId: 'q2', how: 'interrupted' });
  });
});

describe('silence', () => {
  it('that is too long ends the live state; the next question is told the history', () => {
    const link = playedLive({ contextTurns: (plan) => (plan.kind === 'history' ? 2 : 0) });
    link.input({ type: 'expire' });
    expect(link.state.kind).toBe('idle');
    expect(link.data.ladder).toEqual([]);
    link.input(ask('q2'));
    expect(link.state).toMatchObject({ kind: 'live', restored: 'rebuilt' });
  });
});
