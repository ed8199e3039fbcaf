import { buffer } from 'node:stream/consumers';
import t from 'tap';
import type { Digest } from '../../../src/oci/digest.ts';
import { referrersTag } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import {
  type Artifact,
  buildBlob,
  buildImage,
  buildIndex,
  buildManifest,
} from '../../support/build-image.ts';
import {
  aliceSigns,
  app,
  by,
  deniedFor,
  type GateKit,
  makeGateKit,
  never,
} from '../../support/gate-kit.ts';
import {
  digestAt,
  imageConfig,
  notation,
  posing,
  program,
  signed,
  signedKit,
  statement,
} from '../../support/attack-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

// podman takes the layers of an image for what their bytes are, whatever their media type says,
// and of Docker's manifests it does not look at the config's.
const runnable: readonly (readonly [title: string, artifact: Artifact])[] = [
  [
    "Docker's manifest, whose readers know no artifact types",
    posing({
      mediaType: mediaTypes.dockerManifest,
      config: buildBlob(notation, imageConfig.bytes),
      layers: [buildBlob(mediaTypes.dockerConfig, program)],
    }),
  ],
  [
    'a chart with the artifact type of a signature',
    posing({
      artifactType: notation,
      config: buildBlob('application/vnd.cncf.helm.config.v1+json', '{}'),
      layers: [buildBlob('application/tar+gzip', program)],
    }),
  ],
  [
    'a module for WebAssembly with the artifact type of a signature',
    posing({
      artifactType: notation,
      config: buildBlob('application/vnd.wasm.config.v0+json', '{}'),
      layers: [buildBlob('application/wasm', program)],
    }),
  ],
  [
    'any bytes with the artifact type of a signature',
    posing({ artifactType: notation, layers: [buildBlob(mediaTypes.octets, program)] }),
  ],
];

for (const [title, artifact] of runnable) {
  t.test(`${title} is no evidence, by tag or digest, and neither are its blobs`, async (t) => {
    const { gate, source } = await signedKit();
    source.put(artifact, 'v2');
    const { digest } = artifact.descriptor;
    const { descriptors } = await gate.admitReferrers(app, signed.descriptor.digest, never());
    t.notOk(descriptors.some((descriptor) => descriptor.digest === digest));
    for (const reference of ['v2', digest]) {
      await t.rejects(gate.admitManifest(app, by(reference), never()), { code: 'DENIED' });
    }
    const layer = artifact.blobs[1]?.descriptor.digest as Digest;
    await t.rejects(gate.admitBlob(app, layer, never()), { code: 'DENIED' });
  });
}

t.test(
  'an image whose layers only claim to be statements is never pulled to its end',
  async (t) => {
    const { gate, source } = await signedKit();
    const tar = Buffer.concat([Buffer.from('bin/sh'), Buffer.alloc(506)]);
    for (const bytes of [program, tar, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20])]) {
      const artifact = posing({ config: imageConfig, layers: [statement(bytes)] });
      source.put(artifact, 'v2');
      const { digest } = artifact.descriptor;
      t.ok(await gate.admitManifest(app, by(digest), never()), 'by its shape it is an attestation');
      const layer = await gate.admitBlob(app, digestAt(artifact, 1), never());
      await t.rejects(layer.open(never()).then(buffer), /no statement/);
    }
  },
);

t.test('text that comes in pieces is text, wherever it is cut', async (t) => {
  const { gate, source } = await signedKit();
  const text = JSON.stringify({ note: 'ä€𝄞'.repeat(50_000) });
  const artifact = posing({ config: imageConfig, layers: [statement(text)] });
  source.put(artifact);
  await gate.admitManifest(app, by(artifact.descriptor.digest), never());
  const layer = await gate.admitBlob(app, digestAt(artifact, 1), never());
  t.equal(String(await buffer(await layer.open(never()))), text);
});

t.test('a COSE envelope begins as one', async (t) => {
  const { gate, source } = await signedKit();
  const cose = (bytes: Uint8Array): Artifact =>
    posing({ artifactType: notation, layers: [buildBlob('application/cose', bytes)] });
  const real = cose(Buffer.from([0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26]));
  const posed = cose(program);
  for (const artifact of [real, posed]) {
    source.put(artifact);
    await gate.admitManifest(app, by(artifact.descriptor.digest), never());
  }
  const layer = await gate.admitBlob(app, digestAt(real, 1), never());
  t.same(await buffer(await layer.open(never())), real.blobs[1]?.bytes);
  const other = await gate.admitBlob(app, digestAt(posed, 1), never());
  await t.rejects(other.open(never()).then(buffer), /no statement/);
});

t.test('a tag of no special form names content, never evidence', async (t) => {
  const { gate, source } = await signedKit();
  const attestation = posing({ config: imageConfig, layers: [statement('{}')] });
  const { digest } = attestation.descriptor;
  source.put(attestation, 'latest');
  await t.rejects(gate.admitManifest(app, by('latest'), never()), deniedFor('unsigned'));
  t.equal((await gate.admitManifest(app, by(digest), never())).admission.by, 'evidence');
  await t.rejects(
    gate.admitManifest(app, by('latest'), never()),
    deniedFor('unsigned'),
    'nor once it was served by its digest',
  );
  const { gate: restarted } = await (await signedKitWith(attestation, digest)).restarted();
  await t.rejects(restarted.admitManifest(app, by('latest'), never()), deniedFor('unsigned'));
});

