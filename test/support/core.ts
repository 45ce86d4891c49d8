import { join } from 'node:path';
import Conf from 'conf';
import { afterEach } from 'vitest';
import { openCore } from '../../src/core.ts';
import type { Core } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import { openSecretFile } from '../../src/server/secret-file.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/index.ts';
import { tempDir } from './temp-dir.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Closes something after the test; the last given goes first. */
export function closeAfter<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one);
  return one;
}

/** A core on a data directory; `env` says whom it talks to (by default the demo). Closed after the test. */
export async function openTestCore(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
  host: 'desktop' | 'browser' = 'browser',
): Promise<Core> {
  const opened = await openCore({
    host,
    version: '0.0.0-test',
    dataDir,
    env,
    secrets: openSecretFile(join(dataDir, 'secrets.json')),
    log: silentLog,
    openKeyValueFile: (name, cwd) =>
      new Conf({ cwd, configName: name, clearInvalidConfig: false, accessPropertiesByDotNotation: false }),
  });
  if (!opened.ok) throw new Error(opened.problem.message);
  let closing: Promise<void> | undefined;
  const core: Core = { ...opened.value, close: () => (closing ??= opened.value.close()) };
  return closeAfter(core);
}

export interface TestWorld {
  readonly simulator: Simulator;
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
}

/** A simulator to dial and an empty data directory. */
export async function testWorld(options: SimulatorOptions = {}): Promise<TestWorld> {
  const simulator = closeAfter(await startSimulator({ pace: 'instant', audio: 'brief', ...options }));
  return {
    simulator,
    dataDir: tempDir(),
    env: { HOLDFAST_GEMINI_API_KEY: 'test-key-for-the-simulator', HOLDFAST_GEMINI_BASE_URL: simulator.url },
  };
}
