const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** The time of day, with the day where it is not the same day as `now`. Both in milliseconds since the epoch. */
export function timeOf(at: number, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return (sameDay ? clock : dayAndClock).format(at);
}

/** How long something lasted, in its two largest units. */
export function durationWords(ms: number): string {
  if (ms < SECOND_MS) return 'under a second';
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return joined(`${Math.floor(ms / HOUR_MS)} h`, Math.floor((ms % HOUR_MS) / MINUTE_MS), 'min');
  return joined(`${Math.floor(ms / DAY_MS)} d`, Math.floor((ms % DAY_MS) / HOUR_MS), 'h');
}

/** A time that was measured, as fine as it is worth telling: “40 ms”, “1.2 s”. */
export function measuredWords(ms: number): string {
  const rounded = Math.round(ms);
  if (rounded < 1) return 'under 1 ms';
  return rounded < SECOND_MS ? `${rounded} ms` : `${(ms / SECOND_MS).toFixed(1)} s`;
}

function joined(first: string, rest: number, unit: string): string {
  return rest === 0 ? first : `${first} ${rest} ${unit}`;
}
