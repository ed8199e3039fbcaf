import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadBasis } from '../../src/compose/load-basis.ts';
import { refreshEndedRoots, refreshSigstoreRoots } from '../../src/compose/sigstore-refresh.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { startAppKit, writeConfiguration } from '../support/app-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../support/silence.ts';
import { logEntry, trustedRootJson } from '../support/trusted-root.ts';
import { buildTuf } from '../support/tuf-repository.ts';
import { startTufServer } from '../support/tuf-server.ts';

const upstreams = { reg: 'http://127.0.0.1:1' };
const root = trustedRootJson();
const good = buildTuf({ targets: { 'trusted_root.json': root } });
const rootJson = Buffer.from(good.rootJson).toString();
const { signal } = new AbortController();

type SigstoreConfig = Readonly<Record<string, unknown>>;

async function configure(t: Test, sigstore: SigstoreConfig, offline = false) {
  const config = { trust: { store: './trust', offline, sigstore } };
  const files = { 'root.json': rootJson, 'trusted_root.json': root.toString() };
  return await loadConfig(writeConfiguration(t, { upstreams, config, files }));
}

function dependencies(clock: Clock = makeFakeClock()) {
  const metrics = makeCountingMetrics();
  return { clock, metrics, log: makeKeptLog(), ownListeners: () => [] };
}

const ignore = async (): Promise<void> => undefined;

t.test('a private repository is fetched, kept, and then not asked again for hours', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const tuf = { url: server.url, root: './root.json', plainHttp: 'allowed' };
  const config = await configure(t, { roots: { acme: { tuf } } });
  const before = await loadBasis(config, ignore);
  t.strictSame(before.trust.sigstoreRoot('acme'), undefined);
  t.same(server.asked, [], 'loading asks nobody');

  const clock = makeFakeClock();
  const [outcome] = await refreshSigstoreRoots(config, dependencies(clock), 3_600_000, signal);
  t.match(outcome, { kind: 'refreshed', name: 'acme' });
  t.same(readdirSync(join(config.storage.path, 'sigstore')), ['acme.json']);
  const { trust } = await loadBasis(config, ignore);
  t.strictSame(trust.sigstoreRoot('acme')?.asOf, clock.now());
  t.strictSame(trust.sigstoreRoot('default'), trust.sigstoreRoot('acme'), 'the only one');
  t.not(trust.sigstoreRootDigest('acme'), before.trust.sigstoreRootDigest('acme'));

  const asked = server.asked.length;
  clock.advanceMs(3_599_999);
  const [fresh] = await refreshSigstoreRoots(config, dependencies(clock), 3_600_000, signal);
  t.match(fresh, { kind: 'fresh' });
  t.strictSame(server.asked.length, asked);
  clock.advanceMs(1);
  const [again] = await refreshSigstoreRoots(config, dependencies(clock), 3_600_000, signal);
  t.match(again, { kind: 'refreshed' });
});

t.test('one root that fails keeps no other from being refreshed', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const tuf = (url: string) => ({ tuf: { url, root: './root.json', plainHttp: 'allowed' } });
  const gone = tuf('http://127.0.0.1:1/gone');
  const config = await configure(t, {
    roots: { gone, acme: tuf(server.url), file: { file: './trusted_root.json' } },
  });
  const using = dependencies();
  const outcomes = await refreshSigstoreRoots(config, using, 0, signal);
  t.match(outcomes, [
    { kind: 'failed', name: 'gone', because: /ECONNREFUSED/ },
    { kind: 'refreshed', name: 'acme' },
    { kind: 'file', name: 'file' },
  ]);
  const { metrics } = using;
  const failed = { root: 'gone', outcome: 'failed' };
  t.strictSame(metrics.counted('assay_sigstore_root_refreshes_total', failed), 1);
});

t.test('a running proxy refreshes in the background and takes what it got into use', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const tuf = { url: server.url, root: './root.json', plainHttp: 'allowed' };
  const config = { trust: { store: './trust', sigstore: { root: { tuf } } } };
  const files = { 'root.json': rootJson };
  const kit = await startAppKit(t, { upstreams, config, files, clock: makeFakeClock() });
  await until(() => kit.lines.some(({ message }) => message === 'a Sigstore root was refreshed'));
  await kit.app.lookForChanges();
  const metrics = await kit.metrics();
  const since = Date.parse('2030-01-01T00:00:00Z') / 1000;
  t.match(metrics, `assay_sigstore_root_verified_timestamp_seconds{root="default"} ${since}`);
  t.match(metrics, /assay_sigstore_root_expiry_timestamp_seconds\{root="default"\} \d+/);
});

t.test('offline nothing opens a socket, and roots come from files', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const tuf = { url: server.url, root: './root.json', plainHttp: 'allowed' };
  const sigstore = {
    root: 'public-good',
    roots: { acme: { tuf }, own: { file: './trusted_root.json' } },
  };
  const opened: unknown[] = [];
  const note = (message: unknown): void => void opened.push(message);
  subscribe('net.client.socket', note);
  t.teardown(() => unsubscribe('net.client.socket', note));
  const config = { trust: { store: './trust', offline: true, sigstore } };
  const files = { 'root.json': rootJson, 'trusted_root.json': root.toString() };
  const kit = await startAppKit(t, { upstreams, config, files });
  await kit.app.reload();
  const loaded = await configure(t, sigstore, true);
  await refreshEndedRoots(loaded, dependencies(), signal);
  const { trust } = await loadBasis(loaded, ignore);
  t.strictSame(trust.sigstoreRoot('default')?.kind, 'seed', 'public good is as it came');
  t.strictSame(trust.sigstoreRoot('own')?.kind, 'file');
  t.strictSame(trust.sigstoreRoot('acme'), undefined);
  t.same(opened, [], 'this process dialled nobody');
  t.same(server.asked, []);
});

t.test('a root that ended is fetched by who comes and goes, one that holds is not', async (t) => {
  const server = await startTufServer(t);
  server.serve(good);
  const tuf = { url: server.url, root: './root.json', plainHttp: 'allowed' };
  const config = await configure(t, { root: { tuf } });
  await refreshEndedRoots(config, dependencies(), signal);
  t.ok(server.asked.includes('/sigstore/timestamp.json'));
  const asked = server.asked.length;
  await refreshEndedRoots(config, dependencies(), signal);
  t.strictSame(server.asked.length, asked);
  const later = makeFakeClock('2031-01-01T00:00:01Z');
  await refreshEndedRoots(config, dependencies(later), signal);
  t.ok(server.asked.length > asked);
});

t.test('a file that changes is another root, and one that breaks keeps the old', async (t) => {
  const config = {
    trust: { store: './trust', sigstore: { root: { file: './trusted_root.json' } } },
  };
  const files = { 'trusted_root.json': root.toString() };
  const kit = await startAppKit(t, { upstreams, config, files });
  const file = join(t.testdirName, 'trusted_root.json');
  writeFileSync(file, '{}');
  await kit.app.lookForChanges();
  t.ok(
    kit.lines.some(({ what }) => what === 'trust'),
    'it is told',
  );
  writeFileSync(file, trustedRootJson({ tlogs: [logEntry('other')] }));
  await kit.app.lookForChanges();
  t.ok(kit.lines.some(({ message }) => message === 'policy and trust material reloaded'));
});

/** Resolves once it holds; the test's own deadline ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
