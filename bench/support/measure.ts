/** What a benchmark prints as its last line. */
export interface Report {
  readonly bench: string;
  readonly sizes: Readonly<Record<string, number | string>>;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly goals: readonly Goal[];
}

export interface Goal {
  readonly name: string;
  readonly goal: string;
  /** `null`: it could not be measured. */
  readonly value: number | null;
  readonly met: boolean;
}

export function atMost(name: string, limit: number, value: number | null): Goal {
  return { name, goal: `< ${limit}`, value, met: value !== null && value < limit };
}

export function atLeast(name: string, limit: number, value: number | null): Goal {
  return { name, goal: `>= ${limit}`, value, met: value !== null && value >= limit };
}

/** The smallest value that `share` (0 to 1) of the values do not exceed: nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `<name>_p50_ms` and `<name>_p99_ms`. */
export function spread(name: string, values: readonly number[]): Record<string, number> {
  return {
    [`${name}_p50_ms`]: rounded(percentile(values, 0.5)),
    [`${name}_p99_ms`]: rounded(percentile(values, 0.99)),
  };
}

/** Three digits behind the point are more than any of this is worth. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printReport(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
