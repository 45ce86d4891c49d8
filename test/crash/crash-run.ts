import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomId } from '../../src/contract/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { loadJournal } from '../../src/journal/index.ts';
import { seededRandom, startSimulator } from '../../src/simulator/index.ts';
import { startHost } from './host-process.ts';
import type { HostProcess } from './host-process.ts';
import { emptyLedger, findInHistories, findInServer, findUnanswered, noteDelta } from './ledger.ts';
import type { Finding, Wanted } from './ledger.ts';
import type { FromHost, Histories } from './messages.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** More variables for the host: the tests plant a bug by one. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends at the first finding. Default true. */
  readonly stopAtFinding?: boolean;
  readonly progress?: (line: string) => void;
}

export interface CrashReport {
  readonly seed: number;
  readonly kills: { readonly atRandom: number; readonly atStep: number; readonly whileStarting: number };
  /** The highest step of the journals at which a host was killed. */
  readonly highestStep: number;
  readonly turns: {
    readonly acknowledged: number;
    readonly answeredWhole: number;
    readonly cut: number;
    readonly sentAgain: number;
  };
  readonly deltasDelivered: number;
  readonly tornTails: number;
  readonly serverSessions: number;
  readonly checks: number;
  /** How long the last host took until everything was answered. */
  readonly quietAfterSeconds: number;
  readonly seconds: number;
  readonly findings: readonly (Finding & { readonly kill: number })[];
}

/** Milliseconds that the server takes for a word: answers last long enough to be hit. */
const PACE_MS = 4;
/** Upper ends of the random moments: after the start of the process, and after it is open. */
const STARTING_MS = 500;
const RUNNING_MS = 250;
const STARTING_SHARE = 0.2;
/** A session gets as many turns as fit into what a new server is told word for word. */
const TURNS_A_SESSION = 60;
const TURNS_AT_ONCE = 3;
/** A host that is to die at a step gets more to write this often. */
const MORE_EVERY_MS = 150;
/** A step that is never reached is given up after this long, and the host is killed then. */
const STEP_LIMIT_MS = 8_000;
const SETTLE_LIMIT_MS = 30_000;
/** Longer than a link waits for a server that has gone silent (30 s) and all that it has to catch up with. */
const QUIET_LIMIT_MS = 90_000;
const POLL_MS = 50;
const WORDS = 'tide wave moon sail rope keel mast harbour lantern storm anchor gull deck rudder salt cliff'.split(' ');
const UNFINISHED: ReadonlySet<Turn['status']> = new Set(['queued', 'sent', 'streaming']);

