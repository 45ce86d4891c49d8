#!/usr/bin/env node
// Starts the Gemini Live simulator. Its source is TypeScript, which Node runs by itself from 22.18 on; an older Node
// hands over to the one that is installed with the project.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/simulator/main.ts', import.meta.url));
const bundledNode = fileURLToPath(
  new URL(`../node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`, import.meta.url),
);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import(new URL('../src/simulator/main.ts', import.meta.url).href);
} else if (existsSync(bundledNode)) {
  const child = spawn(bundledNode, [main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`The simulator could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 0 : 1);
  });
} else {
  console.error(
    `The simulator needs Node 22.18 or newer, and this is ${process.versions.node}. Run npm install first: it brings one along.`,
  );
  process.exitCode = 1;
}
