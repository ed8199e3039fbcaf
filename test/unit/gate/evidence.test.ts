import { buffer } from 'node:stream/consumers';
import t from 'tap';
import type { Digest } from '../../../src/oci/digest.ts';
import { referrersTag } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../../support/build-image.ts';
import { app, by, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const image = buildImage();
const signature = toySignature(image.descriptor, { by: 'alice' });
const sbomOf = (subject: Artifact, layers = [buildBlob('application/spdx+json', '{}')]): Artifact =>
  buildManifest({
    artifactType: 'application/spdx+json',
    subject: subject.descriptor,
    layers,
  });
const sbom = sbomOf(image);
const denied = { code: 'DENIED' } as unknown as Error;

async function signedKit(): Promise<GateKit> {
  const kit = await makeGateKit();
  kit.source.put(image, 'v1');
  kit.source.put(signature);
  kit.source.put(sbom);
  return kit;
}

t.test('the referrers of an admitted image are listed as their own bytes say', async (t) => {
  const { gate } = await signedKit();
  const { descriptors } = await gate.admitReferrers(app, image.descriptor.digest, never());
  t.same(
    new Map(descriptors.map(({ digest, artifactType }) => [digest, artifactType])),
    new Map([
      [signature.descriptor.digest, 'application/vnd.cncf.notary.signature'],
      [sbom.descriptor.digest, 'application/spdx+json'],
    ]),
  );
});

t.test('signatures and SBOMs of an admitted image are served with their blobs', async (t) => {
  const { gate } = await signedKit();
  for (const { descriptor, bytes, blobs } of [signature, sbom]) {
    const content = await gate.admitManifest(app, by(descriptor.digest), never());
    t.same(content.bytes, bytes);
    t.equal(content.admission.by, 'evidence');
    const [, layer] = blobs;
    const blob = await gate.admitBlob(app, layer?.descriptor.digest as Digest, never());
    t.equal(blob.descriptor.mediaType, mediaTypes.octets, 'under no type that could be run');
    t.same(await buffer(await blob.open(never())), Buffer.from(layer?.bytes ?? []));
  }
});

t.test('evidence about an image that is not admitted is denied', async (t) => {
  const { gate, source } = await signedKit();
  const unsigned = buildImage({ name: 'unsigned' });
  source.put(unsigned, 'v2');
  const about = sbomOf(unsigned);
  source.put(about);
  await t.rejects(gate.admitManifest(app, by(about.descriptor.digest), never()), denied);
});

t.test('an SBOM does not admit what it speaks of, nor what its layer names', async (t) => {
  const { gate, source } = await signedKit();
  const hidden = buildImage({ name: 'hidden' });
  source.put(hidden);
  const pointing = sbomOf(image, [
    { ...hidden, descriptor: { ...hidden.descriptor, mediaType: 'application/spdx+json' } },
  ]);
  source.put(pointing);
  await gate.admitManifest(app, by(pointing.descriptor.digest), never());
  await t.rejects(gate.admitManifest(app, by(hidden.descriptor.digest), never()), denied);
});

const posing: readonly (readonly [title: string, artifact: Artifact])[] = [
  ['an image with a subject', buildImage({ name: 'runnable', subject: image.descriptor })],
  [
    'an image with the artifact type of a signature',
    buildImage({
      name: 'typed',
      subject: image.descriptor,
      members: { artifactType: 'application/vnd.cncf.notary.signature' },
    }),
  ],
  [
    'a signature type with a root file system as its layer',
    sbomOf(image, [buildBlob('application/vnd.oci.image.layer.v1.tar+gzip', 'x')]),
  ],
  [
    'an unknown artifact type',
    buildManifest({ artifactType: 'application/x.program', subject: image.descriptor }),
  ],
];

for (const [title, artifact] of posing) {
  t.test(`${title} is no evidence: neither listed nor served`, async (t) => {
    const { gate, source } = await signedKit();
    source.put(artifact);
    const { digest } = artifact.descriptor;
    const { descriptors } = await gate.admitReferrers(app, image.descriptor.digest, never());
    t.notOk(descriptors.some((descriptor) => descriptor.digest === digest));
    await t.rejects(gate.admitManifest(app, by(digest), never()), denied);
  });
}

t.test(
  'the index under the referrers tag is served, and admits nothing that it lists',
  async (t) => {
    const { gate, source } = await signedKit();
    const runnable = buildImage({ name: 'listed' });
    source.put(runnable);
    const list = {
      ...buildBlob(
        mediaTypes.ociIndex,
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [signature.descriptor, runnable.descriptor],
        }),
      ),
      blobs: [],
      children: [],
    };
    const tag = referrersTag(image.descriptor.digest);
    source.put(list, tag);
    const content = await gate.admitManifest(app, by(tag), never());
    t.same(content.bytes, list.bytes);
    t.equal(content.admission.by, 'evidence');
    t.ok(await gate.admitManifest(app, by(signature.descriptor.digest), never()));
    await t.rejects(gate.admitManifest(app, by(runnable.descriptor.digest), never()), denied);
  },
);

