import { createHash } from 'node:crypto';
import type { Descriptor, Platform } from '../../src/oci/descriptor.ts';
import { digestOf, type DigestAlgorithm } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';

/** A blob, and what a registry knows of it. */
export interface BuiltBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A manifest or index with all that it lists. */
export interface Artifact extends BuiltBlob {
  readonly blobs: readonly BuiltBlob[];
  readonly children: readonly Artifact[];
  /** What it speaks about. */
  readonly subject?: Descriptor;
}

export interface Closure {
  /** Children before those that list them. */
  readonly manifests: readonly Artifact[];
  readonly blobs: readonly BuiltBlob[];
}

/** Everything that the artifact's own bytes reach, each digest once; never its subject. */
export function closureOf(artifact: Artifact): Closure {
  const manifests = new Map<string, Artifact>();
  const blobs = new Map<string, BuiltBlob>();
  const visit = (each: Artifact): void => {
    each.children.forEach(visit);
    manifests.set(each.descriptor.digest, each);
    for (const blob of each.blobs) blobs.set(blob.descriptor.digest, blob);
  };
  visit(artifact);
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

export function buildBlob(
  mediaType: string,
  bytes: Uint8Array | string,
  algorithm: DigestAlgorithm = 'sha256',
): BuiltBlob {
  const content = Buffer.from(bytes);
  const digest = digestOf(content, algorithm);
  return { descriptor: { mediaType, digest, size: content.length }, bytes: content };
}

/** `size` bytes that depend on the name alone and do not compress. */
export function fillerBytes(name: string, size: number): Uint8Array {
  return createHash('shake256', { outputLength: Math.max(1, size) })
    .update(name)
    .digest()
    .subarray(0, size);
}

export interface ImageOptions {
  /** Other names give other digests; `image` unless told. */
  readonly name?: string;
  /** In bytes; two small ones unless told. */
  readonly layerSizes?: readonly number[];
  readonly platform?: Platform;
  readonly flavour?: 'oci' | 'docker';
  /** Of the manifest's own digest. */
  readonly algorithm?: DigestAlgorithm;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  /** More members of the manifest, or other values of its own; `undefined` removes one. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An image that no runtime could run, and every registry and client takes for one. */
export function buildImage(options: ImageOptions = {}): Artifact {
  const { name = 'image', layerSizes = [300, 2000], flavour = 'oci' } = options;
  const { platform = { os: 'linux', architecture: 'amd64' } } = options;
  const types = imageTypes[flavour];
  const layers = layerSizes.map((size, index) =>
    buildBlob(types.layer, fillerBytes(`${name}/${index}`, size)),
  );
  const config = buildBlob(
    types.config,
    JSON.stringify({
      ...platform,
      config: { Labels: { name } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
    }),
  );
  return buildManifest({ ...options, mediaType: types.manifest, config, layers });
}

const imageTypes = {
  oci: {
    manifest: mediaTypes.ociManifest,
    config: mediaTypes.ociConfig,
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: mediaTypes.dockerManifest,
    config: mediaTypes.dockerConfig,
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

export interface ManifestOptions {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: BuiltBlob;
  readonly layers?: readonly BuiltBlob[];
  readonly algorithm?: DigestAlgorithm;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly members?: Readonly<Record<string, unknown>>;
}

/** The empty config of image-spec, manifest.md, Guidance for an Empty Descriptor. */
export const emptyConfig = buildBlob(mediaTypes.ociEmpty, '{}');

/** Any image manifest: an SBOM, a chart, a signature. */
export function buildManifest(options: ManifestOptions): Artifact {
  const { mediaType = mediaTypes.ociManifest, config = emptyConfig, layers = [] } = options;
  const { artifactType, subject, annotations, members } = options;
  const document = {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    subject: subject && plainDescriptor(subject),
    annotations,
    ...members,
  };
  return {
    ...buildBlob(mediaType, JSON.stringify(document), options.algorithm),
    blobs: [config, ...layers],
    children: [],
    ...(subject !== undefined && { subject }),
  };
}

export interface IndexOptions {
  readonly name?: string;
  /** One image a platform; linux/amd64 and linux/arm64 unless told. */
  readonly children?: readonly Artifact[];
  /** Platform by child, in the same order. */
  readonly platforms?: readonly Platform[];
  readonly flavour?: 'oci' | 'docker';
  /** Also a BuildKit attestation manifest, of platform unknown/unknown, for the first child. */
  readonly attestation?: 'with' | 'without';
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly members?: Readonly<Record<string, unknown>>;
}

const defaultPlatforms: readonly Platform[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
];

/** A multi-platform image. */
export function buildIndex(options: IndexOptions = {}): Artifact {
  const { name = 'index', flavour = 'oci', platforms = defaultPlatforms, subject } = options;
  const children =
    options.children ??
    platforms.map((platform) =>
      buildImage({ name: `${name}/${platform.architecture}`, platform, flavour }),
    );
  const images = children.map(({ descriptor }, index) => ({
    ...plainDescriptor(descriptor),
    platform: platforms[index],
  }));
  const [first] = children;
  const attestation =
    options.attestation === 'with' && first !== undefined
      ? buildAttestation(first.descriptor)
      : undefined;
  const mediaType = flavour === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerList;
  const document = {
    schemaVersion: 2,
    mediaType,
    artifactType: options.artifactType,
    manifests: [...images, ...(attestation === undefined ? [] : [attestation.listed])],
    subject: subject && plainDescriptor(subject),
    annotations: options.annotations,
    ...options.members,
  };
  return {
    ...buildBlob(mediaType, JSON.stringify(document)),
    blobs: [],
    children: [...children, ...(attestation === undefined ? [] : [attestation.artifact])],
    ...(subject !== undefined && { subject }),
  };
}

function buildAttestation(of: Descriptor): { artifact: Artifact; listed: object } {
  const statement = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v0.1',
    subject: [{ name: 'image', digest: { sha256: of.digest.slice('sha256:'.length) } }],
    predicateType: 'https://slsa.dev/provenance/v0.2',
    predicate: {},
  });
  const artifact = buildManifest({
    config: buildBlob(mediaTypes.ociConfig, '{"architecture":"unknown","os":"unknown"}'),
    layers: [buildBlob('application/vnd.in-toto+json', statement)],
  });
  const annotations = {
    'vnd.docker.reference.digest': of.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  const platform = { os: 'unknown', architecture: 'unknown' };
  return { artifact, listed: { ...artifact.descriptor, annotations, platform } };
}

export const notationSignatureType = 'application/vnd.cncf.notary.signature';

export interface SignatureManifestOptions {
  readonly envelope: Uint8Array;
  /** Of the envelope: `application/jose+json` or `application/cose`. */
  readonly mediaType: string;
  readonly of: Descriptor;
  /** `legacy`: no artifactType, and the config's media type says what it is. */
  readonly form?: 'artifact-type' | 'legacy';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A Notation signature as a referrer (signature-specification, Storage). */
export function buildSignatureManifest(options: SignatureManifestOptions): Artifact {
  const { envelope, mediaType, of, form = 'artifact-type', annotations, members } = options;
  const kind =
    form === 'legacy'
      ? { config: buildBlob(notationSignatureType, '{}') }
      : { artifactType: notationSignatureType };
  return buildManifest({
    ...kind,
    layers: [buildBlob(mediaType, envelope)],
    subject: of,
    ...(annotations !== undefined && { annotations }),
    ...(members !== undefined && { members }),
  });
}

/** Without annotations and platform, which belong to the place that lists it. */
export function plainDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
