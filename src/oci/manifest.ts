import { isObject, JsonError, type Json, type JsonObject, readJson } from '../kernel/json.ts';
import { oncePer } from '../kernel/once.ts';
import { quoted } from '../kernel/quoted.ts';
import { refuseCaseVariants } from './case-variants.ts';
import {
  type Annotations,
  type Descriptor,
  present,
  readAnnotations,
  readArtifactType,
  readDescriptor,
} from './descriptor.ts';
import { MalformedError } from './malformed-error.ts';
import {
  isIndexMediaType,
  isManifestMediaType,
  type ManifestMediaType,
  mediaTypes,
} from './media-types.ts';

interface ManifestCommon {
  readonly mediaType: ManifestMediaType;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** The JSON document that lists one artifact's parts by descriptor. */
export interface ImageManifest extends ManifestCommon {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** A manifest that lists other manifests, usually one a platform. */
export interface Index extends ManifestCommon {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

export type Manifest = ImageManifest | Index;

/** distribution-spec asks registries to take 4 MB at least; containerd and notation take no more. */
export const maxManifestBytes = 4 * 1024 * 1024;
const maxDescriptors = 10_000;
/**
 * A list that holds nothing costs as much time as a descriptor, in fewer bytes: 4 MiB of them kept
 * all others waiting for a second.
 */
const maxValues = 50_000;
const maxDepth = 32;

const knownNames = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'subject',
  'annotations',
] as const;

/**
 * Reads a manifest so that no client can read another meaning out of the same bytes
 * (CVE-2021-41190 and its siblings): duplicate names, names in another case (Go ignores case),
 * both `manifests` and `layers`, and a `mediaType` unlike the Content-Type are refused; so are
 * schema 1 and foreign urls. `contentType` is the upstream's, or the parent descriptor's, or
 * undefined where nothing stated one.
 */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  if (bytes.byteLength > maxManifestBytes) {
    throw malformed(`the manifest is larger than ${maxManifestBytes} bytes`);
  }
  const manifest = bytes.byteLength > largeBytes ? readLarge(bytes) : readBytes(bytes);
  const { mediaType } = manifest;
  if (contentType !== undefined && mediaType !== contentType) {
    throw malformed(`mediaType ${quoted(mediaType)} is unlike Content-Type ${quoted(contentType)}`);
  }
  return manifest;
}

/**
 * From so many bytes on a manifest takes tens of milliseconds to read, and whoever pushed one of
 * 4 MiB may ask for it all the time: it is read once for as long as its bytes are kept.
 */
const largeBytes = 64 * 1024;
const readLarge = oncePer(readBytes);

function readBytes(bytes: Uint8Array): Manifest {
  const document = readDocument(bytes);
  if (document['schemaVersion'] !== 2) throw malformed('schemaVersion is not 2');
  const isIndex = 'manifests' in document;
  if (isIndex && ('layers' in document || 'config' in document)) {
    throw malformed('the document has both manifests and layers or config');
  }
  const mediaType = readMediaType(document, isIndex);
  const common = {
    mediaType,
    ...present('artifactType', readArtifactType(document, 'the manifest')),
    ...present('subject', readSubject(document)),
    ...present('annotations', readAnnotations(document['annotations'], 'the manifest')),
  };
  if (isIndex) {
    const manifests = readDescriptors(document['manifests'], 'manifests');
    return { kind: 'index', ...common, manifests };
  }
  const config = readDescriptor(document['config'], 'config');
  return {
    kind: 'image',
    ...common,
    config,
    layers: readDescriptors(document['layers'], 'layers'),
  };
}

/** Every descriptor that the manifest's own bytes name as its parts; never its subject. */
export function partsOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.manifests : [manifest.config, ...manifest.layers];
}

/** BuildKit lists attestations in an index as children of the platform `unknown/unknown`. */
export function isAttestationChild({ platform }: Descriptor): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

/** distribution-spec, Listing Referrers: the artifactType, or else the config's media type. */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.artifactType !== undefined) return manifest.artifactType;
  return manifest.kind === 'image' ? manifest.config.mediaType : undefined;
}

function readDocument(bytes: Uint8Array): JsonObject {
  let document: Json;
  try {
    document = readJson(bytes, maxDepth, maxValues);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new MalformedError('MANIFEST_MALFORMED', `not a JSON document: ${cause.message}`, {
      cause,
    });
  }
  if (!isObject(document)) throw malformed('not a JSON object');
  refuseCaseVariants(document, knownNames, 'the manifest');
  return document;
}

function readMediaType(document: JsonObject, isIndex: boolean): ManifestMediaType {
  const { mediaType: stated } = document;
  if (stated !== undefined && typeof stated !== 'string') throw malformed('mediaType is no text');
  // Only OCI lets it out. A Content-Type is under no digest: the same bytes, verified as the one,
  // would be served as the other whenever upstream says so.
  const mediaType = stated ?? (isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (!isManifestMediaType(mediaType)) {
    throw malformed(`media type ${quoted(mediaType)} is not of a manifest or index`);
  }
  if (isIndexMediaType(mediaType) !== isIndex) {
    throw malformed(`media type ${mediaType} does not fit the document's members`);
  }
  return mediaType;
}

function readSubject(document: JsonObject): Descriptor | undefined {
  const { subject } = document;
  if (subject === undefined || subject === null) return undefined;
  return readDescriptor(subject, 'subject');
}

function readDescriptors(value: Json | undefined, name: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw malformed(`${name} is not a list`);
  if (value.length > maxDescriptors) throw malformed(`${name} has over ${maxDescriptors} members`);
  return value.map((item: Json, index) => readDescriptor(item, `${name}[${index}]`));
}

function malformed(message: string): MalformedError {
  return new MalformedError('MANIFEST_MALFORMED', message);
}