t.test('those who list referrers at the same time share one list', async (t) => {
  const { gate, source } = await signedKit();
  await gate.admitManifest(app, by('v1'), never());
  const before = source.calls.length;
  const list = () => gate.admitReferrers(app, image.descriptor.digest, never());
  const [one, ...others] = await Promise.all([list(), list(), list()]);
  t.equal(one.descriptors.length, 2);
  for (const other of others) t.same(other, one);
  const asked = source.calls.slice(before).filter((call) => call.startsWith('listReferrers'));
  t.equal(asked.length, 1);
});

t.test('a list of referrers that can not be had is no empty list', async (t) => {
  const { gate, source } = await signedKit();
  await gate.admitManifest(app, by('v1'), never());
  source.fail('listReferrers', new UpstreamError('UPSTREAM_FAILED', 'down'));
  const asked = gate.admitReferrers(app, image.descriptor.digest, never());
  await t.rejects(asked, { code: 'UNAVAILABLE' });
});

const cosignLayers = (count: number, type: string) =>
  Array.from({ length: count }, (_, number) => buildBlob(type, JSON.stringify({ number })));

t.test("cosign's manifests are evidence under its tags, of many layers too", async (t) => {
  const { gate, source } = await signedKit();
  const tag = referrersTag(image.descriptor.digest);
  const config = buildBlob(mediaTypes.ociConfig, '{}');
  const stored = {
    sig: cosignLayers(256, 'application/vnd.dev.cosign.simplesigning.v1+json'),
    att: cosignLayers(3, 'application/vnd.dsse.envelope.v1+json'),
    sbom: cosignLayers(1, 'application/vnd.syft+json'),
  };
  for (const [kind, layers] of Object.entries(stored)) {
    const artifact = buildManifest({ config, layers });
    source.put(artifact, `${tag}.${kind}`);
    const served = await gate.admitManifest(app, by(`${tag}.${kind}`), never());
    t.equal(served.admission.by, 'evidence', kind);
    const last = layers.at(-1)!;
    const blob = await gate.admitBlob(app, last.descriptor.digest, never());
    t.same(await buffer(await blob.open(never())), Buffer.from(last.bytes));
  }
});

t.test('of more layers than are read for one verdict it is no evidence', async (t) => {
  const { gate, source } = await signedKit();
  const layers = cosignLayers(257, 'application/vnd.dev.cosign.simplesigning.v1+json');
  const artifact = buildManifest({ config: buildBlob(mediaTypes.ociConfig, '{}'), layers });
  const tag = `${referrersTag(image.descriptor.digest)}.sig`;
  source.put(artifact, tag);
  await t.rejects(gate.admitManifest(app, by(tag), never()), denied);
});
