import type { DependencyType, ICruiseOptions, IRegularForbiddenRuleType } from 'dependency-cruiser';

/** What one folder of src may import; `typesOnly` by `import type` alone. */
export interface Row {
  readonly imports: readonly string[];
  readonly typesOnly?: readonly string[];
  /** Packages that the folder may import. */
  readonly packages?: readonly string[];
}

/** Matches no path. */
const nothing = '^$';

/**
 * The table of docs/architecture.md: each folder sees folders below it. Interfaces live with the
 * lower side; what a higher side needs of them is a type. `compose` alone imports implementations.
 */
export const importTable = {
  kernel: { imports: [] },
  files: { imports: ['kernel'], packages: ['yaml'] },
  oci: { imports: ['kernel'] },
  observe: { imports: ['kernel'], packages: ['prom-client', 'pino'] },
  crypto: { imports: ['kernel'], packages: ['jose'] },
  verdict: { imports: ['kernel', 'oci'] },
  trust: {
    imports: ['kernel', 'files', 'crypto', 'verdict'],
    packages: ['jose', '@sigstore/tuf', 'tuf-js'],
  },
  storage: {
    imports: ['kernel', 'oci'],
    typesOnly: ['observe'],
    packages: ['lmdb', 'cbor-x', 'ioredis', '@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner'],
  },
  upstream: {
    imports: ['kernel', 'files', 'oci', 'storage'],
    typesOnly: ['observe'],
    packages: ['undici'],
  },
  plugins: { imports: ['kernel'] },
  'key-references': { imports: ['kernel'] },
  formats: { imports: ['kernel', 'oci', 'crypto', 'verdict', 'trust'], typesOnly: ['plugins'] },
  policies: {
    imports: ['kernel', 'files', 'oci', 'crypto', 'verdict'],
    packages: ['@bufbuild/cel', 're2js'],
  },
  signers: { imports: ['kernel', 'oci', 'crypto'] },
  verifier: {
    imports: ['kernel', 'oci', 'verdict'],
    typesOnly: ['trust', 'storage', 'upstream', 'formats', 'policies', 'observe'],
  },
  gate: {
    imports: ['kernel', 'oci', 'verdict'],
    typesOnly: ['storage', 'upstream', 'verifier', 'policies', 'observe'],
    packages: ['cbor-x'],
  },
  airgap: {
    imports: ['kernel', 'oci', 'crypto', 'verdict', 'storage'],
    typesOnly: ['upstream', 'signers', 'verifier', 'gate'],
    packages: ['@tufjs/models'],
  },
  routes: {
    imports: ['kernel', 'oci', 'verdict', 'gate'],
    typesOnly: ['observe', 'storage'],
    packages: ['fastify'],
  },
  admin: {
    imports: ['kernel', 'oci', 'verdict', 'gate'],
    typesOnly: ['observe', 'storage'],
    packages: ['fastify'],
  },
  config: { imports: ['kernel', 'files', 'oci'], packages: ['typebox'] },
  compose: {
    imports: [
      'kernel',
      'files',
      'oci',
      'observe',
      'crypto',
      'verdict',
      'trust',
      'storage',
      'upstream',
      'plugins',
      'key-references',
      'formats',
      'policies',
      'signers',
      'verifier',
      'gate',
      'airgap',
      'routes',
      'admin',
      'config',
    ],
    packages: ['fastify', 'pino', 'piscina'],
  },
  cli: { imports: ['kernel', 'verdict', 'config', 'compose'] },
} as const satisfies Record<string, Row>;

/** Within a folder, the one file that may import a package. */
const soleImporters = {
  ioredis: '^src/storage/redis-client[.]ts$',
  '@aws-sdk': '^src/storage/s3-client[.]ts$',
  lmdb: '^src/storage/lmdb[^/]*[.]ts$',
  '@tufjs/models': '^src/airgap/metadata-(?:model|signing)[.]ts$',
  'cbor-x': '^src/(?:gate/sealed|storage/[^/]+)[.]ts$',
};

/** Folders that compute: bytes in, data out. */
const pureFolders = ['kernel', 'oci', 'crypto', 'verdict', 'formats', 'verifier', 'policies'];
const inputAndOutput = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'module',
  'net',
  'readline',
  'repl',
  'sqlite',
  'tls',
  'tty',
  'vm',
  'worker_threads',
].map((name) => `^(node:)?${name}(/|$)`);

/** What is erased before the program runs. */
const erased: DependencyType[] = ['type-only', 'type-import'];

/** The table and what goes with it, in dependency-cruiser's terms. */
export const importRules: readonly IRegularForbiddenRuleType[] = [
  ...Object.entries(importTable).flatMap(([folder, row]) => rulesOf(folder, row)),
  ...Object.entries(soleImporters).map(([name, path]) =>
    forbid(
      `${name}-in-one-place`,
      'one file of a folder knows this package',
      { path: '^src/', pathNot: path },
      { path: packages([name]) },
    ),
  ),
  forbid(
    'main-imports-the-command-line',
    'main.ts turns arguments into an exit code; the rest is in cli',
    { path: '^src/[^/]+$' },
    { pathNot: '^src/cli/' },
  ),
  forbid(
    'known-folders',
    'a folder of src without a row in the table',
    { path: '^src/[^/]+/', pathNot: folders(Object.keys(importTable)) },
    {},
  ),
  forbid(
    'pure-folders',
    'folders that compute do no input or output of their own',
    { path: folders(pureFolders) },
    { path: inputAndOutput, dependencyTypesNot: erased },
  ),
  forbid(
    'nothing-outside',
    'src imports itself, packages and what Node brings',
    { path: '^src/' },
    { pathNot: '^src/|node_modules/', dependencyTypesNot: ['core'] },
  ),
  forbid('resolvable', 'an import that leads nowhere', {}, { couldNotResolve: true }),
  forbid(
    'no-cycle',
    'modules that need each other to run',
    { path: '^src/' },
    { circular: true, viaOnly: { dependencyTypesNot: erased } },
  ),
];

/** How dependency-cruiser reads the code; without swc it sees no module of TypeScript 7. */
export const cruiseOptions: ICruiseOptions = {
  parser: 'swc',
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  enhancedResolveOptions: {
    extensions: ['.ts'],
    exportsFields: ['exports'],
    conditionNames: ['node', 'import'],
  },
};

function rulesOf(folder: string, row: Row): readonly IRegularForbiddenRuleType[] {
  const { imports, typesOnly = [], packages: own = [] } = row;
  const from = { path: folders([folder]) };
  return [
    forbid(`${folder}-imports`, 'a folder that the row of the table does not list', from, {
      path: '^src/',
      pathNot: folders([folder, ...imports, ...typesOnly]),
    }),
    forbid(
      `${folder}-imports-types`,
      'an implementation where the row of the table allows types',
      from,
      { path: folders(typesOnly), dependencyTypesNot: erased },
    ),
    forbid(`${folder}-packages`, 'a package that belongs to another folder', from, {
      path: 'node_modules/',
      pathNot: packages(own),
    }),
  ];
}

function forbid(
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IRegularForbiddenRuleType {
  return { name, comment, severity: 'error', from, to };
}

function folders(names: readonly string[]): string {
  return names.length === 0 ? nothing : `^src/(${names.join('|')})/`;
}

function packages(names: readonly string[]): string {
  return names.length === 0 ? nothing : `node_modules/(${names.join('|')})/`;
}
