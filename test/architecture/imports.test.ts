import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import t from 'tap';
import { cruiseOptions, importRules, importTable, type Row } from './import-rules.ts';

const root = join(import.meta.dirname, '..', '..');

t.test('every import in src is one that the table allows', async (t) => {
  const { modules, summary } = await check(root);
  const found = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  t.strictSame(found, []);

  const files = (await readdir(join(root, 'src'), { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name}`);
  const seen = modules.map(({ source }) => source).filter((source) => source.startsWith('src/'));
  t.strictSame(seen.toSorted(), files.toSorted(), 'no file of src was overlooked');
  t.ok(seen.length >= 39, `at least 39 modules were seen, in fact ${seen.length}`);
  const edges = modules.flatMap(({ dependencies }) => dependencies);
  t.ok(edges.length >= 60, `at least 60 imports were seen, in fact ${edges.length}`);
});

const names = Object.keys(importTable) as (keyof typeof importTable)[];

t.test('the rules are the table, for every pair of folders', async (t) => {
  const files: Record<string, string> = {};
  for (const from of names) {
    files[`src/${from}/thing.ts`] = 'export type Thing = string;\nexport const thing = 1;\n';
    for (const to of names.filter((name) => name !== from)) {
      files[`src/${from}/value-of-${to}.ts`] = `export { thing } from '../${to}/thing.ts';\n`;
      files[`src/${from}/type-of-${to}.ts`] = `export type { Thing } from '../${to}/thing.ts';\n`;
    }
  }
  const refused = await refusedFiles(t.testdir(), files);
  for (const from of names) {
    const row: Row = importTable[from];
    const others = names.filter((name) => name !== from);
    const allowed = (kind: string): readonly string[] =>
      others.filter((to) => !refused.has(`src/${from}/${kind}-of-${to}.ts`));
    t.strictSame(
      new Set(allowed('value')),
      new Set<string>(row.imports),
      `${from} imports these folders`,
    );
    t.strictSame(
      new Set(allowed('type')),
      new Set<string>([...row.imports, ...(row.typesOnly ?? [])]),
      `${from} imports types of these folders`,
    );
  }
});

t.test('the page of the architecture shows the table as it is', async (t) => {
  const page = await readFile(join(root, 'docs/architecture.md'), 'utf8');
  const rows = Object.entries(importTable).map(([folder, row]: [string, Row]) => {
    const { imports, typesOnly = [], packages = [] } = row;
    const parts = [
      quote(imports),
      typesOnly.length > 0 ? `types of ${quote(typesOnly)}` : '',
      packages.length > 0 ? `packages ${quote(packages)}` : '',
    ].filter((part) => part !== '');
    return `${folder}: ${parts.length > 0 ? parts.join('; ') : 'nothing'}`;
  });
  const shown = [...page.matchAll(/^- \*\*([a-z-]+)\*\*: .* Imports: (.*)[.]$/gm)].map(
    ([, folder, text]) => `${folder}: ${text}`,
  );
  t.strictSame(shown, rows);
});

const violations = [
  [
    'src/gate/a.ts',
    `import { b } from '../storage/b.ts';\nexport const a = b;`,
    'gate-imports-types',
  ],
  ['src/gate/a.ts', `export const a = await import('../storage/b.ts');`, 'gate-imports-types'],
  [
    'src/gate/a.ts',
    `import type { B } from '../storage/b.ts';\nimport { b } from '../storage/b.ts';\nexport const a: B = b;`,
    'gate-imports-types',
  ],
  ['src/routes/a.ts', `export type { B } from '../upstream/b.ts';`, 'routes-imports'],
  ['src/gate/a.ts', `export * from 'fastify';`, 'gate-packages'],
  [
    'src/kernel/a.ts',
    `import type { FastifyInstance as A } from 'fastify';\nexport type { A };`,
    'kernel-packages',
  ],
  [
    'src/storage/fs-blobs.ts',
    `import { open } from 'lmdb';\nexport const a = open;`,
    'lmdb-in-one-place',
  ],
  ['src/gate/closure.ts', `export { encode } from 'cbor-x';`, 'cbor-x-in-one-place'],
  [
    'src/oci/a.ts',
    `import { readFile } from 'node:fs/promises';\nexport const a = readFile;`,
    'pure-folders',
  ],
  [
    'src/main.ts',
    `import { b } from './storage/b.ts';\nexport const a = b;`,
    'main-imports-the-command-line',
  ],
  ['src/helpers/a.ts', `export { b } from '../storage/b.ts';`, 'known-folders'],
  ['src/storage/a.ts', `export { a } from '../../test/a.ts';`, 'nothing-outside'],
  ['src/storage/a.ts', `export { a } from './missing.ts';`, 'resolvable'],
  ['src/storage/a.ts', `export { c } from './c.ts';`, 'no-cycle', `export { a } from './a.ts';`],
] as const;

t.test('each rule refuses what it is there for', async (t) => {
  for (const [path, code, rule, other = ''] of violations) {
    const directory = t.testdir({ node_modules: t.fixture('symlink', join(root, 'node_modules')) });
    const { summary } = await checkFiles(directory, {
      'src/storage/b.ts': `export type B = number;\nexport const b = 1;\n`,
      'src/upstream/b.ts': `export type B = number;\n`,
      'src/storage/c.ts': other,
      'test/a.ts': 'export const a = 1;\n',
      [path]: code,
    });
    const broken = new Set(summary.violations.map((violation) => violation.rule.name));
    t.ok(broken.has(rule), `${rule} refuses ${path}: ${code}`);
  }
});

t.test('types of each other are no cycle', async (t) => {
  const { modules, summary } = await checkFiles(t.testdir(), {
    'src/storage/a.ts': `import type { C } from './c.ts';\nexport type A = C | 1;\n`,
    'src/storage/c.ts': `import type { A } from './a.ts';\nexport type C = A | 2;\n`,
  });
  t.equal(modules.length, 2);
  t.strictSame(summary.violations, []);
});

function quote(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

async function check(baseDir: string): Promise<ICruiseResult> {
  const { output } = await cruise(['src'], {
    ...cruiseOptions,
    baseDir,
    validate: true,
    ruleSet: { forbidden: [...importRules] },
  });
  if (typeof output === 'string') throw new TypeError('dependency-cruiser gave text');
  return output;
}

async function checkFiles(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<ICruiseResult> {
  for (const [path, code] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), code);
  }
  return check(directory);
}

async function refusedFiles(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<ReadonlySet<string>> {
  const { summary } = await checkFiles(directory, files);
  return new Set(summary.violations.map(({ from }) => from));
}
