import { describe, expect, it } from 'vitest';
import { runSchedule } from './schedule.ts';

const HOURS = 6;
const SEEDS_A_TEST = 50;
const TESTS = 10;
/** A test takes a few seconds; a busy machine takes longer. */
const LIMIT_MS = 120_000;

describe('the link under random trouble', () => {
  it.each(Array.from({ length: TESTS }, (_, index) => 1 + index * SEEDS_A_TEST))(
    'keeps its promises in 50 schedules from seed %i on',
    { timeout: LIMIT_MS },
    async (first) => {
      const broken: string[] = [];
      let turns = 0;
      let connections = 0;
      for (let seed = first; seed < first + SEEDS_A_TEST; seed += 1) {
        const outcome = await runSchedule({ seed, hours: HOURS });
        turns += outcome.turns;
        connections += outcome.connections;
        if (outcome.violation !== undefined) {
          broken.push(`npm run simulate -- --seed ${seed} --hours ${HOURS} --trace   # ${outcome.violation}`);
        }
      }
      expect(broken).toEqual([]);
      // Schedules in which nothing is said or nothing breaks would prove nothing.
      expect(turns).toBeGreaterThan(SEEDS_A_TEST * 10);
      expect(connections).toBeGreaterThan(SEEDS_A_TEST * 10);
    },
  );

  it('plays the same schedule for the same seed', async () => {
    const lines = async (seed: number) => {
      const trace: string[] = [];
      const outcome = await runSchedule({ seed, hours: 1, trace: (line) => trace.push(line) });
      return JSON.stringify([outcome, trace]);
    };
    expect(await lines(7)).toBe(await lines(7));
    expect(await lines(7)).not.toBe(await lines(8));
  });
});
