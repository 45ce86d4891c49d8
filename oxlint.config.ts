/**
 * The linter's rules. The layering of the design is a table here, from which one override a folder and depth is made:
 * `no-restricted-imports` sees an import only as it is written, so `../x` means another place in every depth.
 * test/lint/layering.test.ts plants a violation of each rule. It imports nothing, so that it can be tried anywhere.
 */

/** Which places of src/ a place of src/ may import, always by their index.ts. Loosen this on purpose, not in passing. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  simulator: [],
  journal: ['contract'],
  archive: ['contract', 'journal'],
  exchange: ['contract', 'archive'],
  live: ['contract'],
  providers: ['contract', 'live', 'simulator'],
  memory: ['contract'],
  diagnostics: ['contract'],
  usage: ['contract'],
  settings: ['contract', 'storage'],
  storage: ['contract'],
  sessions: ['contract', 'journal', 'archive', 'live', 'providers', 'storage'],
  transfer: ['contract', 'journal', 'archive', 'exchange', 'sessions', 'storage'],
  api: ['contract', 'sessions', 'settings', 'transfer'],
};

/** Files of src/ itself that these may import as well. */
const SHARED_FILES = ['src/log.ts'];
const WITHOUT_SHARED_FILES = ['contract', 'simulator'];

/** How deep folders may nest below a place. The test of the layering fails when a file lies deeper. */
const DEPTHS = [0, 1, 2, 3];

const CODE = '*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}';
const CAPABILITIES = Object.keys(MAY_IMPORT);
const indexOf = (name: string) => `src/${name}/index.ts`;

interface Layer {
  readonly folder: string;
  /** Only files of this name, directly in the folder. */
  readonly file?: string;
  readonly excludeFiles?: readonly string[];
  /** What of ours may be imported from outside the folder. */
  readonly allowed: readonly string[];
  readonly deniedPackages: readonly DeniedPackages[];
  readonly message: string;
}
interface DeniedPackages {
  readonly regex: string;
  readonly message: string;
}

const NO_HOST_IN_CORE: DeniedPackages = {
  regex: '^(electron|electron-store|react|react-dom|zustand)(/|$)',
  message: 'The core runs under any host: no Electron, no React. Take what you need as a port.',
};
const NO_NODE_IN_RENDERER: DeniedPackages = {
  regex: '^(node:|(electron|electron-store|conf|ws|kysely|pino)(/|$))',
  message: 'The renderer is a web page: it reaches the core through the contract alone.',
};
const NO_REACT: DeniedPackages = {
  regex: '^(react|react-dom|zustand)(/|$)',
  message: 'The desktop host has no UI of its own: the renderer has.',
};

const layers: readonly Layer[] = [
  ...CAPABILITIES.map((name): Layer => {
    const allowed = MAY_IMPORT[name] ?? [];
    return {
      folder: `src/${name}`,
      allowed: [...allowed.map(indexOf), ...(WITHOUT_SHARED_FILES.includes(name) ? [] : SHARED_FILES)],
      deniedPackages: [NO_HOST_IN_CORE],
      message:
        allowed.length === 0
          ? `src/${name} imports nothing of ours.`
          : `src/${name} may import only the index.ts of: ${allowed.join(', ')}. See MAY_IMPORT in oxlint.config.ts.`,
    };
  }),
  {
    folder: 'src',
    file: 'core.ts',
    allowed: [...SHARED_FILES, ...CAPABILITIES.map(indexOf)],
    deniedPackages: [NO_HOST_IN_CORE],
    message: 'src/core.ts wires the folders of src/ together, by their index.ts.',
  },
  {
    folder: 'src',
    file: CODE,
    excludeFiles: ['src/core.ts'],
    allowed: [...SHARED_FILES, indexOf('contract')],
    deniedPackages: [NO_HOST_IN_CORE],
    message: 'Only src/core.ts and the hosts wire the folders of src/ together.',
  },
  {
    folder: 'src/server',
    allowed: ['src/core.ts', ...SHARED_FILES, ...CAPABILITIES.map(indexOf)],
    deniedPackages: [NO_HOST_IN_CORE],
    message: 'The browser host imports src/core.ts and the index.ts of folders of src/.',
  },
  {
    folder: 'electron',
    allowed: ['src/core.ts', ...SHARED_FILES, indexOf('server'), ...CAPABILITIES.map(indexOf)],
    deniedPackages: [NO_REACT],
    message: 'The desktop host imports src/core.ts and the index.ts of folders of src/.',
  },
  {
    folder: 'renderer',
    allowed: [indexOf('contract'), 'assets/**'],
    deniedPackages: [NO_NODE_IN_RENDERER],
    message: 'The renderer imports src/contract/index.ts alone.',
  },
];

