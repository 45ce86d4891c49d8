import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const IMPORTS = 'eslint(no-restricted-imports)';
const GLOBALS = 'eslint(no-restricted-globals)';

interface Finding {
  readonly file: string;
  readonly rule: string;
}

/** A file with one thing in it that the linter must report, by the rule that must report it. */
interface Violation {
  readonly what: string;
  readonly file: string;
  readonly code: string;
  readonly rule: string;
}

const uses = (specifier: string) => `import { x } from '${specifier}';\nexport const y = x;\n`;
const breaks = (what: string, file: string, code: string, rule = IMPORTS): Violation => ({ what, file, code, rule });

const violations: readonly Violation[] = [
  // The core runs under any host.
  breaks('the core imports electron', 'src/live/a1.ts', uses('electron')),
  breaks('the core imports a part of electron', 'src/live/a2.ts', uses('electron/main')),
  breaks('the core imports electron-store', 'src/sessions/a3.ts', uses('electron-store')),
  breaks('the core imports react', 'src/providers/a4.ts', uses('react')),
  breaks('the core imports react-dom/client', 'src/archive/a5.ts', uses('react-dom/client')),
  breaks('the core imports zustand', 'src/journal/a6.ts', uses('zustand/vanilla')),
  breaks('the core imports the desktop host', 'src/live/a7.ts', uses('../../electron/main.ts')),
  breaks('the core imports the renderer', 'src/live/a8.ts', uses('../../renderer/words.ts')),
  breaks('the core imports react, one folder down', 'src/simulator/demo/a9.ts', uses('react')),
  breaks('the browser host imports electron', 'src/server/a10.ts', uses('electron')),
  breaks('core.ts imports electron', 'src/core.ts', uses('electron')),
  breaks('the core loads electron late', 'src/live/a11.ts', `export const x = await import('electron');\n`),
  breaks(
    'the core requires electron',
    'src/live/a12.ts',
    `export const x = require('electron');\n`,
    'typescript(no-require-imports)',
  ),
  breaks(
    'the core names a type of electron',
    'src/live/a13.ts',
    `export type X = import('electron').App;\n`,
    'typescript(consistent-type-imports)',
  ),
  breaks('the core uses window', 'src/live/b1.ts', 'export const x = window.name;\n', GLOBALS),
  breaks('the core uses document', 'src/live/b2.ts', 'export const x = document.title;\n', GLOBALS),
  breaks('the core uses localStorage', 'src/live/b3.ts', 'export const x = localStorage.length;\n', GLOBALS),
  breaks('the core uses navigator', 'src/live/b4.ts', 'export const x = navigator.onLine;\n', GLOBALS),
  breaks('the core uses globalThis.window', 'src/live/b5.ts', 'export const x = globalThis.window;\n', GLOBALS),

  // The contract stands alone.
  breaks('the contract imports a capability', 'src/contract/c1.ts', uses('../journal/index.ts')),
  breaks('the contract imports a file of src', 'src/contract/c2.ts', uses('../log.ts')),
  breaks(
    'the contract imports types of a capability',
    'src/contract/c3.ts',
    `export type { X } from '../live/index.ts';\n`,
  ),
  breaks('the contract imports a capability from deeper down', 'src/contract/deep/c4.ts', uses('../../live/index.ts')),

  // Capabilities know each other by their index.ts, and as the table says.
  breaks('a capability reaches into an allowed one', 'src/archive/d1.ts', uses('../journal/read.ts')),
  breaks('a capability reaches into the contract', 'src/archive/d2.ts', uses('../contract/ids.ts')),
  breaks('a capability names an allowed folder without its file', 'src/archive/d3.ts', uses('../journal')),
  breaks('the journal imports the archive', 'src/journal/d4.ts', uses('../archive/index.ts')),
  breaks('the archive imports the sessions', 'src/archive/d5.ts', uses('../sessions/index.ts')),
  breaks('the simulator imports the contract', 'src/simulator/d6.ts', uses('../contract/index.ts')),
  breaks('the link imports the simulator', 'src/live/d7.ts', uses('../simulator/index.ts')),
  breaks('a provider imports the sessions', 'src/providers/d8.ts', uses('../sessions/index.ts')),
  breaks('the sessions import the simulator', 'src/sessions/d9.ts', uses('../simulator/index.ts')),
  breaks('the api imports the archive', 'src/api/d10.ts', uses('../archive/index.ts')),
  breaks('a capability imports core.ts', 'src/sessions/d11.ts', uses('../core.ts')),
  breaks('a capability imports the browser host', 'src/sessions/d12.ts', uses('../server/index.ts')),
  breaks('a capability imports the api', 'src/sessions/d13.ts', uses('../api/index.ts')),
  breaks('a deep file of a capability breaks the table', 'src/journal/a/b/c/d14.ts', uses('../../../../live/index.ts')),
  breaks('a roundabout way to another capability', 'src/journal/d15.ts', uses('./../live/index.ts')),
  breaks('a capability re-exports what it may not import', 'src/journal/d16.ts', `export * from '../live/index.ts';\n`),
  breaks('a file of src besides core.ts wires capabilities', 'src/d17.ts', uses('./journal/index.ts')),
  breaks('the browser host reaches into a capability', 'src/server/d18.ts', uses('../journal/read.ts')),

  // The renderer is a page that knows the contract.
  breaks('the renderer reaches into the contract', 'renderer/e1.ts', uses('../src/contract/ids.ts')),
  breaks('the renderer imports a capability', 'renderer/chat/e2.tsx', uses('../../src/sessions/index.ts')),
  breaks('the renderer imports core.ts', 'renderer/chat/e3.tsx', uses('../../src/core.ts')),
  breaks('the renderer imports electron', 'renderer/e4.ts', uses('electron')),
  breaks('the renderer imports a module of Node', 'renderer/e5.ts', uses('node:fs')),
  breaks(
    'the renderer imports a module of Node by its old name',
    'renderer/e6.ts',
    uses('fs'),
    'unicorn(prefer-node-protocol)',
  ),
  breaks('the renderer imports the desktop host', 'renderer/e7.ts', uses('../electron/main.ts')),
  breaks('the renderer uses process', 'renderer/e8.ts', 'export const x = process.platform;\n', GLOBALS),

  // The desktop host.
  breaks('the desktop host imports the renderer', 'electron/f1.ts', uses('../renderer/words.ts')),
  breaks('the desktop host reaches into a capability', 'electron/f2.ts', uses('../src/journal/read.ts')),
  breaks('the desktop host imports react', 'electron/f3.ts', uses('react')),

  // What is shipped knows nothing of what is not.
  breaks('the core imports a test', 'src/live/g1.ts', uses('../../test/support/clock.ts')),
  breaks('the desktop host imports a test', 'electron/g2.ts', uses('../test/support/clock.ts')),
  breaks('the renderer imports a test', 'renderer/g3.ts', uses('../test/support/clock.ts')),
  breaks('the core imports a benchmark', 'src/live/g4.ts', uses('../../bench/latency.ts')),
  breaks('the desktop host imports a script', 'electron/g5.ts', uses('../scripts/start.mjs')),
  breaks('a file of src imports a test', 'src/g6.ts', uses('../test/support/clock.ts')),

  breaks('a circle', 'src/usage/h1.ts', uses('./h2.ts'), 'import(no-cycle)'),
  breaks('a circle of types', 'src/usage/h3.ts', `export type { X } from './h4.ts';\n`, 'import(no-cycle)'),
  breaks('any', 'src/usage/h5.ts', 'export const x = (y: any) => y;\n', 'typescript(no-explicit-any)'),
  breaks('the core prints', 'src/usage/h6.ts', `console.log('x');\n`, 'eslint(no-console)'),
];
/** The other half of the circles. */
const companions: Readonly<Record<string, string>> = {
  'src/usage/h2.ts': uses('./h1.ts'),
  'src/usage/h4.ts': `export type { X } from './h3.ts';\n`,
};

