// npm test: everything. npm test -- FILES: those test files alone.
import './bootstrap/require-node.mjs';

const { runTests } = await import('./bootstrap/test-run.mjs');
process.exitCode = await runTests(process.argv.slice(2));
