import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LinkState } from '../../src/contract/index.ts';
import type { ConnectionEnd, LinkData, LinkInput, TimerName } from '../../src/live/index.ts';
import { linkState, startLink, step } from '../../src/live/index.ts';

/**
 * The drawing of the link's states, found by trying everything that can happen in every state that can be reached. Run
 * this file to write it into docs/link-states.md; a test compares the two.
 */
export const DRAWING_FILE = fileURLToPath(new URL('../../docs/link-states.md', import.meta.url));
const BEGIN = '<!-- drawing: begin -->';
const END = '<!-- drawing: end -->';

const NOW = Date.UTC(2026, 0, 1);
const MODEL = 'gemini-3.8-live';
/** More turns than this at once lead to no further states. */
const OUTBOX_MAX = 2;

type Kind = LinkState['kind'];

export interface Situation {
  readonly data: LinkData;
  readonly timers: ReadonlySet<TimerName>;
}

export interface Happening {
  readonly label: string;
  readonly input: LinkInput;
}

const ends: readonly (readonly [string, ConnectionEnd])[] = [
  ['connection lost', { kind: 'closed', code: 1006, reason: '' }],
  ['provider fault', { kind: 'closed', code: 1011, reason: 'Internal error encountered.' }],
  ['refused as invalid', { kind: 'closed', code: 1007, reason: 'Request contains an invalid argument.' }],
  ['key refused', { kind: 'closed', code: 1007, reason: 'API key not valid. Please pass a valid API key.' }],
];

const timerLabels: Readonly<Record<TimerName, string>> = {
  dial: 'setup takes too long',
  retry: 'wait is over',
  answer: 'server is silent',
  end: 'answer is over',
  stop: 'stop was ignored',
  rotate: 'lifetime nears its end',
  margin: 'goAway margin reached',
  healthy: 'a minute of health',
  leave: 'old socket is given up',
  settle: 'no handle came',
  suspect: 'no second answer came',
};

/** Everything that can happen to a link in this situation. */
function happenings({ data, timers }: Situation): readonly Happening[] {
  const found: Happening[] = [
    { label: 'stop', input: { type: 'stop' } },
    { label: 'user reconnects', input: { type: 'reconnect' } },
    { label: 'user pauses', input: { type: 'pause' } },
    { label: 'user resumes', input: { type: 'resume' } },
    { label: 'user starts fresh', input: { type: 'start-fresh' } },
    { label: 'settings change', input: { type: 'refresh' } },
    { label: 'network is back', input: { type: 'network', online: true } },
    { label: 'network is gone', input: { type: 'network', online: false } },
    { label: 'device wakes', input: { type: 'wake' } },
    { label: 'silence for too long', input: { type: 'expire' } },
    { label: 'conversation is closed', input: { type: 'close' } },
  ];
  if (data.outbox.length < OUTBOX_MAX) {
    const free = ['q1', 'q2', 'q3'].find((id) => data.outbox.every(({ turnId }) => turnId !== id))!;
    found.push({ label: 'a turn is written', input: { type: 'ask', turnId: free } });
  }
  for (const name of timers) {
    // The try without a network is half a minute away, and an old socket is given up long before.
    if (name === 'retry' && timers.has('leave') && data.phase.kind === 'paused') continue;
    found.push({ label: timerLabels[name], input: { type: 'timer', name } });
  }
  const { connection } = data;
  if (connection === undefined) return found;
  const { epoch, stage } = connection;
  if (stage === 'preparing') {
    for (const setupWaits of [true, false]) {
      found.push({ label: 'server is known', input: { type: 'prepared', epoch, model: MODEL, setupWaits } });
    }
  }
  if (connection.contextTurns === undefined && stage !== 'leaving') {
    const problem = { code: 'internal', message: '', retry: 'automatic' } as const;
    found.push({ label: 'preparing fails', input: { type: 'unprepared', epoch, problem } });
    if (stage === 'preparing') return found;
    for (const turns of [0, 4]) {
      found.push({ label: 'history is at hand', input: { type: 'context', epoch, turns, asFrame: turns > 0 } });
    }
  }
  if (stage === 'dialling') found.push({ label: 'socket opens', input: { type: 'opened', epoch } });
  const says = (label: string, signal: (LinkInput & { type: 'signal' })['signal']) =>
    found.push({ label, input: { type: 'signal', epoch, signal } });
  if (stage === 'setup') says('setupComplete', { kind: 'setup-complete' });
  if (stage === 'ready') {
    says('words come', { kind: 'text', text: 'Yes.' });
    says('server is interrupted', { kind: 'interrupted' });
    says('answer is over', { kind: 'turn-complete' });
    says('a handle comes', { kind: 'handle', handle: `h${data.lastAnswered ?? ''}`, consumed: undefined });
    says('goAway', { kind: 'go-away', timeLeftMs: 50_000 });
  }
  if (stage === 'leaving') {
    found.push({ label: 'old socket is down', input: { type: 'ended', epoch, end: ends[0]![1] } });
  } else for (const [label, end] of ends) found.push({ label, input: { type: 'ended', epoch, end } });
  return found;
}

