import type { ImageManifest } from '../oci/manifest.ts';
import { isImageConfig, mediaTypes } from '../oci/media-types.ts';
import { maxBundleBytes, readBundle } from './sigstore/bundle.ts';
import { bundleMediaType } from './sigstore/bundle-version.ts';
import { sigstoreChecks } from './sigstore/checks.ts';
import { examineSigstore } from './sigstore/examination.ts';
import type { SignatureFormat } from './signature-format.ts';

/** Sigstore bundles, as cosign attaches them from version 3 on (cosign, Bundle Specification). */
export const sigstoreBundle: SignatureFormat = {
  id: 'sigstore-bundle',
  family: 'sigstore',
  checks: sigstoreChecks,
  maxEnvelopeBytes: maxBundleBytes,
  artifactTypes: [bundleMediaType],
  envelopesOf: (manifest) => (isBundleManifest(manifest) ? manifest.layers : []),
  examine: (untrusted, subject, requirement, context) =>
    examineSigstore({ untrusted, read: readBundle, subject, requirement, context }),
};

/** Of any version: which of them are read is the reader's to say. */
const bundleType = /^application\/vnd\.dev\.sigstore\.bundle[.+]/;

/** One layer, a bundle; such a type as artifactType, or without one as the config's; and a subject. */
function isBundleManifest(manifest: ImageManifest): boolean {
  const { mediaType, artifactType, config, layers, subject } = manifest;
  const [layer] = layers;
  return (
    mediaType === mediaTypes.ociManifest &&
    subject !== undefined &&
    layers.length === 1 &&
    layer !== undefined &&
    bundleType.test(layer.mediaType) &&
    bundleType.test(artifactType ?? config.mediaType) &&
    !isImageConfig(config.mediaType)
  );
}
