import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseSync } from 'vite';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const MAIN = `${dist}main/main.js`;
const PRELOAD = `${dist}preload/preload.cjs`;
const built = existsSync(MAIN) && existsSync(PRELOAD);

/** What `ws` asks for inside a `try` and does without. */
const OPTIONAL = ['bufferutil', 'utf-8-validate'];

interface Imports {
  /** By `import`, `export from`, `import()` and `require()` with a literal. */
  readonly names: readonly string[];
  /** How often a module is asked for by something else than a literal. */
  readonly computed: number;
}

function importsOf(path: string): Imports {
  const { program, errors } = parseSync(path, readFileSync(path, 'utf8'));
  expect(errors).toEqual([]);
  const names = new Set<string>();
  let computed = 0;
  const note = (source: unknown): void => {
    const value = (source as { value?: unknown } | null | undefined)?.value;
    if (typeof value === 'string') names.add(value);
    else computed += 1;
  };
  walk(program, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ImportExpression':
      case 'ExportAllDeclaration':
        note(node['source']);
        break;
      case 'ExportNamedDeclaration':
        if (node['source'] !== null) note(node['source']);
        break;
      case 'CallExpression': {
        const callee = node['callee'] as { type?: string; name?: string };
        const [first] = node['arguments'] as unknown[];
        if (callee.type === 'Identifier' && /^(__)?require(\$\w+)?$/.test(callee.name ?? '')) note(first);
        break;
      }
    }
  });
  return { names: [...names].sort(), computed };
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (typeof value === 'object' && value !== null) {
    if (typeof (value as { type?: unknown }).type === 'string') visit(value as Node);
    for (const child of Object.values(value)) walk(child, visit);
  }
}

beforeEach((context) => context.skip(!built, 'dist/ is not built; npm test builds it first'));

describe('the built preload', () => {
  test('is one CommonJS file that asks for Electron alone', () => {
    expect(readdirSync(`${dist}preload`).filter((name) => !name.endsWith('.map'))).toEqual(['preload.cjs']);
    expect(importsOf(PRELOAD)).toEqual({ names: ['electron'], computed: 0 });
    expect(readFileSync(PRELOAD, 'utf8')).not.toMatch(/^\s*(import|export)\b/m);
  });

  test('gives the page nothing through Electron’s bridge', () => {
    expect(readFileSync(PRELOAD, 'utf8')).not.toMatch(/contextBridge|exposeInMainWorld/);
  });
});

describe('the built main', () => {
  test('is one file that imports Electron and Node’s own modules alone', () => {
    expect(readdirSync(`${dist}main`).filter((name) => !name.endsWith('.map'))).toEqual(['main.js']);
    const { names } = importsOf(MAIN);
    expect(names).toContain('electron');
    const foreign = names.filter((name) => name !== 'electron' && !isBuiltin(name) && !OPTIONAL.includes(name));
    expect(foreign).toEqual([]);
  });

  test('carries none of the page: no React', () => {
    expect(readFileSync(MAIN, 'utf8')).not.toMatch(/react\.(transitional\.)?element/);
  });
});
