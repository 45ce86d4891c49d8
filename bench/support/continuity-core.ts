import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Conf from 'conf';
import { WebSocketServer } from 'ws';
import { serveOverWebSocket } from '../../src/api/index.ts';
import { openCore } from '../../src/core.ts';
import { silentLog } from '../../src/log.ts';
import { openSecretFile } from '../../src/server/secret-file.ts';

/** A core as a process of its own, served to the benchmark over a WebSocket. Needs `--expose-gc`. */
const dataDir = process.env['HOLDFAST_BENCH_DATA_DIR']!;
const opened = await openCore({
  host: 'browser',
  version: '0.0.0-bench',
  dataDir,
  env: process.env,
  secrets: openSecretFile(join(dataDir, 'secrets.json')),
  log: silentLog,
  openKeyValueFile: (name, cwd) =>
    new Conf({ cwd, configName: name, clearInvalidConfig: false, accessPropertiesByDotNotation: false }),
});
if (!opened.ok) throw new Error(opened.problem.message);
const core = opened.value;
const server = createServer();
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => serveOverWebSocket(core.router, socket, silentLog));
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

/** What this process uses, with all garbage collected. */
function usage() {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { rss, heap: heapUsed + external, cpuMs: (user + system) / 1_000 };
}

process.on('message', (message) => {
  if (message === 'usage') process.send?.(usage());
});
