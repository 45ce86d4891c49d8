// Runs one tool of the project with the pinned Node, after installing what is missing.
// node scripts/tool.mjs build | lint | format | typecheck | e2e, then the tool's own arguments.
import './bootstrap/require-node.mjs';

const { runTool } = await import('./bootstrap/tool-run.mjs');
const [name = '', ...args] = process.argv.slice(2);
process.exitCode = await runTool(name, args);
