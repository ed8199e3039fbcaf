import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';

const page = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');

t.test('docs/differences.md explains every difference from cosign that a test marks', async (t) => {
  const [, section = ''] = page.split('\n# Where Assay and `cosign` part');
  const explained = [...section.matchAll(/^### `([a-z0-9-]+)`/gm)].map(([, id]) => id ?? '');
  t.ok(explained.length > 0);
  const folder = new URL('.', import.meta.url);
  const tests = readdirSync(folder)
    .filter((name) => name.startsWith('cosign-') && name.endsWith('.test.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
  for (const id of explained) t.ok(tests.includes(id), `${id} is in a test`);
});
