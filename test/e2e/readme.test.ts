import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Examined } from '../../src/compose/verification.ts';
import { runInProcess } from '../support/run-assay.ts';
import { get, loadStarter, repositoryRoot, startApp } from '../support/start-starter.ts';

// What the README's "Try it" shows is what somebody sees who tries it.
const text = await readFile(join(repositoryRoot, 'README.md'), 'utf8');
const starter = ['--config', join(repositoryRoot, 'config', 'assay.yaml')];
const withoutId = (output: string): string => output.replace(/\b[0-9a-f]{12}\b(?!\.)/g, 'ID');

t.test('the verdict that it shows is printed', async (t) => {
  const [, reference = '', shown = ''] =
    /```\n\$ npm run -s assay -- verify (\S+)\n(.*?)```/s.exec(text) ?? [];
  const { stdout } = await runInProcess(['verify', reference, ...starter]);
  t.match(shown, /^untrusted demo\//);
  t.equal(withoutId(stdout), withoutId(shown));
});

t.test('the refusal that it shows is what a client gets', async (t) => {
  const [, reference = '', message = ''] =
    /^Error: .*docker:\/\/127\.0\.0\.1:5000\/demo\/(\S+): .* denied: (requested .*)$/m.exec(text) ??
    [];
  const [path, tag] = reference.split(':');
  const { oci } = await startApp(t, await loadStarter(t));
  const answer = await get(`${oci}/v2/demo/${path}/manifests/${tag}`);
  t.equal(answer.status, 403);
  const { errors } = (await answer.json()) as { errors: readonly { message: string }[] };
  t.equal(withoutId(errors[0]?.message ?? ''), withoutId(message));
});

t.test('what its table says of each image happens', async (t) => {
  const rows = [...text.matchAll(/^\| (`[^|]+`) +\| [^|]+ \| ([^|]+?) +\|$/gm)];
  t.ok(rows.length >= 14, `${rows.length} rows`);
  for (const [, names = '', happens = ''] of rows) {
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) {
      const { stdout } = await runInProcess(['verify', `demo/${name}`, '--json', ...starter]);
      const { verdict } = JSON.parse(stdout) as Examined;
      const reason = /^`(.+)`$/.exec(happens)?.[1];
      if (reason !== undefined) t.equal(verdict.reason, reason, name);
      else if (/warning/.test(happens)) t.ok(verdict.waiver, name);
      else t.equal(verdict.kind, 'trusted', name);
    }
  }
});
