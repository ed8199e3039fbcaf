import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import { findForbiddenSyntax } from './forbidden-syntax.ts';

const root = join(import.meta.dirname, '..', '..');

interface Source {
  readonly path: string;
  readonly text: string;
}

const ignored = new Set(['node_modules', 'dist', 'data', '.tap', '.git']);
const binary = /[.](?:gz|tgz|tar|png|ico|der|mdb|p7s|jks|p12)$/;
const tree = await readTree(root);
const sources = tree.filter(({ path }) => /^src[/].*[.]ts$/.test(path));

t.test('the tree was read', async (t) => {
  t.ok(sources.length >= 39, `${sources.length} files in src`);
  t.ok(tree.some(({ path }) => path === 'package.json'));
  t.ok(tree.some(({ path }) => path === '.oxlintrc.json'));
});

t.test('files in src are short', async (t) => {
  const sizes = sources.map(({ path, text }) => ({ path, lines: lineCount(text) }));
  t.strictSame(
    sizes.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines} lines`),
    [],
    'none has over 300 lines',
  );
  const sorted = sizes.map(({ lines }) => lines).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
  t.ok(median < 100, `the median is under 100 lines, in fact ${median}`);
});

t.test('the kernel stays small', async (t) => {
  const kernel = sources.filter(({ path }) => path.startsWith('src/kernel/'));
  t.ok(kernel.length >= 7 && kernel.length < 10, `under 10 files, in fact ${kernel.length}`);
  // The reader of JSON is a whole grammar.
  const limits: Readonly<Record<string, number>> = { 'src/kernel/json.ts': 85 };
  const large = kernel
    .map(({ path, text }) => ({ path, lines: codeLineCount(text) }))
    .filter(({ path, lines }) => lines >= (limits[path] ?? 60));
  t.strictSame(large, [], 'each of under 60 lines of code');
});

t.test('names say what is in a file', async (t) => {
  const emptyName =
    /^(?:utils?|helpers?|common|misc|managers?|services?|base|impl|lib|core|types|interfaces|constants|enums|models?|shared)$/;
  const emptyWord = /^(?:utils?|helpers|common|misc|manager|impl)$/;
  const found = tree
    .map(({ path }) => path)
    .filter((path) => /^(?:src|test|config|docs)[/].*[.](?:ts|mjs|md)$/.test(path))
    .filter((path) => basename(path) !== 'README.md')
    .filter((path) => {
      const name = basename(path).replace(/(?:[.]test)?[.](?:ts|mjs|md)$/, '');
      return (
        !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) ||
        [name, ...dirname(path).split('/').slice(1)].some((part) => emptyName.test(part)) ||
        name.split('-').some((word) => emptyWord.test(word))
      );
    });
  t.strictSame(found, []);
});

t.test('time and chance come from kernel/clock.ts, and modules export by name', async (t) => {
  const lazy = /^src[/](?:main[.]ts|cli[/]|compose[/]|policies[/]load-cel[.]ts$)/;
  const found = sources
    .filter(({ path }) => path !== 'src/kernel/clock.ts')
    .flatMap(({ path, text }) =>
      findForbiddenSyntax(text)
        // A command may load what it needs when it is called; the table sees plain names.
        .filter(({ what }) => !(what === 'import()' && lazy.test(path)))
        .map(({ line, what }) => `${path}:${line}: ${what}`),
    );
  t.strictSame(found, []);
  const clock = sources.find(({ path }) => path === 'src/kernel/clock.ts');
  t.ok(findForbiddenSyntax(clock?.text ?? '').length >= 2, 'the clock itself reads the time');
});

t.test('nothing is left for later or tied to one machine', async (t) => {
  // Written so that this file does not find itself.
  const marks = /\b(?:T[O]DO(?!\(#\d+\))|FIX[M]E|X[X]X|HA[C]K)\b/;
  const machine = /(?:^|[\s"'`(=:])(?:\/wor[k]\/|\/roo[t]\/|\/hom[e]\/[a-z]|\/User[s]\/|[A-Z]:\\)/;
  const focused = /\b[t]\.only\(|\b[t]\.todo\(|[{,] only: true/;
  const found = tree
    .filter(({ path }) => path !== 'package-lock.json' && path !== 'LICENSE')
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          [marks, machine, focused]
            .filter((pattern) => pattern.test(line))
            .map(() => `${path}:${index + 1}: ${line.trim().slice(0, 100)}`),
        ),
    );
  t.strictSame(found, []);
});

t.test('comments are no switched-off checks', async (t) => {
  const switches =
    /@ts-(?:ignore|nocheck|expect-error)|(?:oxlint|eslint|prettier|knip)-(?:disable|ignore)|c8 ignore/;
  const found = tree
    .filter(({ path }) => /[.](?:ts|mjs)$/.test(path) && !path.startsWith('test/architecture/'))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
        // A reason stands after it: "… -- why".
        .filter(({ line }) => switches.test(line) && !/(?:--|:) \S+ \S+/.test(line))
        .map(({ at }) => at),
    );
  t.strictSame(found, []);
});

async function readTree(folder: string, prefix = ''): Promise<readonly Source[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries
    .filter(({ name }) => !ignored.has(name))
    .map(async (entry): Promise<readonly Source[]> => {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory()) return readTree(join(folder, entry.name), `${path}/`);
      if (!entry.isFile() || binary.test(path)) return [];
      return [{ path, text: await readFile(join(folder, entry.name), 'utf8') }];
    });
  return (await Promise.all(nested)).flat();
}

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}

/** Lines that hold code: neither blank nor only a comment. */
function codeLineCount(text: string): number {
  return text
    .replace(/\/\*[^]*?\*\//g, '')
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length;
}
