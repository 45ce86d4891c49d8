import { connectBare, connectClient, measureTurn } from './clients.ts';
import { rounded } from './measure.ts';
import { openPage } from './page.ts';
import { API_KEY, hostOf, newFolder, startHost, startSimulatorProcess } from './processes.ts';
import { lagOf, startOf, streamFigures } from './stream.ts';
import type { Sample } from './stream.ts';

/** Characters in a delta: a word. */
const DELTA_CHARS = 8;
const FLOOD_FRAMES = 100_000;

export interface BurstFigures {
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly clientRate: number;
  readonly clientKeepsUp: boolean;
  /** `null`: there is no Chromium on this machine. */
  readonly pageRate: number | null;
  readonly pageKeepsUp: boolean;
}

/** Deltas at a steady rate to a client of the contract, to a page and to a bare `ws`; then as many as each can take. */
export async function benchBursts(perSecond: number, seconds: number): Promise<BurstFigures> {
  const count = perSecond * seconds;
  const total = count * DELTA_CHARS;
  const charsPerMs = (perSecond * DELTA_CHARS) / 1_000;
  const simulator = await startSimulatorProcess({
    answers: [
      { match: '^flood', do: { kind: 'burst', count: FLOOD_FRAMES, size: DELTA_CHARS } },
      { match: '', do: { kind: 'burst', count, perSecond, size: DELTA_CHARS } },
    ],
  });
  const env = { HOLDFAST_GEMINI_API_KEY: API_KEY, HOLDFAST_GEMINI_BASE_URL: simulator };
  const host = await hostOf(await startHost(newFolder(), env));

  const bare = await connectBare(simulator);
  const bareSteady = await gather((onDelta) => bare.ask('steady', onDelta));
  const bareFlood = await gather((onDelta) => bare.ask('flood', onDelta));
  bare.close();

  const client = await connectClient(host);
  const { id: sessionId } = await client.api.sessions.create({});
  const steady = await gather((onDelta) => measureTurn(client, sessionId, 'steady', onDelta));
  const flood = await gather((onDelta) => measureTurn(client, sessionId, 'flood', onDelta));
  // The page is to have nothing but its own session to show.
  await client.api.sessions.delete({ sessionId });
  await client.close();

  const page = await openPage(host);
  const shown = await page?.record('steady', total);
  await page?.close();

  const lag = lagOf(steady.samples, startOf(steady.samples, charsPerMs), charsPerMs, total);
  const bareLag = lagOf(bareSteady.samples, startOf(bareSteady.samples, charsPerMs), charsPerMs, total);
  const pageLag = shown && lagOf(shown.shown, startOf(shown.wire, charsPerMs), charsPerMs, total);
  const whole = shown?.shown.find(({ chars }) => chars >= total);
  const pageMs = shown && whole && whole.at - shown.wire[0]!.at;
  const pageRate = pageMs === undefined ? null : Math.round((count / pageMs) * 1_000);
  return {
    sizes: { deltas_per_second: perSecond, seconds, delta_chars: DELTA_CHARS, flood_deltas: FLOOD_FRAMES },
    figures: {
      bare_frames_per_second: bareSteady.perSecond(count),
      ...streamFigures('bare', bareLag),
      client_frames_per_second: steady.perSecond(count),
      client_events_per_second: steady.perSecond(steady.samples.length),
      ...streamFigures('client', lag),
      page_frames_per_second: pageRate,
      page_events_per_second: pageMs === undefined || !shown ? null : Math.round((shown.events / pageMs) * 1_000),
      page_drawn_per_second: pageMs === undefined || !shown ? null : drawnPerSecond(shown.shown, total),
      ...(pageLag && streamFigures('page', pageLag)),
      bare_flood_frames_per_second: bareFlood.perSecond(FLOOD_FRAMES),
      client_flood_frames_per_second: flood.perSecond(FLOOD_FRAMES),
    },
    clientRate: steady.perSecond(count),
    clientKeepsUp: lag.keepsUp,
    pageRate,
    pageKeepsUp: pageLag?.keepsUp ?? false,
  };
}

async function gather(run: (onDelta: (chars: number, at: number) => void) => Promise<unknown>) {
  const samples: Sample[] = [];
  let chars = 0;
  await run((length, at) => samples.push({ at, chars: (chars += length) }));
  const ms = samples.at(-1)!.at - samples[0]!.at;
  return { samples, perSecond: (count: number) => Math.round((count / ms) * 1_000) };
}

/** Frames in which the page showed more than in the one before, per second. */
function drawnPerSecond(shown: readonly Sample[], total: number): number {
  const grown = shown.filter(({ chars }, at) => chars > (shown[at - 1]?.chars ?? 0) && chars <= total);
  return rounded((grown.length / (grown.at(-1)!.at - grown[0]!.at)) * 1_000);
}
