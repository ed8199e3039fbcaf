import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { publishAirgap, type PublishReport } from '../../src/compose/airgap-publish.ts';
import { loadConfig } from '../../src/config/load.ts';
import { referrersTag } from '../../src/oci/digest.ts';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { type RegistryKind, startRegistry } from '../interop/support/registries.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { runInProcess } from '../support/run-assay.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [100_000, 300] });
const twin = buildImage({ name: 'twin', layerSizes: [100_000, 300] });
const multi = buildIndex();
const signature = signatureOf(app.descriptor);
const images = [
  { name: 'docker.io/library/app:1.0', artifact: app, evidence: [signature] },
  { name: 'docker.io/library/twin:1.0', artifact: twin, evidence: [signatureOf(twin.descriptor)] },
  { name: 'ghcr.io/acme/multi', artifact: multi, evidence: [signatureOf(multi.descriptor)] },
];

const { signal } = new AbortController();

async function publish(zone: ZoneKit, to: string, stop = signal): Promise<PublishReport> {
  const wish = { to, plainHttp: 'allowed', onProgress: () => undefined } as const;
  return publishAirgap(await loadConfig(zone.file), wish, stop, { clock: zone.clock });
}

async function get(url: string) {
  const answer = await fetch(url, { headers: { accept: manifestMediaTypes.join(', ') } });
  const body = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, type: answer.headers.get('content-type'), body };
}

async function importedZone(t: Test): Promise<ZoneKit> {
  const zone = makeZone(t);
  await zone.import(await writeFullBundle({ folder: join(zone.folder, 'in'), images }));
  return zone;
}

const kinds: readonly RegistryKind[] = ['distribution', 'referrers', 'olareg', 'crane'];

for (const kind of kinds) {
  t.test(`what was imported can be pulled from ${kind}, byte for byte`, async (t) => {
    const zone = await importedZone(t);
    const registry = await startRegistry(t, kind, join(zone.folder, 'registry'));
    if (registry === undefined) return;
    const first = await publish(zone, `${registry.origin}/mirror`);
    t.match(
      first.images.map(({ outcome, because }) => ({ outcome, because })),
      [{ outcome: 'trusted' }, { outcome: 'trusted' }, { outcome: 'trusted' }],
    );
    const at = `${registry.origin}/v2/mirror/docker.io/library/app`;
    const tagged = await get(`${at}/manifests/1.0`);
    t.equal(tagged.status, 200);
    t.ok(tagged.body.equals(app.bytes));
    for (const { descriptor, bytes } of closureOf(app).blobs) {
      t.ok((await get(`${at}/blobs/${descriptor.digest}`)).body.equals(bytes));
    }
    const signed = await get(`${at}/manifests/${signature.descriptor.digest}`);
    t.ok(signed.body.equals(signature.bytes), 'the signature too');
    const { digest } = app.descriptor;
    const lists = await Promise.all(
      [`referrers/${digest}`, `manifests/${referrersTag(digest)}`].map((path) =>
        get(`${at}/${path}`),
      ),
    );
    t.ok(
      lists.some(
        ({ status, body }) => status === 200 && body.includes(signature.descriptor.digest),
      ),
      'it is found by its subject',
    );
    const top = await get(
      `${registry.origin}/v2/mirror/ghcr.io/acme/multi/manifests/${multi.descriptor.digest}`,
    );
    t.ok(top.body.equals(multi.bytes));

    const again = await publish(zone, `${registry.origin}/mirror`);
    t.strictSame(
      again.images.map(({ outcome, sentBytes, manifests }) => ({ outcome, sentBytes, manifests })),
      images.map(() => ({ outcome: 'trusted', sentBytes: 0, manifests: 0 })),
      'what is there is not sent again',
    );
  });
}

t.test('what the site denies by now is left out, and named', async (t) => {
  const zone = await importedZone(t);
  const registry = await startRegistry(t, 'distribution', join(zone.folder, 'registry'));
  if (registry === undefined) return;
  const words = ['--reason', 'stolen', '--owner', 'a@b.example', '--config', zone.file];
  const denied = await runInProcess(['deny', 'add', '--digest', app.descriptor.digest, ...words]);
  t.equal(denied.code, 0, denied.stderr);
  const to = ['--to', registry.origin, '--plain-http', '--config', zone.file];
  const run = await runInProcess(['airgap', 'publish', ...to]);
  t.equal(run.code, 1, run.stderr);
  t.match(run.stdout, /denied +docker\.io\/library\/app:1\.0/);
  const at = `${registry.origin}/v2/docker.io/library`;
  t.equal((await get(`${at}/app/manifests/1.0`)).status, 404);
  t.equal((await get(`${at}/twin/manifests/1.0`)).status, 200, 'the others are there');
});

t.test('an exemption is a decision of this site, and publishes nothing', async (t) => {
  const until = '2031-01-01T00:00:00Z';
  const rules = [
    { repositories: ['docker.io/library/app'], exempt: { reason: 'x', owner: 'y', until } },
    { repositories: ['docker.io/**', 'ghcr.io/**'], require: { signedBy: 'acme' } },
  ];
  const zone = makeZone(t, { rules });
  await zone.import(await writeFullBundle({ folder: join(zone.folder, 'in'), images }));
  const registry = await startRegistry(t, 'distribution', join(zone.folder, 'registry'));
  if (registry === undefined) return;
  const report = await publish(zone, registry.origin);
  t.match(report.images[0], { outcome: 'waived', target: 'docker.io/library/app' });
  t.equal((await get(`${registry.origin}/v2/docker.io/library/app/tags/list`)).status, 404);
});

t.test('nothing goes over plain http unless that is said', async (t) => {
  const zone = await importedZone(t);
  const wish = { to: 'http://127.0.0.1:1', plainHttp: undefined, onProgress: () => undefined };
  await t.rejects(publishAirgap(await loadConfig(zone.file), wish, signal, { clock: zone.clock }), {
    code: 'DESTINATION_INVALID',
    message: /plain http, which is used only with --plain-http/,
  });
});

t.test('a stopped publication says so', async (t) => {
  const zone = await importedZone(t);
  const report = await publish(zone, 'http://127.0.0.1:1', AbortSignal.abort());
  t.equal(report.isComplete, false);
  t.match(report.images[0], { outcome: 'failed', because: 'it was stopped' });
});

t.test('a store without anything, and no store, can not be published', async (t) => {
  const zone = makeZone(t);
  mkdirSync(zone.store);
  await t.rejects(publish(zone, 'http://127.0.0.1:1'), { message: /nothing was imported/ });
  const bare = join(zone.folder, 'bare.yaml');
  writeFileSync(bare, 'upstreams: {}\nstorage: { path: ./data }\ntrustPolicy: ./policy.yaml\n');
  const run = await runInProcess([
    'airgap',
    'publish',
    '--to',
    'https://x.example',
    '--config',
    bare,
  ]);
  t.equal(run.code, 78, run.stderr);
});
