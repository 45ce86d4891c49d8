import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import type { Mutant } from './mutants.ts';

/**
 * `npm run mutations` plants one bug at a time in a copy of the sources and runs the simulation on it until a schedule
 * finds it that has nothing against the sources as they are. Prints a line a bug and one JSON line; exits with 1 when a
 * bug was not found or the sources themselves fail, and with 2 when a bug can no longer be planted because the code has
 * changed. `--only NAME` plants one.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    hours: { type: 'string', default: '12' },
    only: { type: 'string' },
    jobs: { type: 'string', default: String(Math.max(1, Math.floor(availableParallelism() / 2))) },
  },
});

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['src', 'test/simulation', 'package.json'];
/** One mutant may make a schedule endless. */
const MUTANT_LIMIT_MS = 240_000;

interface Verdict {
  readonly name: string;
  readonly seed: number | undefined;
  readonly violation: string | undefined;
}

/** A copy of what a schedule needs, which is gone with this process. */
function copyOf(root: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const path of COPIED) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

/** The sources as they are now: they may be worked on while this runs. */
const base = copyOf(ROOT);
const source = (file: string) => readFileSync(join(base, file), 'utf8');

function planted(mutant: Mutant): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of mutant.edits) {
    const text = files.get(file) ?? source(file);
    const places = text.split(find).length - 1;
    if (places !== 1) {
      console.error(`${mutant.name}: its text stands ${places} times in ${file}, not once:\n${find}`);
      process.exit(2);
    }
    files.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return files;
}

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly late: boolean;
  readonly code: number | null;
}

function simulate(folder: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, 'test/simulation/main.ts'), '--hours', values.hours, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, MUTANT_LIMIT_MS);
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const end = () => void child.kill('SIGKILL');
    process.once('exit', end);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      process.off('exit', end);
      resolve({ stdout, stderr, late, code });
    });
  });
}

/** Seeds at which the sources as they are fail, as far as they were asked for: such a seed says nothing of a mutant. */
const failing = new Map<number, Promise<boolean>>();

function failsAnyway(seed: number): Promise<boolean> {
  const known = failing.get(seed) ?? simulate(base, ['--seed', String(seed)]).then(({ code }) => code !== 0);
  failing.set(seed, known);
  return known;
}

async function verdictOn(mutant: Mutant, folder: string): Promise<Verdict> {
  const files = planted(mutant);
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  const verdict = await search(mutant, folder);
  for (const file of files.keys()) writeFileSync(join(folder, file), source(file));
  return verdict;
}

async function search({ name }: Mutant, folder: string): Promise<Verdict> {
  const last = Number(values.seeds);
  for (let first = 1; first <= last;) {
    const range = ['--first', String(first), '--seeds', String(last - first + 1), '--stop-at-first'];
    const { stdout, stderr, late, code } = await simulate(folder, range);
    const line = stdout.trim().split('\n').at(-1) ?? '';
    if (line.startsWith('{')) {
      const [found] = (JSON.parse(line) as { first: readonly { seed: number; violation: string }[] }).first;
      if (found === undefined) return { name, seed: undefined, violation: undefined };
      if (!(await failsAnyway(found.seed))) return { name, ...found };
      first = found.seed + 1;
      continue;
    }
    if (late) return { name, seed: undefined, violation: 'it ran without end' };
    // The schedule's own guard against a loop ends the process; anything else is a mutant that does not even start.
    const loop = /Time stands still at \d+/.exec(stderr)?.[0];
    if (loop !== undefined) return { name, seed: undefined, violation: loop };
    console.error(`${name}: the simulation ended with ${code} and without a result:\n${stderr.slice(0, 2_000)}`);
    process.exit(2);
  }
  return { name, seed: undefined, violation: undefined };
}

const chosen = values.only === undefined ? mutants : mutants.filter(({ name }) => name === values.only);
if (chosen.length === 0) {
  console.error(`There is no mutant “${values.only}”. There are: ${mutants.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
// All of them, before the first run: a mutant that has lost its place is to be noticed at once.
for (const mutant of mutants) planted(mutant);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
const started = performance.now();
// A bug counts as found only where the sources as they are hold: otherwise it may be theirs that was found.
const sound = await simulate(base, ['--seeds', values.seeds, '--jobs', values.jobs]);
if (sound.code !== 0) console.log(`Without any mutant: ${sound.stdout.trim()}${sound.stderr.slice(0, 2_000)}`);
const queue = [...chosen];
const verdicts: Verdict[] = [];

async function work(): Promise<void> {
  const folder = copyOf(base);
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const verdict = await verdictOn(mutant, folder);
    verdicts.push(verdict);
    const how =
      verdict.violation === undefined ? 'NOT FOUND' : `found by seed ${verdict.seed ?? '?'}: ${verdict.violation}`;
    console.log(`${verdict.name} (${mutant.bug}): ${how}`);
  }
}

await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
const survived = verdicts.filter(({ violation }) => violation === undefined).map(({ name }) => name);
console.log(
  JSON.stringify({
    simulation: 'mutations',
    mutants: verdicts.length,
    found: verdicts.length - survived.length,
    survived,
    sound: sound.code === 0,
    seeds: Object.fromEntries(verdicts.map(({ name, seed }) => [name, seed ?? null])),
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }),
);
process.exit(survived.length === 0 && sound.code === 0 ? 0 : 1);
