import t from 'tap';
import { sigstoreBundle } from '../../../src/formats/sigstore-bundle.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { image, newMediaType } from '../../support/sigstore-bundle.ts';

type Json = Readonly<Record<string, unknown>>;

const digest = image.descriptor.digest;
const layer = { mediaType: newMediaType, digest, size: 1 };
// As cosign 3 writes it.
const manifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: newMediaType,
  config: {
    mediaType: 'application/vnd.oci.empty.v1+json',
    digest,
    size: 2,
    artifactType: newMediaType,
  },
  layers: [layer],
  subject: image.descriptor,
  annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope' },
};

function envelopesOf(changes: Json): number {
  const read = readManifest(Buffer.from(JSON.stringify({ ...manifest, ...changes })), undefined);
  if (read.kind !== 'image') throw new TypeError('it is no index');
  return sigstoreBundle.envelopesOf(read).length;
}

t.test('the layer of a manifest as cosign writes it is the envelope', async (t) => {
  t.equal(envelopesOf({}), 1);
  const config = { ...manifest.config, mediaType: newMediaType };
  t.equal(envelopesOf({ artifactType: undefined, config }), 1, 'by the type of its config');
  const next = 'application/vnd.dev.sigstore.bundle.v0.4+json';
  const later = { artifactType: next, layers: [{ ...layer, mediaType: next }] };
  t.equal(envelopesOf(later), 1, 'a later version, which the reader refuses');
});

const others: Readonly<Record<string, Json>> = {
  'without a subject': { subject: undefined },
  'of two layers': { layers: [layer, layer] },
  'without a layer': { layers: [] },
  'with a layer of another type': { layers: [{ ...layer, mediaType: 'application/json' }] },
  'of another type': { artifactType: 'application/spdx+json' },
  'of no type': { artifactType: undefined },
  'of a type that only begins like it': {
    artifactType: 'application/vnd.dev.sigstore.bundlers.v1+json',
  },
  'that is an image': {
    config: { ...manifest.config, mediaType: 'application/vnd.oci.image.config.v1+json' },
  },
  "of Docker's": { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' },
};

for (const [what, changes] of Object.entries(others)) {
  t.test(`a manifest ${what} has no envelope`, async (t) => {
    t.equal(envelopesOf(changes), 0);
  });
}

t.test('it is found by its artifact type, and has room for a large attestation', async (t) => {
  t.same(sigstoreBundle.artifactTypes, [newMediaType]);
  t.ok(sigstoreBundle.maxEnvelopeBytes >= 48 * 1024 * 1024);
  t.equal(sigstoreBundle.family, 'sigstore');
  t.equal(sigstoreBundle.tags, undefined);
});
