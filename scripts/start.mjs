// npm start, npm run desktop (--desktop), npm run web (--web). Flags that it does not know go to the app.
import './bootstrap/require-node.mjs';

const { startApp } = await import('./bootstrap/app.mjs');
process.exitCode = await startApp(process.argv.slice(2));
