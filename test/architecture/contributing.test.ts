import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '..', '..');
const contributing = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

t.test('every script is explained to contributors, and no other is', async (t) => {
  const explained = [...contributing.matchAll(/`npm (?:run (?:-s )?)?([a-z0-9:]+)[^`]*`/g)]
    .map(([, name]) => name)
    .filter((name) => name !== 'ci');
  t.strictSame(new Set(explained), new Set(Object.keys(scripts)));
});

t.test('every file that a script names is there', async (t) => {
  const named = Object.values(scripts).flatMap(
    (line) => line.match(/\b(?:src|test|config)\/[\w./-]+\.(?:ts|mjs)/g) ?? [],
  );
  t.ok(named.length > 5);
  for (const path of new Set(named)) await t.resolves(access(join(root, path)), path);
});

t.test('links between pages lead somewhere', async (t) => {
  const docs = (await readdir(join(root, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  const links: string[] = [];
  for (const page of ['README.md', 'CONTRIBUTING.md', ...docs]) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      links.push(join(dirname(page), target));
    }
  }
  t.ok(links.length > 10);
  for (const link of new Set(links)) await t.resolves(access(join(root, link)), link);
});