/** The rule for the files of a layer that lie `depth` folders below its own. */
function layerOverride(layer: Layer, depth: number) {
  const from = layer.folder.split('/');
  const outOfFolder = '../'.repeat(depth + 1);
  const wayTo = (path: string) => {
    const [top = '', ...below] = path.split('/');
    return from.length > 1 && from[0] === top
      ? `${'../'.repeat(depth + from.length - 1)}${below.join('/')}`
      : `${'../'.repeat(depth + from.length)}${path}`;
  };
  // Files of src/ itself may not reach into its folders either. Elsewhere, what is within a folder is its own affair.
  const group =
    layer.file === undefined
      ? [`${outOfFolder}**`, `./${outOfFolder}**`, ...layer.allowed.map((path) => `!${wayTo(path)}`)]
      : ['../**', './**', ...layer.allowed.map((path) => `!./${path.slice('src/'.length)}`)];
  return {
    files: [`${layer.folder}/${'*/'.repeat(depth)}${layer.file ?? CODE}`],
    ...(layer.excludeFiles && { excludeFiles: layer.excludeFiles }),
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group, message: layer.message }, ...layer.deniedPackages] }],
    },
  };
}

const restrictGlobals = (names: readonly string[], message: string) => [
  'error',
  { globals: names.map((name) => ({ name, message })), checkGlobalObject: true },
];

export default {
  plugins: ['eslint', 'typescript', 'react', 'import', 'unicorn', 'oxc'],
  categories: { correctness: 'error', suspicious: 'error' },
  env: { builtin: true, es2024: true },
  ignorePatterns: ['dist/**', 'release/**', '.cache/**', 'test-results/**', 'playwright-report/**'],
  rules: {
    'eslint/eqeqeq': ['error', 'always', { null: 'ignore' }],
    'eslint/no-var': 'error',
    'eslint/prefer-const': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-self-import': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-require-imports': 'error',
    'unicorn/prefer-node-protocol': 'error',

    // The new JSX transform needs no import.
    'react/react-in-jsx-scope': 'off',
    // A stylesheet is imported for its effect.
    'import/no-unassigned-import': 'off',
    // Inner functions that close over nothing are often clearer where they are used.
    'unicorn/consistent-function-scoping': 'off',
    // Files of a few similar small things (errors, lines of a schema) read better as one.
    'eslint/no-shadow': 'off',
    // `await` in a loop is how steps are kept in order.
    'eslint/no-await-in-loop': 'off',
    // `fc.integer()` is how fast-check is written everywhere.
    'import/no-named-as-default-member': 'off',
    // It does not see that a callback changes the variable.
    'eslint/no-unmodified-loop-condition': 'off',
    // An effect may depend on more than it reads: on what it is to run again for.
    'react/exhaustive-effect-dependencies': 'off',
    // Ports take no target origin; the rule takes them for windows.
    'unicorn/require-post-message-target-origin': 'off',
    // On a message port `onmessage` also starts it.
    'unicorn/prefer-add-event-listener': 'off',
    'eslint/no-underscore-dangle': ['error', { allow: ['__HOLDFAST_VERSION__'] }],
    // Sorting and reversing a copy that was just made is fine, and clearer than a second copy.
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
  },
  overrides: [
    ...layers.flatMap((layer) => (layer.file === undefined ? DEPTHS : [0]).map((depth) => layerOverride(layer, depth))),
    {
      files: [`src/**/${CODE}`],
      rules: {
        'no-restricted-globals': restrictGlobals(
          ['window', 'document', 'navigator', 'localStorage', 'sessionStorage', 'indexedDB', 'location', 'alert'],
          'The core knows nothing of the DOM.',
        ),
      },
    },
    {
      files: [`renderer/**/${CODE}`],
      rules: {
        'no-restricted-globals': restrictGlobals(
          ['process', 'Buffer', 'require', 'global', '__dirname', '__filename'],
          'The renderer is a web page: Node is not there.',
        ),
        'react/rules-of-hooks': 'error',
        'react/exhaustive-deps': 'error',
      },
    },
    {
      files: [`src/**/${CODE}`, `renderer/**/${CODE}`],
      excludeFiles: ['src/server/main.ts', 'src/simulator/main.ts'],
      rules: { 'no-console': 'error' },
    },
    // `import()` types are how a test names the module that it mocks or loads late.
    {
      files: [`test/**/${CODE}`],
      rules: { 'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false }] },
    },
    // The scripts are plain JavaScript, checked by way of JSDoc.
    { files: ['scripts/**/*.mjs'], rules: { 'typescript/no-require-imports': 'off' } },
  ],
};
