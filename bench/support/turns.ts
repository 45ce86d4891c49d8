import { fileURLToPath } from 'node:url';
import { connectBare, connectClient, connectEcho, measureTurn } from './clients.ts';
import { percentile, spread } from './measure.ts';
import { API_KEY, hostOf, newFolder, start, startHost, startSimulatorProcess } from './processes.ts';

const SESSIONS = 4;
const WARM_UP_TURNS = 60;
/** Between two turns, as somebody who writes them leaves. */
const PAUSE_MS = 20;
const QUESTION = 'How high is the tide at noon, and when does it turn?';
const ANSWER = ['It is at its height', ' an hour after noon,', ' and turns then.'];

export interface TurnFigures {
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  readonly addedP50: number;
  readonly addedP99: number;
}

/**
 * From `turns.send` to the first `turn.delta`, in turn with a bare echo of the same frames and with a bare client of the
 * same simulator, so that what else the machine does hits all three alike.
 */
export async function benchTurns(turns: number): Promise<TurnFigures> {
  const simulator = await startSimulatorProcess({
    answers: [{ match: '', do: { kind: 'say', pieces: ANSWER, thought: null } }],
  });
  const env = { HOLDFAST_GEMINI_API_KEY: API_KEY, HOLDFAST_GEMINI_BASE_URL: simulator };
  const client = await connectClient(await hostOf(await startHost(newFolder(), env)));
  const bare = await connectBare(simulator);
  const echo = await connectEcho((await start([fileURLToPath(new URL('echo.ts', import.meta.url))])).line);

  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => client.api.sessions.create({})));
  const delta = {
    sessionId: 's'.repeat(36),
    turnId: 't'.repeat(36),
    part: 0,
    kind: 'text',
    offset: 0,
    text: ANSWER[0],
  };
  // As large as the call on the way there and the event on the way back.
  const message = JSON.stringify({ i: '1', p: { u: '/turns/send', b: { json: { ...delta, text: QUESTION } } } });

  const stack: number[] = [];
  const whole: number[] = [];
  const toSimulator: number[] = [];
  const echoed: number[] = [];
  const pings: number[] = [];
  for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
    const { id } = sessions[Math.abs(turn) % SESSIONS]!;
    const ours = await measureTurn(client, id, QUESTION);
    await pause();
    const theirs = await bare.ask(QUESTION);
    await pause();
    const there = await echo.measure(message);
    const before = performance.now();
    await client.api.system.ping();
    const ping = performance.now() - before;
    await pause();
    if (turn < 0) continue;
    stack.push(ours.first - ours.sent);
    whole.push(ours.complete - ours.sent);
    toSimulator.push(theirs.first - theirs.sent);
    echoed.push(there);
    pings.push(ping);
  }
  await client.close();
  for (const one of [bare, echo]) one.close();

  const overEcho = stack.map((ms, at) => ms - echoed[at]!);
  const overBare = stack.map((ms, at) => ms - toSimulator[at]!);
  return {
    sizes: { turns, sessions: SESSIONS, warm_up_turns: WARM_UP_TURNS, pause_ms: PAUSE_MS },
    figures: {
      ...spread('send_to_first_delta', stack),
      ...spread('send_to_complete', whole),
      ...spread('bare_simulator', toSimulator),
      ...spread('bare_echo', echoed),
      ...spread('contract_ping', pings),
      ...spread('added_over_echo', overEcho),
      ...spread('added_over_bare_simulator', overBare),
    },
    addedP50: percentile(overEcho, 0.5),
    addedP99: percentile(overEcho, 0.99),
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
