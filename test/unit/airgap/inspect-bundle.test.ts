import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { inspectBundle } from '../../../src/airgap/inspect-bundle.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { imageOf, stream } from '../../support/airgap-kit.ts';
import { buildImage } from '../../support/build-image.ts';
import { usualRoots, writeFullBundle } from '../../support/bundle-kit.ts';
import { rootsOf } from '../../support/metadata-kit.ts';

const now = new Date('2030-01-02T00:00:00Z');
const old = buildImage({ name: 'old', layerSizes: [50_000] });
const fresh = buildImage({ name: 'fresh', layerSizes: [1000] });
const signature = buildImage({ name: 'signature', layerSizes: [10] });
const images = [
  { name: 'docker.io/library/old:1.0', artifact: old, tagVersion: 3, evidence: [signature] },
  { name: 'docker.io/library/fresh:1.0', artifact: fresh },
];
const denied = digestOf(Buffer.from('denied'));

t.test('a delta says what is new, what it takes to be there, and how old it is', async (t) => {
  const bundle = await writeFullBundle({
    folder: join(t.testdir(), 'bundle'),
    images,
    sequence: 2,
    base: 1,
    previous: { sequence: 1, snapshot: denied },
    assumed: [old.descriptor.digest, ...old.blobs.map(({ descriptor }) => descriptor.digest)],
    revocationAsOf: '2029-12-31T00:00:00Z',
    denials: [{ target: { kind: 'digest', digest: denied }, because: 'CVE', since: now }],
    rollbacks: [
      {
        repository: imageOf().repository,
        tag: imageOf().tag ?? ('1.0' as never),
        to: denied,
        owner: 'ops',
        until: now,
      },
    ],
    trust: { 'policy.yaml': { kind: 'policy', bytes: Buffer.from('policy') } },
  });
  const found = await inspectBundle([bundle.folder], usualRoots[0], now);
  t.match(found, {
    vouchedBy: 'pinned',
    stream,
    sequence: 2,
    kind: 'content',
    base: 1,
    ageSeconds: 86_400,
    exporter: 'assay test',
    expired: [],
    revocationAsOf: new Date('2029-12-31T00:00:00Z'),
    trust: ['trust/policy.yaml'],
    denials: [/sha256:.*: CVE/],
    rollbacks: [/^docker.io\/library\/app:1.0 to sha256:.*, by ops until/],
    content: { assumedBlobs: 3, carriedBlobs: 6 },
    volumes: [{ name: bundle.volumes[0], copies: 1 }],
    roles: { timestamp: { version: 2, threshold: 1 } },
  });
  t.match(found.images, [
    { reference: 'docker.io/library/old:1.0', tagVersion: 3, news: 'new-evidence' },
    { reference: 'docker.io/library/fresh:1.0', news: 'carried', evidence: [] },
  ]);
  t.equal(found.images[0]?.evidence.length, 1);
});

t.test('what the base has whole is as before', async (t) => {
  const all = [old, signature].flatMap((artifact) => [
    artifact.descriptor.digest,
    ...artifact.blobs.map(({ descriptor }) => descriptor.digest),
  ]);
  const bundle = await writeFullBundle({
    folder: join(t.testdir(), 'bundle'),
    images,
    sequence: 2,
    base: 1,
    previous: { sequence: 1, snapshot: denied },
    assumed: all,
  });
  const { images: found } = await inspectBundle([bundle.folder], undefined, now);
  t.strictSame(
    found.map(({ news }) => news),
    ['assumed', 'carried'],
  );
});

t.test('without volumes it says which are missing; expired roles are named', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  const bundle = await writeFullBundle({
    folder,
    images,
    expires: { timestamp: '2030-01-01T12:00:00Z' },
  });
  rmSync(join(folder, 'volumes', bundle.volumes[1] ?? ''));
  const found = await inspectBundle([folder], undefined, now);
  t.equal(found.vouchedBy, 'itself');
  t.strictSame(found.expired, ['timestamp']);
  t.strictSame(
    found.volumes.map(({ copies }) => copies),
    [1, 0],
  );
  t.equal(found.base, undefined);
  t.strictSame([...new Set(found.images.map(({ news }) => news))], ['carried']);
});

t.test('metadata that another root vouches for are an error', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  await writeFullBundle({ folder, images });
  const [other] = await rootsOf({ keys: { timestamp: ['stranger'] } });
  await t.rejects(inspectBundle([folder], other, now), { code: 'METADATA_SIGNATURE' });
});