async function signedKitWith(attestation: Artifact, digest: Digest): Promise<GateKit> {
  const kit = await signedKit();
  kit.source.put(attestation, 'latest');
  await kit.gate.admitManifest(app, by(digest), never());
  return kit;
}

t.test("cosign's tags name evidence about the image that they name, and no other", async (t) => {
  const { gate, source } = await signedKit();
  const tag = referrersTag(signed.descriptor.digest);
  const layers = [buildBlob('application/vnd.dev.cosign.simplesigning.v1+json', '{}')];
  source.put(buildManifest({ config: imageConfig, layers }), `${tag}.sig`);
  t.equal((await gate.admitManifest(app, by(`${tag}.sig`), never())).admission.by, 'evidence');
  const other = buildImage({ name: 'unsigned' });
  source.put(other);
  source.put(
    posing({ config: imageConfig, layers }),
    `${referrersTag(other.descriptor.digest)}.sig`,
  );
  const asked = gate.admitManifest(
    app,
    by(`${referrersTag(other.descriptor.digest)}.sig`),
    never(),
  );
  await t.rejects(asked, { code: 'DENIED' }, 'its subject is another');
  source.put(other, `${tag}.att`);
  await t.rejects(gate.admitManifest(app, by(`${tag}.att`), never()), { code: 'DENIED' });
});

const audited = `${aliceSigns}
    mode: audit
    until: 2031-01-01T00:00:00Z`;
const platformsCovered = `${aliceSigns}
    covers: platforms`;

t.test('what audit mode let through as a part of evidence ends with audit mode', async (t) => {
  const kit = await makeGateKit(audited);
  const { gate, source } = kit;
  const unsigned = buildImage({ name: 'unsigned' });
  const listed = { schemaVersion: 2, mediaType: mediaTypes.ociIndex };
  const manifests = [unsigned.descriptor];
  const list: Artifact = {
    ...buildBlob(
      mediaTypes.ociIndex,
      JSON.stringify({ ...listed, manifests, subject: signed.descriptor }),
    ),
    blobs: [],
    children: [unsigned],
  };
  source.put(signed, 'v1');
  source.put(toySignature(signed.descriptor, { by: 'alice' }));
  source.put(list, 'v2');
  const { digest } = list.descriptor;
  t.equal((await gate.admitManifest(app, by('v2'), never())).admission.by, 'audit');
  const parts = [unsigned.descriptor.digest, digestAt(unsigned, 0), digestAt(unsigned, 1)];
  t.ok(await gate.admitManifest(app, by(unsigned.descriptor.digest), never()));
  await kit.setPolicy(aliceSigns);
  t.equal((await gate.admitManifest(app, by(digest), never())).admission.by, 'evidence');
  for (const part of parts) {
    await t.rejects(gate.admitBlob(app, part, never()), { code: 'DENIED' });
  }
  await t.rejects(gate.admitManifest(app, by(unsigned.descriptor.digest), never()), {
    code: 'DENIED',
  });
});

t.test('a rule that comes to cover platforms ends what an index vouched for before', async (t) => {
  const kit = await makeGateKit();
  const image = buildImage({ name: 'posing' });
  const platform = { os: 'unknown', architecture: 'unknown' };
  const index = buildIndex({ children: [image], platforms: [platform] });
  kit.source.put(index, 'v1');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('v1'), never());
  t.ok(await kit.gate.admitManifest(app, by(image.descriptor.digest), never()));
  await kit.setPolicy(platformsCovered);
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()), 'it is signed itself');
  for (const { gate } of [kit, await kit.restarted()]) {
    await t.rejects(gate.admitManifest(app, by(image.descriptor.digest), never()), {
      code: 'DENIED',
    });
    await t.rejects(gate.admitBlob(app, digestAt(image, 1), never()), { code: 'DENIED' });
  }
});

t.test('an image that poses as an attestation does not give its layers away', async (t) => {
  const { gate, source } = await makeGateKit(platformsCovered);
  const posed = buildManifest({ config: imageConfig, layers: [statement(program)] });
  const trap = buildIndex({
    children: [signed, posed],
    platforms: [
      { os: 'linux', architecture: 'amd64' },
      { os: 'unknown', architecture: 'unknown' },
    ],
  });
  source.put(trap, 'trap');
  source.put(toySignature(signed.descriptor, { by: 'alice' }));
  await gate.admitManifest(app, by('trap'), never());
  await gate.admitManifest(app, by(posed.descriptor.digest), never());
  const layer = await gate.admitBlob(app, digestAt(posed, 1), never());
  t.equal(layer.descriptor.mediaType, mediaTypes.octets);
  await t.rejects(layer.open(never()).then(buffer), /no statement/);
});
