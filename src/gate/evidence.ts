import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { artifactTypeOf, type ImageManifest, type Manifest } from '../oci/manifest.ts';
import { isImageConfig, mediaTypes } from '../oci/media-types.ts';
import type { Tag } from '../oci/reference.ts';

/**
 * Artifact types, or config media types, of what speaks about an artifact: signatures,
 * attestations, SBOMs. What has another type is content, and needs a verdict of its own.
 */
const evidenceTypes: readonly RegExp[] = [
  /^application\/vnd\.cncf\.notary\.signature$/,
  /^application\/vnd\.dev\.sigstore\.bundle(?:\.v[0-9.]+)?\+json(?:;version=[0-9.]+)?$/,
  /^application\/vnd\.dev\.cosign\.artifact\.(?:sig|att|sbom)\.v1\+json$/,
  /^application\/vnd\.docker\.attestation\.manifest\.v1\+json$/,
  /^application\/vnd\.in-toto(?:\.[a-z0-9.-]+)?\+json$/,
  /^application\/(?:spdx\+json|vnd\.cyclonedx(?:\+json|\+xml)|sarif\+json|vex\+json)$/,
  /^text\/spdx(?:\+json)?$/,
];

/** Layer types beside an image's config, which cosign's older scheme and BuildKit have. */
const statementTypes = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dsse.envelope.v1+json',
  'text/spdx',
  'text/spdx+json',
  'application/vnd.cyclonedx+json',
  'application/vnd.cyclonedx+xml',
  'application/vnd.syft+json',
  'application/vnd.in-toto+json',
]);

/** Layer types that evidence has beside its own. */
const envelopeTypes = new Set([
  'application/jose+json',
  'application/cose',
  'application/json',
  mediaTypes.ociEmpty,
]);

const maxEvidenceBytes = 64 * 1024 * 1024;
/** cosign adds a layer to the same manifest with every signature. */
const maxEvidenceLayers = 256;

/**
 * By shape alone: nothing that a client would run, unpack or apply, and no larger than evidence is.
 * Each media type is one of a list, since clients differ in which of them they look at: podman
 * takes any layers of what has an image's config, and of Docker's manifests any config.
 */
export function isEvidence(manifest: Manifest): boolean {
  if (manifest.kind === 'index') return isReferrersList(manifest);
  if (manifest.mediaType !== mediaTypes.ociManifest || !isSmall(manifest)) return false;
  const { config, layers } = manifest;
  if (isImageConfig(config.mediaType)) return hasOnlyStatements(manifest);
  const hasPlainConfig =
    config.mediaType === mediaTypes.ociEmpty || isEvidenceType(config.mediaType);
  return (
    hasPlainConfig && isEvidenceType(artifactTypeOf(manifest) ?? '') && layers.every(isStatement)
  );
}

/** An index under a referrers tag: descriptors of artifacts, none of which is for a platform. */
export function isReferrersList(manifest: Manifest): boolean {
  return (
    manifest.kind === 'index' &&
    manifest.mediaType === mediaTypes.ociIndex &&
    manifest.manifests.every(({ platform }) => platform === undefined)
  );
}

/** What BuildKit attests and cosign signs has an image's config and no layer that could be run. */
export function hasOnlyStatements({ mediaType, layers }: ImageManifest): boolean {
  return (
    mediaType === mediaTypes.ociManifest &&
    layers.length > 0 &&
    layers.every((layer) => statementTypes.has(layer.mediaType))
  );
}

/** What evidence may list as its config or as a layer. */
export function mayBePartOfEvidence(part: Pick<Descriptor, 'mediaType'>): boolean {
  return isStatement(part) || isImageConfig(part.mediaType);
}

function isStatement({ mediaType }: Pick<Descriptor, 'mediaType'>): boolean {
  return isEvidenceType(mediaType) || statementTypes.has(mediaType) || envelopeTypes.has(mediaType);
}

function isEvidenceType(mediaType: string): boolean {
  return evidenceTypes.some((known) => known.test(mediaType));
}

function isSmall({ config, layers }: ImageManifest): boolean {
  const bytes = layers.reduce((sum, layer) => sum + layer.size, config.size);
  return layers.length <= maxEvidenceLayers && bytes <= maxEvidenceBytes;
}

// The referrers tag schema, and cosign's tags.
const evidenceTag = /^(sha256|sha512)-([a-f0-9]+)(?:\.(?:sig|att|sbom))?$/;

/**
 * Whether the name may lead to evidence: a digest may, and a tag that is made for it. Any other tag
 * names content, or whoever moves `latest` would have it served for what it claims to speak about.
 */
export function mayNameEvidence(tag: Tag | undefined): boolean {
  return tag === undefined || evidenceTag.test(tag);
}

/** What evidence under such a tag would be about. */
export function subjectOfTag(tag: Tag): Digest | undefined {
  const [, algorithm, hash] = evidenceTag.exec(tag) ?? [];
  return parseDigest(`${algorithm}:${hash}`);
}

/** What the evidence is about: its `subject`, or what its tag says; nothing where they disagree. */
export function subjectOfEvidence(manifest: Manifest, tag: Tag | undefined): Digest | undefined {
  const stated = manifest.subject?.digest;
  if (tag === undefined) return stated;
  const named = subjectOfTag(tag);
  return stated === undefined || stated === named ? named : undefined;
}
