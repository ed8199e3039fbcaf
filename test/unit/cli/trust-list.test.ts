import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TrustList } from '../../../src/compose/trust-list.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import { runInProcess } from '../../support/run-assay.ts';

const upstreams = { reg: 'http://127.0.0.1:1' };

t.test('what is in use is listed, for a person and for a script', async (t) => {
  const file = writeConfiguration(t, { upstreams });
  const run = await runInProcess(['trust', 'list', '--config', file]);
  t.equal(run.code, 0);
  t.match(run.stdout, /^Trust stores\n└─ ca:acme, used by acme\n.*CN=acme root.*\d+ days left/m);
  const json = await runInProcess(['trust', 'list', '--json', '--config', file]);
  t.match(JSON.parse(json.stdout) as TrustList, {
    stores: [{ store: 'ca:acme', anchors: [{ state: 'valid', notAfter: /^2049-/ }] }],
    plugins: [],
    problems: [],
  });
});

t.test('what the policy relies upon and is missing ends with 1, and is shown', async (t) => {
  const file = writeConfiguration(t, { upstreams, config: { trust: { store: './none' } } });
  const run = await runInProcess(['trust', 'list', '--config', file]);
  t.equal(run.code, 1);
  t.match(run.stdout, /missing or empty/);
  t.match(run.stdout, /^problem: the trust policy refers to trust store ca:acme/m);
});

t.test('a trust store that does not load is a bad configuration', async (t) => {
  const file = writeConfiguration(t, { upstreams });
  writeFileSync(join(file, '..', 'trust', 'x509', 'ca', 'acme', 'more.pem'), 'none');
  const run = await runInProcess(['trust', 'list', '--config', file]);
  t.equal(run.code, 78);
  t.match(run.stderr, /more\.pem/);
});

t.test('it takes no arguments', async (t) => {
  t.equal((await runInProcess(['trust', 'list', 'ca:acme'])).code, 64);
});
