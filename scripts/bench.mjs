// npm run bench -- NAME: runs bench/NAME.ts. Without a name: all of them. --list: their names.
import './bootstrap/require-node.mjs';

const { runBench } = await import('./bootstrap/bench-run.mjs');
process.exitCode = await runBench(process.argv.slice(2));
