import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds of the machine's monotonic clock: the same in every process. */
export const monotonic = () => Number(process.hrtime.bigint()) / 1e6;

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The smallest value that `share` (0 to 1) of the values do not exceed: nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
}

/** `<name>_p50_ms` and `<name>_p99_ms`. */
export function spread(name: string, values: readonly number[]): Record<string, number> {
  return { [`${name}_p50_ms`]: quantile(values, 0.5), [`${name}_p99_ms`]: quantile(values, 0.99) };
}

/** Three digits behind the point are more than any of this is worth. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

const folders: string[] = [];

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-continuity-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Appends a line as long as a journal's to a file of its own, to the disk and back. */
export async function fileWrites(): Promise<{ measure(): Promise<number>; close(): Promise<void> }> {
  const file = await open(join(newFolder(), 'lines'), 'w');
  const line = Buffer.from(`${'x'.repeat(320)}\n`);
  return {
    async measure() {
      const from = monotonic();
      await file.write(line);
      await file.datasync();
      return monotonic() - from;
    },
    close: () => file.close(),
  };
}
