import { type JsonFields, readJsonFields } from '../crypto/json-fields.ts';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import { quoted } from '../kernel/quoted.ts';
import type { Json } from '../kernel/json.ts';
import { type Descriptor, readDescriptor } from '../oci/descriptor.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { parseTag, type Tag } from '../oci/reference.ts';
import { parseRepositoryPath, type Repository, scopeOf } from '../oci/repository.ts';
import type { DenyTarget } from '../verdict/denial.ts';
import { readDenyTarget, type WrittenTarget } from '../verdict/denial-wish.ts';
import { AirgapError } from './airgap-error.ts';
import type {
  BundleDenial,
  BundleDocument,
  BundleEvidence,
  BundleImage,
  TagRollback,
  TrustFile,
} from './bundle.ts';
import { checkDocument } from './bundle-document-rules.ts';

/** Bytes of `bundle.json`. */
export const maxDocumentBytes = 64 * 1024 * 1024;

/** Of JSON: as many as that many bytes of descriptors have. Emptier ones would take gigabytes. */
const maxValues = 2 ** 21;
const maxImages = 100_000;
const maxDescriptors = 100_000;
/** As many as a deny list may have. */
const maxDenials = 10_000;
export const maxTrustFiles = 4_000;

const kinds: readonly BundleDocument['kind'][] = ['content', 'revocation'];
const trustKinds: readonly TrustFile['kind'][] = [
  'policy',
  'certificate',
  'trusted-root',
  'tuf-metadata',
  'key',
  'revocation',
];

/** Throws `AirgapError` for what `readBundleDocument` would not take. */
export function writeBundleDocument(document: BundleDocument): Buffer {
  const { images, rollbacks, denials, created, revocationAsOf, ...rest } = document;
  const bytes = Buffer.from(
    JSON.stringify({
      format: 1,
      ...rest,
      created: created.toISOString(),
      revocationAsOf: revocationAsOf?.toISOString(),
      images: images.map((image) => ({ ...image, repository: scopeOf(image.repository) })),
      rollbacks: rollbacks.map((rollback) => ({
        ...rollback,
        repository: scopeOf(rollback.repository),
        until: rollback.until.toISOString(),
      })),
      denials: denials.map(({ target, because, since }) => ({
        ...writtenTargetOf(target),
        because,
        since: since.toISOString(),
      })),
    }),
  );
  readBundleDocument(bytes);
  return bytes;
}

/** Throws `AirgapError` (DOCUMENT_MALFORMED) for anything that the format does not allow. */
export function readBundleDocument(untrusted: Uint8Array): BundleDocument {
  if (untrusted.length > maxDocumentBytes) {
    throw malformed(`it is larger than ${maxDocumentBytes} bytes`);
  }
  const fields = readJsonFields(untrusted, malformed, maxValues);
  if (fields.count('format') !== 1) throw malformed('its format is not 1');
  fields.expectOnly(...names);
  const document: BundleDocument = {
    stream: fields.text('stream'),
    sequence: fields.count('sequence'),
    kind: readOneOf(fields, 'kind', kinds),
    base: fields.has('base') ? fields.count('base') : undefined,
    previous: fields.has('previous') ? readPrevious(fields.object('previous')) : undefined,
    created: readTime(fields, 'created'),
    exporter: fields.text('exporter'),
    images: fields.objects('images', maxImages).map(readImage),
    rollbacks: fields.objects('rollbacks', maxImages).map(readRollback),
    denials: fields.objects('denials', maxDenials).map(readDenial),
    revocationAsOf: fields.has('revocationAsOf') ? readTime(fields, 'revocationAsOf') : undefined,
    trust: fields.objects('trust', maxTrustFiles).map(readTrustFile),
  };
  const problem = checkDocument(document);
  if (problem !== undefined) throw malformed(problem);
  return document;
}

const names = [
  'format',
  'stream',
  'sequence',
  'kind',
  'base',
  'previous',
  'created',
  'exporter',
  'images',
  'rollbacks',
  'denials',
  'revocationAsOf',
  'trust',
];

function readPrevious(fields: JsonFields): BundleDocument['previous'] {
  fields.expectOnly('sequence', 'snapshot');
  return { sequence: fields.count('sequence'), snapshot: readDigest(fields, 'snapshot') };
}

function readImage(fields: JsonFields): BundleImage {
  fields.expectOnly('repository', 'tag', 'tagVersion', 'root', 'children', 'evidence');
  return {
    repository: readRepository(fields, 'repository'),
    tag: readTag(fields),
    tagVersion: fields.has('tagVersion') ? fields.count('tagVersion') : undefined,
    root: readManifest(fields.raw('root'), `${fields.path}.root`),
    children: readManifests(fields, 'children'),
    evidence: fields.objects('evidence', maxDescriptors).map(readEvidence),
  };
}

