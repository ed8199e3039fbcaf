import t, { type Test } from 'tap';
import { writeConfiguration } from '../../support/app-kit.ts';
import { runInProcess } from '../../support/run-assay.ts';
import { trustedRootJson } from '../../support/trusted-root.ts';
import { buildTuf } from '../../support/tuf-repository.ts';
import { startTufServer } from '../../support/tuf-server.ts';

const upstreams = { reg: 'http://127.0.0.1:1' };
// The command goes by the real time.
const expires = '2049-01-01T00:00:00Z';
const good = buildTuf({
  targets: { 'trusted_root.json': trustedRootJson() },
  expires: { root: expires, timestamp: expires, snapshot: expires, targets: expires },
});
const files = {
  'root.json': Buffer.from(good.rootJson).toString(),
  'trusted_root.json': trustedRootJson().toString(),
};

const configure = (t: Test, sigstore: object | undefined, offline = false): string => {
  const trust = { store: './trust', offline, ...(sigstore && { sigstore }) };
  return writeConfiguration(t, { upstreams, files, config: { trust } });
};
const tuf = (url: string) => ({ tuf: { url, root: './root.json', plainHttp: 'allowed' } });

t.test('every root is refreshed, and then listed as it is', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const roots = { own: { file: './trusted_root.json' } };
  const file = configure(t, { root: tuf(server.url), roots });
  const before = await runInProcess(['trust', 'list', '--config', file]);
  t.match(before.stdout, /default, never fetched, nobody uses it/);
  const run = await runInProcess(['trust', 'refresh', '--config', file]);
  t.equal(run.code, 0);
  t.match(run.stdout, /^own: .*trusted_root\.json, a file, is refreshed by its owner$/m);
  t.match(run.stdout, /^default: refreshed from http:.*, ends 2049-01-01T00:00:00\.000Z$/m);
  const after = await runInProcess(['trust', 'list', '--json', '--config', file]);
  t.match(JSON.parse(after.stdout), {
    sigstoreRoots: [
      { name: 'own', kind: 'file', logs: 1 },
      { name: 'default', kind: 'tuf', expiresAt: /^2049-/, hasEnded: false },
    ],
  });
});

t.test('what can not be refreshed is told and ends with 2', async (t) => {
  const file = configure(t, { root: tuf('http://127.0.0.1:1/gone') });
  const run = await runInProcess(['trust', 'refresh', '--config', file]);
  t.equal(run.code, 2);
  t.match(run.stdout, /^default: .*ECONNREFUSED/m);
  const json = await runInProcess(['trust', 'refresh', '--json', '--config', file]);
  t.match(JSON.parse(json.stdout), [{ name: 'default', kind: 'failed', because: /ECONNREFUSED/ }]);
});

t.test('without a root there is nothing to do', async (t) => {
  const run = await runInProcess(['trust', 'refresh', '--config', configure(t, undefined)]);
  t.equal(run.code, 0);
  t.match(run.stdout, /trust\.sigstore has no root/);
});

t.test('offline it refuses, and asks nobody', async (t) => {
  const server = await startTufServer(t);
  const file = configure(t, { root: tuf(server.url) }, true);
  const run = await runInProcess(['trust', 'refresh', '--config', file]);
  t.equal(run.code, 64);
  t.match(run.stderr, /trust\.offline is true/);
  t.same(server.asked, []);
});
