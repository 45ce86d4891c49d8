import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseScript, type Script } from './script.ts';
import { startSimulator } from './server.ts';
import type { Pace } from './world.ts';

const USAGE = `Usage: holdfast-simulator [options]

  --port N          port on 127.0.0.1 (default: any free one)
  --script FILE     faults and answers, as JSON (docs/simulator.md)
  --pace PACE       realtime, instant, or milliseconds a word (default: realtime)
  --api-key KEY     accept this key only; may be given more than once (default: any key)
  --encoding KIND   text, binary or mixed server frames (default: text)
  --seed N          same seed, same handles, pieces and ids
  --vertex          allow transparent resumption
  --json            print one JSON line when ready
  --help            print this`;

/** Why the command cannot start, in one sentence. */
interface Refusal {
  readonly refusal: string;
}

interface Arguments {
  readonly port: number;
  readonly script: Script | undefined;
  readonly pace: Pace;
  readonly apiKeys: readonly string[] | undefined;
  readonly encoding: 'text' | 'binary' | 'mixed';
  readonly seed: number | undefined;
  readonly vertex: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}

function wholeNumber(text: string | undefined, highest: number): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= highest ? value : undefined;
}

function readScript(file: string): Script | Refusal {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    return { refusal: `The script ${file} ${what}: ${reasonOf(error)}` };
  }
  const parsed = parseScript(json);
  return parsed.ok ? parsed.script : { refusal: `The script ${file} is not valid.\n  ${parsed.issues.join('\n  ')}` };
}

function readPace(text: string): Pace | undefined {
  if (text === 'realtime' || text === 'instant') return text;
  return wholeNumber(text, 60_000);
}

function readArguments(argv: readonly string[]): Arguments | Refusal {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        script: { type: 'string' },
        pace: { type: 'string', default: 'realtime' },
        'api-key': { type: 'string', multiple: true },
        encoding: { type: 'string', default: 'text' },
        seed: { type: 'string' },
        vertex: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { refusal: `${reasonOf(error)}\nRun with --help for the options.` };
  }
  const port = values.port === undefined ? 0 : wholeNumber(values.port, 65_535);
  if (port === undefined) return { refusal: `--port takes a number from 0 to 65535, not "${values.port}".` };
  const pace = readPace(values.pace);
  if (pace === undefined)
    return { refusal: `--pace takes realtime, instant or milliseconds a word, not "${values.pace}".` };
  const { encoding } = values;
  if (encoding !== 'text' && encoding !== 'binary' && encoding !== 'mixed') {
    return { refusal: `--encoding takes text, binary or mixed, not "${encoding}".` };
  }
  const seed = wholeNumber(values.seed, 2 ** 32 - 1);
  if (values.seed !== undefined && seed === undefined) {
    return { refusal: `--seed takes a whole number below 4294967296, not "${values.seed}".` };
  }
  const script = values.script === undefined ? undefined : readScript(values.script);
  if (script !== undefined && 'refusal' in script) return script;
  return {
    port,
    script,
    pace,
    apiKeys: values['api-key'],
    encoding,
    seed,
    vertex: values.vertex,
    json: values.json,
    help: values.help,
  };
}

function refusalOfListening(error: unknown, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `Port ${port} on 127.0.0.1 is taken. Choose another with --port, or leave it out.`;
  if (code === 'EACCES') return `Port ${port} on 127.0.0.1 is not allowed for this user. Choose one above 1023.`;
  return `The simulator could not listen on 127.0.0.1: ${reasonOf(error)}`;
}

function refuse(reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}

async function run(argv: readonly string[]): Promise<void> {
  const read = readArguments(argv);
  if ('refusal' in read) return refuse(read.refusal);
  if (read.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const { port, script, pace, apiKeys, encoding, seed, vertex, json } = read;
  const flavour = vertex ? 'vertex' : 'gemini';
  try {
    const simulator = await startSimulator({ port, script, pace, apiKeys, encoding, seed, flavour, observe: false });
    const ready = json
      ? JSON.stringify({ url: simulator.url, port: simulator.port })
      : `The Gemini Live simulator listens at ${simulator.url}\nPoint a client at it: HOLDFAST_GEMINI_BASE_URL=${simulator.url}`;
    process.stdout.write(`${ready}\n`);
    const stop = (): void => {
      void simulator.close().then(() => process.exit(0));
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  } catch (error) {
    refuse(refusalOfListening(error, port));
  }
}

await run(process.argv.slice(2));
