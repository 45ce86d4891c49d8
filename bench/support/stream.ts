import { mean, percentile } from './measure.ts';

/** How much of an answer was there, and when (milliseconds of one clock). */
export interface Sample {
  readonly at: number;
  readonly chars: number;
}

export interface StreamFigures {
  readonly lagP50: number;
  readonly lagP99: number;
  /** Mean lag in the first and in the last quarter of the stream: what grows from one to the other falls behind. */
  readonly firstQuarter: number;
  readonly lastQuarter: number;
  readonly keepsUp: boolean;
}

/** So much may the mean lag grow from the first quarter to the last before we call it falling behind. */
const GROWTH_MAX_MS = 100;

/**
 * When the first character must have been on its way, if it comes at this rate: the earliest line that all samples lie
 * behind.
 */
export function startOf(samples: readonly Sample[], charsPerMs: number): number {
  return Math.min(...samples.map(({ at, chars }) => at - chars / charsPerMs));
}

/** How far what is there lies behind what should be, in milliseconds of the stream. */
export function lagOf(samples: readonly Sample[], start: number, charsPerMs: number, total: number): StreamFigures {
  const running = samples.filter(({ chars }) => chars > 0 && chars < total);
  const lags = running.map(({ at, chars }) => at - start - chars / charsPerMs);
  const quarter = (from: number) => {
    const within = running.flatMap(({ chars }, index) =>
      chars / total >= from && chars / total < from + 0.25 ? [lags[index]!] : [],
    );
    return within.length === 0 ? Number.NaN : mean(within);
  };
  const [firstQuarter, lastQuarter] = [quarter(0), quarter(0.75)];
  return {
    lagP50: percentile(lags, 0.5),
    lagP99: percentile(lags, 0.99),
    firstQuarter,
    lastQuarter,
    keepsUp: lastQuarter - firstQuarter < GROWTH_MAX_MS,
  };
}

export function streamFigures(name: string, figures: StreamFigures): Record<string, number> {
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    [`${name}_lag_p50_ms`]: round(figures.lagP50),
    [`${name}_lag_p99_ms`]: round(figures.lagP99),
    [`${name}_lag_first_quarter_ms`]: round(figures.firstQuarter),
    [`${name}_lag_last_quarter_ms`]: round(figures.lastQuarter),
  };
}
