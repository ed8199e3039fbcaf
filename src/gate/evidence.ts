import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { artifactTypeOf, type ImageManifest, type Manifest } from '../oci/manifest.ts';
import { isImageConfig } from '../oci/media-types.ts';
import type { Tag } from '../oci/reference.ts';

/**
 * Artifact types, or config media types, of what speaks about an artifact: signatures,
 * attestations, SBOMs. What has another type is content, and needs a verdict of its own.
 */
const evidenceTypes: readonly RegExp[] = [
  /^application\/vnd\.cncf\.notary\.signature$/,
  /^application\/vnd\.dev\.sigstore\.bundle(?:\.v[0-9.]+)?\+json(?:;version=[0-9.]+)?$/,
  /^application\/vnd\.dev\.cosign\.artifact\.(?:sig|att|sbom)\.v1\+json$/,
  /^application\/vnd\.in-toto(?:\.[a-z0-9.-]+)?\+json$/,
  /^application\/(?:spdx\+json|vnd\.cyclonedx(?:\+json|\+xml)|sarif\+json|vex\+json)$/,
  /^text\/spdx(?:\+json)?$/,
];

/** Layer types of cosign's older scheme, whose config pretends to be an image's. */
const cosignLayerTypes = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dsse.envelope.v1+json',
  'text/spdx',
  'text/spdx+json',
  'application/vnd.cyclonedx+json',
  'application/vnd.cyclonedx+xml',
  'application/vnd.in-toto+json',
]);

const maxEvidenceBytes = 64 * 1024 * 1024;
const maxEvidenceLayers = 64;

/** By shape alone: no runtime could run it, and it is no larger than evidence is. */
export function isEvidence(manifest: Manifest): boolean {
  if (manifest.kind === 'index') return isReferrersList(manifest);
  if (!isSmall(manifest)) return false;
  if (isImageConfig(manifest.config.mediaType)) return hasOnlyStatements(manifest);
  const type = artifactTypeOf(manifest) ?? '';
  return evidenceTypes.some((known) => known.test(type)) && !manifest.layers.some(isRootfsLayer);
}

/** An index under a referrers tag: descriptors of artifacts, none of which is for a platform. */
export function isReferrersList(manifest: Manifest): boolean {
  return (
    manifest.kind === 'index' && manifest.manifests.every(({ platform }) => platform === undefined)
  );
}

/** What BuildKit attests and cosign signs has an image's config and no layer that could be run. */
export function hasOnlyStatements(manifest: ImageManifest): boolean {
  return (
    manifest.layers.length > 0 &&
    manifest.layers.every(({ mediaType }) => cosignLayerTypes.has(mediaType))
  );
}

function isSmall({ config, layers }: ImageManifest): boolean {
  const bytes = layers.reduce((sum, layer) => sum + layer.size, config.size);
  return layers.length <= maxEvidenceLayers && bytes <= maxEvidenceBytes;
}

function isRootfsLayer({ mediaType }: Descriptor): boolean {
  return /\.(?:tar|rootfs)\b/.test(mediaType) || mediaType.includes('image.layer');
}

/**
 * What the evidence is about: its `subject`, or what its tag says (the referrers tag schema, and
 * cosign's `.sig`, `.att` and `.sbom` tags).
 */
export function subjectOfEvidence(manifest: Manifest, tag: Tag | undefined): Digest | undefined {
  if (manifest.subject !== undefined) return manifest.subject.digest;
  const match = /^(sha256|sha512)-([a-f0-9]+)(?:\.(?:sig|att|sbom))?$/.exec(tag ?? '');
  return match === null ? undefined : parseDigest(`${match[1]}:${match[2]}`);
}
