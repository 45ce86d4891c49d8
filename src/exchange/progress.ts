const PROGRESS_EVERY_MS = 100;

/** Reports what `state` says: not more often than a person can read, and once more at the end. */
export function progressReporter<State>(report: ((state: State) => void) | undefined, state: () => State) {
  let last = Number.NEGATIVE_INFINITY;
  return {
    soon(): void {
      if (report === undefined || performance.now() - last < PROGRESS_EVERY_MS) return;
      last = performance.now();
      report(state());
    },
    now(): void {
      report?.(state());
    },
  };
}
