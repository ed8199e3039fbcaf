import t from 'tap';
import { isSignatureManifest } from '../../../../src/formats/notation/signature-manifest.ts';
import { type ImageManifest, readManifest } from '../../../../src/oci/manifest.ts';
import { mediaTypes } from '../../../../src/oci/media-types.ts';
import {
  buildBlob,
  buildImage,
  buildSignatureManifest,
  emptyConfig,
  notationSignatureType,
  type SignatureManifestOptions,
} from '../../../support/build-image.ts';

const image = buildImage();
const layer = buildBlob('application/jose+json', '{}').descriptor;
const config = buildBlob(notationSignatureType, '{}').descriptor;

function recognizes(options: Partial<SignatureManifestOptions>): boolean {
  const { bytes } = buildSignatureManifest({
    envelope: Buffer.from('{}'),
    mediaType: 'application/jose+json',
    of: image.descriptor,
    ...options,
  });
  const manifest = readManifest(bytes, undefined) as ImageManifest;
  return isSignatureManifest(manifest, 'application/jose+json');
}

t.test('both forms are recognized: by the artifact type, and by the config alone', async (t) => {
  t.ok(recognizes({}));
  t.ok(recognizes({ form: 'legacy' }));
});

const strangers: Readonly<Record<string, Partial<SignatureManifestOptions>>> = {
  'an artifact type over a config that is not empty': { members: { config } },
  'an artifact type over an image config': {
    members: { config: buildBlob(mediaTypes.ociConfig, '{}').descriptor },
  },
  'another artifact type': { members: { artifactType: 'application/spdx+json' } },
  'no artifact type over an empty config': {
    form: 'legacy',
    members: { config: emptyConfig.descriptor },
  },
  'no layer': { members: { layers: [] } },
  'two layers': { members: { layers: [layer, layer] } },
  "another format's layer": { mediaType: 'application/cose' },
  'no subject': { members: { subject: undefined } },
  "Docker's manifest type": { members: { mediaType: mediaTypes.dockerManifest } },
};

for (const [what, options] of Object.entries(strangers)) {
  t.test(`a manifest with ${what} is no signature`, async (t) => {
    t.notOk(recognizes(options));
  });
}

t.test('an image is no signature', async (t) => {
  const manifest = readManifest(buildImage({ subject: image.descriptor }).bytes, undefined);
  t.notOk(isSignatureManifest(manifest as ImageManifest, 'application/jose+json'));
});
