import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closes, parseScript } from '../../src/simulator/index.ts';
import { scriptEvents } from '../../src/simulator/script.ts';

const guide = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

describe('the guide to the simulator', () => {
  it('shows a script that is valid', () => {
    const example = /```json\n(.*?)```/s.exec(guide)?.[1];
    expect(parseScript(JSON.parse(example ?? ''))).toMatchObject({ ok: true });
  });

  it('shows recipes that are valid', () => {
    const recipes = [...guide.matchAll(/`(\{ "when".*?\})`\s*\|/g)].map((match) => JSON.parse(match[1]!) as unknown);
    expect(recipes.length).toBeGreaterThan(5);
    expect(parseScript({ rules: recipes })).toMatchObject({ ok: true });
  });

  it('names every event and every ending', () => {
    const missing = [...scriptEvents, ...Object.keys(closes)].filter((name) => !guide.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});
