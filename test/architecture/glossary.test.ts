import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '..', '..');
const page = await readFile(join(root, 'docs/glossary.md'), 'utf8');
const words = [...page.matchAll(/^- \*\*(.+?)\*\*: (.+?)(?: In the code: (.+)[.])?$/gm)].map(
  ([, word = '', meaning = '', place = '']) => ({ word, meaning, place }),
);

t.test('each word stands once, with a meaning', async (t) => {
  t.ok(words.length >= 45, `${words.length} words`);
  t.equal(new Set(words.map(({ word }) => word)).size, words.length);
  t.strictSame(
    words.filter(({ meaning }) => !meaning.endsWith('.')),
    [],
  );
});

t.test('the exported name that a word points to is there', async (t) => {
  const placed = words.filter(({ place }) => place !== '');
  t.ok(placed.length >= 25);
  for (const { word, place } of placed) {
    const [, name = '', path = ''] = /^`(\w+)` in `(src\/[a-z0-9/-]+[.]ts)`$/.exec(place) ?? [];
    const code = path === '' ? '' : await readFile(join(root, path), 'utf8');
    t.match(code, new RegExp(`^export [a-z ]*\\b${name}\\b`, 'm'), `${word}: ${name} in ${path}`);
  }
});

t.test('a word that names an exported type says so', async (t) => {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((name) =>
    name.endsWith('.ts'),
  );
  const code = await Promise.all(files.map((name) => readFile(join(root, 'src', name), 'utf8')));
  const types = new Set(
    [...code.join('\n').matchAll(/^export (?:type|interface|class) (\w+)/gm)].map(
      ([, name]) => name,
    ),
  );
  t.ok(types.size >= 50);
  const silent = words.filter(({ word, place }) => place === '' && types.has(toTypeName(word)));
  t.strictSame(silent, []);
});

/** `content source` is `ContentSource` in code. */
function toTypeName(word: string): string {
  return word
    .split(/[ -]/)
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}`)
    .join('');
}
