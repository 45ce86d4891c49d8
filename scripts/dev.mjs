// npm run dev: the browser host from its sources, and Vite in front of it with hot reload. Flags go to the host.
import './bootstrap/require-node.mjs';

const { runDev } = await import('./bootstrap/dev-run.mjs');
process.exitCode = await runDev(process.argv.slice(2));