/** Situations that are alike in this lead to the same states. */
function likeness({ data, timers }: Situation): string {
  const { phase, connection, outbox, ladder } = data;
  return JSON.stringify([
    phase.kind,
    phase.kind === 'paused' && phase.by,
    phase.kind === 'waiting' && phase.until <= NOW,
    connection && [
      connection.stage,
      connection.plan.kind,
      connection.restored,
      connection.contextTurns === undefined ? 'unknown' : connection.contextTurns > 0,
      connection.contextTurns === undefined && [connection.setupWaits, connection.early !== undefined],
      connection.proven,
      connection.asked,
      connection.why,
    ],
    outbox.map(({ stage, spoke, continuation, losses }) => [stage, spoke, continuation, losses > 0]),
    ladder.length > 0 && [ladder.length > 1, ladder[0]!.after === data.lastAnswered],
    data.seeding,
    data.settling,
    data.suspect !== undefined,
    data.online,
    data.unasked,
    Math.min(data.attempts, 4),
    Math.min(data.dials.length, 2),
    [...timers].sort(),
  ]);
}

function after({ data, timers }: Situation, input: LinkInput): Situation {
  const running = new Set(timers);
  if (input.type === 'timer') running.delete(input.name);
  // Only a connection that is not quite new is made anew after a sleep.
  const at = input.type === 'wake' ? NOW + 120_000 : NOW;
  const result = step(data, input, { at, random: 0.5 });
  for (const effect of result.effects) {
    if (effect.type === 'start-timer') running.add(effect.name);
    if (effect.type === 'stop-timer') running.delete(effect.name);
  }
  return { data: result.data, timers: running };
}

/** So many situations are enough to find every transition; the rest are variations. */
const SITUATIONS_MAX = 40_000;

export interface Transition {
  readonly from: Situation;
  readonly happening: Happening;
  readonly to: Situation;
}

/** Everything that can happen in every situation that can be reached, likenesses left out, breadth first. */
export function* explored(): Generator<Transition> {
  const start: Situation = {
    data: startLink({
      at: NOW,
      ladder: [],
      tokens: undefined,
      lastAnswered: undefined,
      said: [],
      lifetimes: {},
      epoch: 0,
      online: true,
    }),
    timers: new Set(),
  };
  const seen = new Set([likeness(start)]);
  const queue: Situation[] = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const from = queue[at]!;
    for (const happening of happenings(from)) {
      const to = after(from, happening.input);
      yield { from, happening, to };
      const like = likeness(to);
      if (seen.has(like) || seen.size >= SITUATIONS_MAX) continue;
      seen.add(like);
      queue.push(to);
    }
  }
}

/** All transitions between the states that a user is told of: from, to, and what brings them about. */
function transitions(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { from, happening, to } of explored()) {
    const [before, now] = [linkState(from.data).kind, linkState(to.data).kind];
    if (before === now) continue;
    const key = `${before}>${now}`;
    found.set(key, (found.get(key) ?? new Set()).add(happening.label));
  }
  return found;
}

const KINDS: readonly Kind[] = [
  'idle',
  'connecting',
  'restoring',
  'live',
  'rotating',
  'waiting',
  'paused',
  'needs-you',
  'closed',
];
const nameOf = (kind: string) => kind.replace('-', '_');

/** The drawing as Mermaid, and what leads to the same state from everywhere as a list beside it. */
export function drawing(): string {
  const found = transitions();
  const origins = new Map<string, Set<string>>();
  const targets = new Map<string, Set<string>>();
  for (const [key, labels] of found) {
    const [from, to] = key.split('>') as [Kind, Kind];
    for (const label of labels) {
      origins.set(label, (origins.get(label) ?? new Set()).add(from));
      targets.set(label, (targets.get(label) ?? new Set()).add(to));
    }
  }
  // From every state but its own and the last one.
  const everywhere = [...targets].filter(
    ([label, to]) =>
      to.size === 1 && KINDS.every((kind) => kind === 'closed' || to.has(kind) || origins.get(label)!.has(kind)),
  );
  const common = new Set(everywhere.map(([label]) => label));
  const lines = ['stateDiagram-v2', '  [*] --> idle'];
  for (const kind of KINDS) if (kind !== nameOf(kind)) lines.push(`  state "${kind}" as ${nameOf(kind)}`);
  for (const from of KINDS) {
    for (const to of KINDS) {
      const labels = [...(found.get(`${from}>${to}`) ?? [])].filter((label) => !common.has(label)).sort();
      if (labels.length > 0) lines.push(`  ${nameOf(from)} --> ${nameOf(to)}: ${labels.join('<br>')}`);
    }
  }
  lines.push('  closed --> [*]');
  const list = everywhere.map(([label, [to]]) => `- ${label} → ${to}`).sort();
  return ['```mermaid', ...lines, '```', '', 'From every state:', '', ...list].join('\n');
}

/** The committed page, with the drawing in its place. */
export function pageWith(page: string, drawn: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/link-states.md has lost the marks ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${drawn}\n\n${page.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DRAWING_FILE, pageWith(readFileSync(DRAWING_FILE, 'utf8'), drawing()));
}
