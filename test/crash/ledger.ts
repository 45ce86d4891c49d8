import { textOf } from '../../src/contract/index.ts';
import type { Turn, TurnDelta } from '../../src/contract/index.ts';
import type { Histories } from './messages.ts';

/** A turn that the parent wanted accepted. */
export interface Wanted {
  readonly number: number;
  readonly sessionId: string;
  readonly turnId: string;
  readonly text: string;
  /** The host has said that it is accepted. */
  acknowledged: boolean;
}

/** All that the hosts have told, over all their lives. */
export interface Ledger {
  /** In the order in which they were sent. */
  readonly wanted: Wanted[];
  readonly created: Set<string>;
  /** By turn id. A host may have begun an answer before anybody listened, so the first need not begin at 0. */
  readonly delivered: Map<string, TurnDelta[]>;
}

export interface Finding {
  readonly what:
    | 'session lost'
    | 'turn lost'
    | 'turn changed'
    | 'turn twice'
    | 'out of order'
    | 'delivered text lost'
    | 'not answered'
    | 'wrong answer'
    | 'turn failed'
    | 'journal damaged'
    | 'notice'
    | 'heard twice'
    | 'heard out of order'
    | 'host ended by itself'
    | 'refused'
    | 'never settled';
  readonly facts: Readonly<Record<string, unknown>>;
}

export function emptyLedger(): Ledger {
  return { wanted: [], created: new Set(), delivered: new Map() };
}

export function noteDelta({ delivered }: Ledger, delta: TurnDelta): void {
  const deltas = delivered.get(delta.turnId);
  if (deltas === undefined) delivered.set(delta.turnId, [delta]);
  else deltas.push(delta);
}

/** What is missing, changed, doubled or out of order in the histories, held against what had been told before. */
export function findInHistories(ledger: Ledger, histories: Histories): readonly Finding[] {
  const findings: Finding[] = [];
  for (const sessionId of ledger.created) {
    if (histories[sessionId] === undefined) findings.push({ what: 'session lost', facts: { sessionId } });
  }
  for (const [sessionId, turns] of Object.entries(histories)) findings.push(...findInOrder(sessionId, turns));
  const byId = new Map(Object.values(histories).flatMap((turns) => turns.map((turn) => [turn.id, turn] as const)));
  for (const { turnId, text, number, acknowledged } of ledger.wanted) {
    const turn = byId.get(turnId);
    if (turn === undefined) {
      if (acknowledged) findings.push({ what: 'turn lost', facts: { number, turnId } });
    } else if (textOf(turn) !== text) findings.push({ what: 'turn changed', facts: { number, text, turn } });
  }
  for (const [turnId, deltas] of ledger.delivered) {
    const turn = byId.get(turnId);
    const lost = deltas.filter((delta) => !isKept(turn, delta));
    if (lost.length > 0)
      findings.push({
        what: 'delivered text lost',
        facts: { turnId, status: turn?.status, rev: turn?.rev, lost, kept: turn?.parts },
      });
  }
  return findings;
}

function isKept(turn: Turn | undefined, { part, kind, offset, text }: TurnDelta): boolean {
  const kept = turn?.parts[part];
  return kept?.type === kind && kept.text.startsWith(text, offset);
}

const NUMBER = /#(\d+)#/g;

export function numbersIn(text: string): readonly number[] {
  return [...text.matchAll(NUMBER)].map((match) => Number(match[1]));
}

function findInOrder(sessionId: string, turns: readonly Turn[]): readonly Finding[] {
  const findings: Finding[] = [];
  const ids = new Set<string>();
  let last = 0;
  for (const [at, turn] of turns.entries()) {
    if (ids.has(turn.id) || turn.index !== at + 1) {
      findings.push({ what: 'turn twice', facts: { sessionId, turn, place: at + 1 } });
    }
    ids.add(turn.id);
    if (turn.role !== 'user') continue;
    const [number = 0] = numbersIn(textOf(turn));
    if (number <= last) findings.push({ what: 'out of order', facts: { sessionId, number, after: last } });
    last = number;
  }
  return findings;
}

/** What the demo says that is asked to go on with an answer that had come whole. */
const NOTHING_LEFT = 'That was all.';

/** Once all is quiet: each question has an answer, whole, or cut with what had arrived and gone on with once at most. */
export function findUnanswered(ledger: Ledger, histories: Histories): readonly Finding[] {
  const turns = Object.values(histories).flat();
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  return ledger.wanted.flatMap(({ turnId, number, text }): readonly Finding[] => {
    const question = byId.get(turnId);
    if (question === undefined) return [];
    if (question.status === 'failed') return [{ what: 'turn failed', facts: { number, problem: question.problem } }];
    const answers = turns.filter(({ replyTo }) => replyTo === turnId);
    const begun = answers.filter(({ continues }) => continues === undefined);
    const whole = begun.filter(({ status }) => status === 'complete');
    const cut = begun.filter(({ status }) => status === 'interrupted');
    const expected = text.replace(/^Say /, '');
    const facts = { number, status: question.status, answers: answers.map((turn) => [turn.status, textOf(turn)]) };
    if (question.status !== 'answered' || whole.length + cut.length === 0) return [{ what: 'not answered', facts }];
    const goneOn = answers.map(({ continues }) => continues).filter((id) => id !== undefined);
    if (whole.length > 1 || new Set(goneOn).size < goneOn.length) return [{ what: 'turn twice', facts }];
    const right = answers.every((turn) => {
      const before = turn.continues === undefined ? undefined : cut.find(({ id }) => id === turn.continues);
      // Only what was cut is gone on with.
      if (turn.continues !== undefined && before === undefined) return false;
      return isAnswer(turn, before === undefined ? expected : restOf(expected, textOf(before)));
    });
    return right ? [] : [{ what: 'wrong answer', facts }];
  });
}

function restOf(expected: string, before: string): string | undefined {
  return expected.startsWith(before) ? expected.slice(before.length).trim() || NOTHING_LEFT : undefined;
}

function isAnswer(turn: Turn, expected: string | undefined): boolean {
  if (expected === undefined) return false;
  return turn.status === 'complete' ? textOf(turn) === expected : expected.startsWith(textOf(turn));
}

/** A wish to go on quotes the answer, which repeats the question's number. */
const CONTINUATION = /^Your last answer was cut off/;

/** What the server holds in its memory: each question once at most, and in order. */
export function findInServer(
  sessions: readonly { readonly id: string; readonly userTurns: readonly string[] }[],
): readonly Finding[] {
  return sessions.flatMap(({ id, userTurns }): readonly Finding[] => {
    const heard = userTurns.filter((text) => !CONTINUATION.test(text)).flatMap(numbersIn);
    const twice = heard.filter((number, at) => heard.indexOf(number) !== at);
    const disordered = heard.some((number, at) => at > 0 && number < heard[at - 1]!);
    return [
      ...(twice.length > 0 ? [{ what: 'heard twice' as const, facts: { server: id, twice, heard } }] : []),
      ...(disordered ? [{ what: 'heard out of order' as const, facts: { server: id, heard } }] : []),
    ];
  });
}