const allowed: Readonly<Record<string, string>> = {
  'src/contract/client.ts': uses('./ids.ts') + `export const id = () => crypto.randomUUID();\n`,
  'src/journal/journal.ts': uses('../contract/index.ts'),
  'src/journal/lines/line.ts': uses('../../contract/index.ts') + `export { z } from '../journal.ts';\n`,
  'src/archive/archive.ts': uses('../journal/index.ts'),
  'src/simulator/demo/texts.ts': uses('../wire.ts'),
  'src/simulator/main.ts': `import { createServer } from 'node:http';\nconsole.log(createServer);\n`,
  'src/providers/demo.ts': uses('../simulator/index.ts') + `export { z } from '../live/index.ts';\n`,
  'src/sessions/sessions.ts': uses('../providers/index.ts'),
  'src/sessions/reconcile.ts': uses('../archive/index.ts'),
  'src/api/router.ts': uses('../sessions/index.ts'),
  'src/core.ts': uses('./journal/index.ts') + `export { z } from './api/index.ts';\n`,
  'src/server/host.ts': uses('../core.ts') + `export { z } from '../api/index.ts';\n`,
  'src/server/main.ts': `import { start } from './host.ts';\nconsole.log(start);\n`,
  'electron/main.ts': uses('electron') + `export { z } from '../src/core.ts';\nexport { w } from './window.ts';\n`,
  'electron/stores.ts': uses('electron-store') + `export { z } from '../src/sessions/index.ts';\n`,
  'renderer/app.tsx':
    uses('react') + `export { z } from '../src/contract/index.ts';\nexport { w } from './words.ts';\n`,
  'renderer/chat/composer.tsx': uses('../../src/contract/index.ts') + `export { w } from '../words.ts';\n`,
  'renderer/chat/icon.tsx': uses('../../assets/icon.svg'),
  'test/journal/journal.test.ts': uses('../../src/journal/read.ts'),
  'bench/latency.ts': uses('../src/core.ts') + `console.log(y);\n`,
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Runs the project's linter with the project's rules over files laid out like the project. */
function lint(files: Readonly<Record<string, string>>): readonly Finding[] {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  folders.push(folder);
  cpSync(join(ROOT, 'oxlint.config.ts'), join(folder, 'oxlint.config.ts'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  const oxlint = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const ran = spawnSync(process.execPath, [oxlint, '--deny-warnings', '--format=json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const report = JSON.parse(ran.stdout) as {
    number_of_files: number;
    diagnostics: { filename: string; code: string }[];
  };
  expect(report.number_of_files).toBeGreaterThanOrEqual(Object.keys(files).length);
  return report.diagnostics.map(({ filename, code }) => ({ file: filename.replaceAll('\\', '/'), rule: code }));
}

describe('the linter reports', () => {
  let findings: readonly Finding[] = [];
  beforeAll(() => {
    findings = lint({ ...companions, ...Object.fromEntries(violations.map(({ file, code }) => [file, code])) });
  });

  it.each(violations)('$what', ({ file, rule }) => {
    expect(findings.filter((finding) => finding.file === file).map((finding) => finding.rule)).toContain(rule);
  });
});

it('the linter lets everything pass that the design allows', () => {
  expect(lint(allowed)).toEqual([]);
});

describe('the layering covers', () => {
  const entries = (folder: string) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });

  it('every folder of src/', async () => {
    const { default: config } = (await import('../../oxlint.config.ts')) as {
      default: { overrides: { files: string[] }[] };
    };
    const globs = config.overrides.flatMap((override) => override.files);
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan(0);
    for (const { name } of folders)
      expect(
        globs.some((glob) => glob.startsWith(`src/${name}/`)),
        name,
      ).toBe(true);
  });

  it('every depth at which a shipped file lies', () => {
    const deepest = { src: 4, electron: 3, renderer: 3 };
    for (const [folder, limit] of Object.entries(deepest)) {
      for (const entry of entries(folder)) {
        const inner = entry.parentPath.slice(join(ROOT, folder).length).split(/[\\/]/).filter(Boolean);
        expect(inner.length, `${entry.parentPath} ${entry.name}`).toBeLessThanOrEqual(limit);
      }
    }
  });
});
