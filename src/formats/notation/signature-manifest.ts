import type { ImageManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';

export const notationArtifactType = 'application/vnd.cncf.notary.signature';

/**
 * Whether a manifest is a Notary Project signature whose envelope has the media type (Signature
 * Specification, OCI Signatures): by its artifactType over an empty config, or in the older form by
 * its config's type alone; one layer, and a subject.
 */
export function isSignatureManifest(manifest: ImageManifest, envelopeType: string): boolean {
  const { mediaType, artifactType, config, layers, subject } = manifest;
  const hasType =
    artifactType === undefined
      ? config.mediaType === notationArtifactType
      : artifactType === notationArtifactType && config.mediaType === mediaTypes.ociEmpty;
  const [layer] = layers;
  return (
    hasType &&
    mediaType === mediaTypes.ociManifest &&
    layers.length === 1 &&
    layer?.mediaType === envelopeType &&
    subject !== undefined
  );
}