function readEvidence(fields: JsonFields): BundleEvidence {
  fields.expectOnly('manifest', 'tag', 'path');
  const manifest = readManifest(fields.raw('manifest'), `${fields.path}.manifest`);
  const path = fields.has('path') ? parseRepositoryPath(fields.text('path')) : undefined;
  if (fields.has('path') && path === undefined) {
    throw malformed(`${fields.path}.path is no repository's: ${quoted(fields.text('path'))}`);
  }
  return { manifest, tag: readTag(fields), path };
}

function readManifests(fields: JsonFields, name: string): readonly Descriptor[] {
  const list = fields.objects(name, maxDescriptors);
  const values = fields.raw(name) as readonly Json[] | undefined;
  return list.map(({ path }, index) => readManifest(values?.[index], path));
}

function readManifest(value: Json | undefined, where: string): Descriptor {
  try {
    return readDescriptor(value, where);
  } catch (cause) {
    if (cause instanceof MalformedError) throw malformed(cause.message, cause);
    throw cause;
  }
}

function readRollback(fields: JsonFields): TagRollback {
  fields.expectOnly('repository', 'tag', 'to', 'owner', 'until');
  const tag = readTag(fields);
  if (tag === undefined) throw malformed(`${fields.path}.tag is missing`);
  return {
    repository: readRepository(fields, 'repository'),
    tag,
    to: readDigest(fields, 'to'),
    owner: fields.text('owner'),
    until: readTime(fields, 'until'),
  };
}

const targetNames = ['digest', 'key', 'identity', 'issuer', 'repository'] as const;

function readDenial(fields: JsonFields): BundleDenial {
  fields.expectOnly(...targetNames, 'because', 'since');
  const written = Object.fromEntries(
    targetNames.filter((name) => fields.has(name)).map((name) => [name, fields.text(name)]),
  );
  const target = readDenyTarget(written);
  if ('problem' in target) throw malformed(`${fields.path}: ${target.problem}`);
  return { target: target.wish, because: fields.text('because'), since: readTime(fields, 'since') };
}

/** As `readDenyTarget` takes it. */
function writtenTargetOf(target: DenyTarget): WrittenTarget {
  if (target.kind === 'digest') return { digest: target.digest };
  if (target.kind === 'key') return { key: target.fingerprint };
  if (target.kind === 'repository') return { repository: target.repository };
  return { identity: target.identity.subject, issuer: target.identity.issuer };
}

function readTrustFile(fields: JsonFields): TrustFile {
  fields.expectOnly('path', 'kind');
  return { path: fields.text('path'), kind: readOneOf(fields, 'kind', trustKinds) };
}

// As the configuration takes it: one component of a path, or a registry with its port.
const upstreamPattern = /^[^/:]+(?::\d{1,5})?$/;

function readRepository(fields: JsonFields, name: string): Repository {
  const text = fields.text(name);
  const slash = text.indexOf('/');
  const upstream = text.slice(0, Math.max(slash, 0));
  const path = parseRepositoryPath(text.slice(slash + 1));
  const isKey =
    upstreamPattern.test(upstream) &&
    parseRepositoryPath(upstream.replace(/:.*/, '')) !== undefined;
  if (isKey && path !== undefined) return { upstream, path };
  throw malformed(`${fields.path}.${name} is no repository: ${quoted(text)}`);
}

function readTag(fields: JsonFields): Tag | undefined {
  if (!fields.has('tag')) return undefined;
  const tag = parseTag(fields.text('tag'));
  if (tag !== undefined) return tag;
  throw malformed(`${fields.path}.tag is no tag: ${quoted(fields.text('tag'))}`);
}

function readDigest(fields: JsonFields, name: string): Digest {
  const digest = parseDigest(fields.text(name));
  if (digest !== undefined) return digest;
  throw malformed(`${fields.path}.${name} is no digest: ${quoted(fields.text(name))}`);
}

function readTime(fields: JsonFields, name: string): Date {
  const time = parseRfc3339(fields.text(name));
  if (time !== undefined) return time;
  throw malformed(`${fields.path === '' ? name : `${fields.path}.${name}`} is no time`);
}

function readOneOf<T extends string>(fields: JsonFields, name: string, known: readonly T[]): T {
  const text = fields.text(name);
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw malformed(`${fields.path}${fields.path && '.'}${name} is not known: ${quoted(text)}`);
}

function malformed(why: string, cause?: unknown): AirgapError {
  return new AirgapError('DOCUMENT_MALFORMED', `bundle.json is malformed: ${why}`, { cause });
}
