import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadSigstoreRoot } from '../../../../src/trust/sigstore/load-root.ts';
import { publicGood } from '../../../../src/trust/sigstore/root-source.ts';
import { trustedRootJson } from '../../../support/trusted-root.ts';

const mode = 'refreshed';

t.test('a file is loaded as it lies there, with its last change and without an end', async (t) => {
  const file = join(t.testdir(), 'trusted_root.json');
  writeFileSync(file, trustedRootJson());
  const changed = new Date('2029-06-01T00:00:00Z');
  utimesSync(file, changed, changed);
  const loaded = await loadSigstoreRoot({ kind: 'file', file }, { mode });
  t.match(loaded, { kind: 'file', from: file, asOf: changed });
  t.notOk('expiresAt' in (loaded ?? {}));
});

t.test('a file that is missing or broken is told apart, by name', async (t) => {
  const file = join(t.testdir({ 'root.json': '{}' }), 'root.json');
  await t.rejects(loadSigstoreRoot({ kind: 'file', file }, { mode }), {
    code: 'SIGSTORE_ROOT_MALFORMED',
    message: `${file}: not a trusted root: mediaType is missing`,
  });
  await t.rejects(loadSigstoreRoot({ kind: 'file', file: `${file}.none` }, { mode }), {
    code: 'SIGSTORE_ROOT_UNAVAILABLE',
    message: /ENOENT/,
  });
});

t.test(
  'the public good root is there before the first update, till its root.json ends',
  async (t) => {
    const loaded = await loadSigstoreRoot(publicGood(join(t.testdir(), 'none.json')), { mode });
    t.match(loaded, { kind: 'seed', from: 'https://tuf-repo-cdn.sigstore.dev' });
    t.notOk('asOf' in (loaded ?? {}), 'nobody knows how old it is');
    t.ok((loaded?.expiresAt?.getTime() ?? 0) > Date.parse('2026-11-01T00:00:00Z'));
    t.ok((loaded?.root.logs.length ?? 0) > 0);
  },
);
