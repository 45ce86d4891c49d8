import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import type { EnvironmentOptions } from 'vite';

/** The Node that Electron 45 and the pinned npm package `node` both carry. */
const NODE_TARGET = 'node24';
const CHROMIUM_TARGET = 'chrome140';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };
const builtins = builtinModules.flatMap((name) => [name, `node:${name}`]);

/** One bundle for a process of ours: everything inlined but Electron and Node's own modules. */
function nodeBundle(name: string, entry: string, format: 'es' | 'cjs'): EnvironmentOptions {
  return {
    consumer: 'server',
    resolve: { noExternal: true, external: ['electron'], builtins: ['electron', /^node:/, ...builtins] },
    build: {
      outDir: `../dist/${name}`,
      emptyOutDir: true,
      target: NODE_TARGET,
      minify: false,
      sourcemap: true,
      copyPublicDir: false,
      rolldownOptions: {
        input: entry,
        external: ['electron', /^node:/, ...builtins, 'bufferutil', 'utf-8-validate'],
        output: {
          format,
          entryFileNames: format === 'cjs' ? '[name].cjs' : '[name].js',
          codeSplitting: false,
        },
      },
    },
  };
}

export default defineConfig({
  root: 'renderer',
  publicDir: false,
  plugins: [react(), tailwindcss()],
  define: { __HOLDFAST_VERSION__: JSON.stringify(version) },
  builder: {
    async buildApp(builder) {
      for (const environment of Object.values(builder.environments)) await builder.build(environment);
    },
  },
  environments: {
    client: {
      build: {
        outDir: '../dist/renderer',
        emptyOutDir: true,
        target: CHROMIUM_TARGET,
        assetsInlineLimit: 0,
        rolldownOptions: { input: 'renderer/index.html' },
      },
    },
    main: nodeBundle('main', 'electron/main.ts', 'es'),
    preload: nodeBundle('preload', 'electron/preload.ts', 'cjs'),
    server: nodeBundle('server', 'src/server/main.ts', 'es'),
  },
  test: {
    root: '.',
    include: ['test/**/*.test.{ts,tsx}'],
    environment: 'node',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
