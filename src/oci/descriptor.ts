import { isObject, type Json, type JsonObject } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { refuseCaseVariants } from './case-variants.ts';
import { type Digest, parseDigest } from './digest.ts';
import { MalformedError } from './malformed-error.ts';

/** Media type, digest and size of some content: enough to fetch it and to know that it is the right content. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Annotations;
  readonly platform?: Platform;
}

export type Annotations = Readonly<Record<string, string>>;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

// RFC 6838, section 4.2: type "/" subtype, each of at most 127 characters.
const mediaTypePattern =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export function isMediaType(text: string): boolean {
  return mediaTypePattern.test(text);
}

const knownNames = [
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'platform',
  'artifactType',
  'data',
] as const;
const platformNames = ['os', 'architecture', 'variant', 'os.version', 'os.features'] as const;

/** Reads a descriptor (image-spec descriptor.md); `where` names it in the error. */
export function readDescriptor(untrusted: Json | undefined, where: string): Descriptor {
  if (!isObject(untrusted)) throw malformed(`${where} is not a descriptor`);
  refuseCaseVariants(untrusted, knownNames, where);
  const { mediaType, urls } = untrusted;
  if (typeof mediaType !== 'string' || !isMediaType(mediaType)) {
    throw malformed(`${where} has no valid mediaType`);
  }
  const digest = readDigest(untrusted['digest'], where);
  const size = readSize(untrusted['size'], where);
  // Clients fetch such content from the address in the manifest, past the proxy.
  if (urls !== undefined && !(Array.isArray(urls) && urls.length === 0)) {
    throw malformed(`${where} points to foreign urls`);
  }
  return {
    mediaType,
    digest,
    size,
    ...present('artifactType', readArtifactType(untrusted, where)),
    ...present('annotations', readAnnotations(untrusted['annotations'], where)),
    ...present('platform', readPlatform(untrusted['platform'], where)),
  };
}

/** A member of an object, left out where it has no value. */
export function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function readDigest(untrusted: Json | undefined, where: string): Digest {
  const digest = typeof untrusted === 'string' ? parseDigest(untrusted) : undefined;
  if (digest !== undefined) return digest;
  const found = typeof untrusted === 'string' ? quoted(untrusted) : 'no text';
  throw malformed(`${where} has no valid digest: ${found}`);
}

function readSize(untrusted: Json | undefined, where: string): number {
  if (typeof untrusted === 'number' && Number.isSafeInteger(untrusted) && untrusted >= 0) {
    return untrusted;
  }
  throw malformed(`${where} has no valid size`);
}

export function readArtifactType(document: JsonObject, where: string): string | undefined {
  const { artifactType } = document;
  if (artifactType === undefined || artifactType === '') return undefined;
  if (typeof artifactType !== 'string' || !isMediaType(artifactType)) {
    throw malformed(`${where} has no valid artifactType`);
  }
  return artifactType;
}

export function readAnnotations(value: Json | undefined, where: string): Annotations | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw malformed(`${where} has annotations that are no map`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw malformed(`${where} has an annotation that is no text: ${quoted(key)}`);
    }
  }
  return value as Annotations;
}

function readPlatform(value: Json | undefined, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw malformed(`${where} has a platform that is no map`);
  refuseCaseVariants(value, platformNames, `the platform of ${where}`);
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') {
    throw malformed(`${where} has a platform without os and architecture`);
  }
  return { os, architecture, ...(typeof variant === 'string' && { variant }) };
}

function malformed(message: string): MalformedError {
  return new MalformedError('MANIFEST_MALFORMED', message);
}