/** Kills a host again and again on one data directory and holds what is left against what had been told. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const begun = performance.now();
  const { kills, seed, env = {}, stopAtFinding = true, progress = () => undefined } = options;
  const random = seededRandom(seed);
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  const simulator = await startSimulator({ pace: PACE_MS, audio: 'brief', seed, observe: false });
  const hostEnv = {
    HOLDFAST_GEMINI_API_KEY: 'test-key-for-the-simulator',
    HOLDFAST_GEMINI_BASE_URL: simulator.url,
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
    ...env,
  };
  const ledger = emptyLedger();
  const findings: (Finding & { kill: number })[] = [];
  const count = {
    atRandom: 0,
    atStep: 0,
    whileStarting: 0,
    highestStep: 0,
    sentAgain: 0,
    deltas: 0,
    checks: 0,
    torn: 0,
    quietAfterMs: 0,
  };
  let sessionId = randomId();
  let histories: Histories | undefined;
  let open = false;

  const found = (kill: number, more: readonly Finding[]) => findings.push(...more.map((one) => ({ ...one, kill })));

  function heard(message: FromHost): void {
    switch (message.type) {
      case 'open':
        open = true;
        return;
      case 'created':
        ledger.created.add(message.sessionId);
        return;
      case 'accepted':
        for (const one of ledger.wanted) if (one.turnId === message.turnId) one.acknowledged = true;
        return;
      case 'delta':
        count.deltas += 1;
        noteDelta(ledger, message.delta);
        return;
      case 'history':
        histories = message.sessions;
        found(count.atRandom + count.atStep, noticed(message.notices));
        return;
      case 'not-opened':
      case 'refused':
        found(count.atRandom + count.atStep, [{ what: 'refused', facts: { ...message } }]);
        return;
    }
  }

  function start(killAt?: number): HostProcess {
    open = false;
    histories = undefined;
    return startHost({ dataDir, env: hostEnv, killAt, heard });
  }

  /** `false`: it died, or took too long. */
  async function reaches(host: HostProcess, what: () => boolean, limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    while (!what()) {
      if (!host.isRunning || performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return true;
  }

  /** A client that was not told whether a turn was accepted asks again, with the same id. */
  function sendAgain(host: HostProcess): void {
    if (!ledger.created.has(sessionId)) host.tell({ type: 'create', sessionId });
    for (const one of ledger.wanted) {
      if (one.acknowledged) continue;
      count.sentAgain += 1;
      host.tell({ type: 'send', ...plain(one) });
    }
  }

  function sendMore(host: HostProcess): void {
    if (ledger.wanted.filter((one) => one.sessionId === sessionId).length >= TURNS_A_SESSION) sessionId = randomId();
    if (!ledger.created.has(sessionId)) host.tell({ type: 'create', sessionId });
    const turns = 1 + Math.floor(random() * TURNS_AT_ONCE);
    for (let turn = 0; turn < turns; turn += 1) {
      const number = ledger.wanted.length + 1;
      const words = Array.from({ length: 4 + Math.floor(random() * 16) }, () => WORDS[Math.floor(random() * 16)]);
      const text = `Say #${number}# ${words.join(' ')}`;
      const one: Wanted = { number, sessionId, turnId: randomId(), text, acknowledged: false };
      ledger.wanted.push(one);
      host.tell({ type: 'send', ...plain(one) });
    }
  }

  /** What is on disk and on the server, with nobody at work on it. */
  async function checkRemains(kill: number): Promise<void> {
    count.checks += 1;
    const { damage, torn } = await readJournals(join(dataDir, 'journal'));
    count.torn += torn;
    found(kill, damage);
    found(kill, findInServer(simulator.sessions()));
  }

  async function checkHistories(kill: number, host: HostProcess): Promise<void> {
    histories = undefined;
    // Told before the question: what is told while the host looks may be newer than what it finds.
    const before = structuredClone(ledger);
    host.tell({ type: 'history' });
    // Killed before it could tell: the next one is asked.
    if (!(await reaches(host, () => histories !== undefined, SETTLE_LIMIT_MS))) return;
    count.checks += 1;
    found(kill, findInHistories(before, histories!));
  }

  async function killedAtRandom(kill: number): Promise<void> {
    const host = start();
    count.atRandom += 1;
    if (random() < STARTING_SHARE) {
      await pause(random() * STARTING_MS);
      if (!open) count.whileStarting += 1;
    } else if (await reaches(host, () => open, SETTLE_LIMIT_MS)) {
      await checkHistories(kill, host);
      sendAgain(host);
      sendMore(host);
      await pause(random() * RUNNING_MS);
    } else if (host.isRunning) found(kill, [{ what: 'never settled', facts: { opens: false } }]);
    await buried(kill, host, 'outside');
  }

  async function killedAtStep(kill: number, step: number): Promise<void> {
    const host = start(step);
    count.atStep += 1;
    count.highestStep = Math.max(count.highestStep, step);
    if (await reaches(host, () => open, STEP_LIMIT_MS)) {
      await checkHistories(kill, host);
      sendAgain(host);
      const deadline = performance.now() + STEP_LIMIT_MS;
      while (host.isRunning && performance.now() < deadline) {
        sendMore(host);
        await reaches(host, () => false, MORE_EVERY_MS);
      }
      if (host.isRunning) progress(`Step ${step} was not reached`);
    } else if (!open) count.whileStarting += 1;
    await buried(kill, host, 'itself');
  }

  async function buried(kill: number, host: HostProcess, by: 'outside' | 'itself'): Promise<void> {
    if (by === 'outside' || host.isRunning) host.kill();
    const { killed, code, complaint } = await host.ended;
    if (!killed) found(kill, [{ what: 'host ended by itself', facts: { code, complaint: complaint.slice(-2_000) } }]);
    await checkRemains(kill);
  }

  /** The last host lives: whatever was promised has to come true by itself. */
  async function settle(): Promise<void> {
    const host = start();
    if (!(await reaches(host, () => open, SETTLE_LIMIT_MS))) {
      found(kills, [{ what: 'never settled', facts: { opens: false } }]);
      host.kill();
      return;
    }
    sendAgain(host);
    await reaches(host, () => ledger.wanted.every(({ acknowledged }) => acknowledged), SETTLE_LIMIT_MS);
    const settling = performance.now();
    const deadline = settling + QUIET_LIMIT_MS;
    const isQuiet = () =>
      Object.values(histories ?? {}).every((turns) => turns.every(({ status }) => !UNFINISHED.has(status)));
    do {
      await pause(POLL_MS);
      await checkHistories(kills, host);
    } while (!isQuiet() && performance.now() < deadline);
    count.quietAfterMs = performance.now() - settling;
    found(kills, findUnanswered(ledger, histories ?? {}));
    const last = histories;
    host.tell({ type: 'close' });
    const closed = await reaches(host, () => !host.isRunning, SETTLE_LIMIT_MS);
    if (!closed && host.isRunning) host.kill();
    const { code, complaint } = await host.ended;
    if (code !== 0) found(kills, [{ what: 'host ended by itself', facts: { code, complaint } }]);
    histories = last;
    await checkRemains(kills);
  }

  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      if (kill % 2 === 1) await killedAtRandom(kill);
      else await killedAtStep(kill, kill / 2);
      if (kill % 25 === 0) progress(`${kill} kills, ${ledger.wanted.length} turns, ${findings.length} findings`);
      if (stopAtFinding && findings.length > 0) break;
    }
    if (!stopAtFinding || findings.length === 0) await settle();
  } finally {
    await simulator.close();
    rmSync(dataDir, { recursive: true, force: true });
  }

  const answers = Object.values(histories ?? {}).flat();
  const ofStatus = (status: Turn['status']) =>
    answers.filter((turn) => turn.role === 'model' && turn.status === status).length;
  return {
    seed,
    kills: { atRandom: count.atRandom, atStep: count.atStep, whileStarting: count.whileStarting },
    highestStep: count.highestStep,
    turns: {
      acknowledged: ledger.wanted.filter(({ acknowledged }) => acknowledged).length,
      answeredWhole: ofStatus('complete'),
      cut: ofStatus('interrupted'),
      sentAgain: count.sentAgain,
    },
    deltasDelivered: count.deltas,
    tornTails: count.torn,
    serverSessions: simulator.sessions().length,
    checks: count.checks,
    quietAfterSeconds: Math.round(count.quietAfterMs / 100) / 10,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    findings,
  };
}

/** Nothing that a crash does may need to be set aside, or told to the user as damage. */
function noticed(notices: readonly { readonly code: string; readonly message: string }[]): readonly Finding[] {
  return notices.map((problem) => ({ what: 'notice', facts: { ...problem } }));
}

async function readJournals(
  directory: string,
): Promise<{ readonly damage: readonly Finding[]; readonly torn: number }> {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    // Killed before there was one.
    return { damage: [], torn: 0 };
  }
  const journals = names.filter((name) => name.endsWith('.jsonl'));
  const contents = await Promise.all(
    journals.map(async (name) => ({ name, content: await loadJournal(join(directory, name)) })),
  );
  return {
    torn: contents.filter(({ content }) => content.tornBytes > 0).length,
    damage: contents
      .filter(({ content }) => content.damage.length > 0)
      .map(({ name, content }) => ({ what: 'journal damaged', facts: { name, damage: content.damage } })),
  };
}

function plain({ sessionId, turnId, text }: Wanted) {
  return { sessionId, turnId, text };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
