import { quoted } from '../kernel/quoted.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Index, maxManifestBytes, readManifest } from '../oci/manifest.ts';
import { parseTag, type Tag } from '../oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../oci/repository.ts';
import type { LayoutFiles } from './layout-files.ts';
import { UpstreamError } from './upstream-error.ts';

/** What a layout's index.json says. */
export interface LayoutIndex {
  /** Tags by repository. */
  readonly repositories: ReadonlyMap<RepositoryPath, ReadonlyMap<Tag, Descriptor>>;
  /** Every entry, named or not. */
  readonly listed: ReadonlyMap<Digest, Descriptor>;
  /** Plain names made of a digest, as of referrers and cosign's: they belong to the whole layout. */
  readonly digestTags: ReadonlyMap<Tag, Descriptor>;
}

const refName = 'org.opencontainers.image.ref.name';
const digestTag = /^sha(?:256|512)-[a-f0-9]{64}(?:\.(?:sig|att|sbom))?$/;

/**
 * Reads index.json. The annotation `org.opencontainers.image.ref.name` names a repository and a
 * tag as `PATH:TAG` (the last colon divides); a plain `TAG` belongs to `plainRepository`, and to
 * none where that is undefined. `PATH@DIGEST` names a repository alone. Entries without a name have
 * no tag and are reached by digest.
 */
export async function readLayoutIndex(
  files: LayoutFiles,
  plainRepository: RepositoryPath | undefined,
): Promise<LayoutIndex> {
  const index = parseIndex(await files.readIndex(maxManifestBytes));
  const repositories = new Map<RepositoryPath, Map<Tag, Descriptor>>();
  const listed = new Map<Digest, Descriptor>();
  const digestTags = new Map<Tag, Descriptor>();
  if (plainRepository !== undefined) repositories.set(plainRepository, new Map());
  for (const descriptor of index.manifests) {
    listed.set(descriptor.digest, descriptor);
    const name = descriptor.annotations?.[refName];
    if (name === undefined) continue;
    const alone = readRepositoryName(name);
    if (alone !== undefined) repositories.set(alone, repositories.get(alone) ?? new Map());
    const { path, tag } = readRefName(name, plainRepository);
    if (tag === undefined) continue;
    if (!name.includes(':') && digestTag.test(tag)) digestTags.set(tag, descriptor);
    if (path === undefined) continue;
    const tags = repositories.get(path) ?? new Map<Tag, Descriptor>();
    repositories.set(path, withTag(tags, tag, descriptor));
  }
  return { repositories, listed, digestTags };
}

function withTag(
  tags: Map<Tag, Descriptor>,
  tag: Tag,
  descriptor: Descriptor,
): Map<Tag, Descriptor> {
  const { digest = descriptor.digest } = tags.get(tag) ?? {};
  if (digest === descriptor.digest) return tags.set(tag, descriptor);
  throw misbehaved(`index.json gives ${quoted(tag)} to two manifests of one repository`);
}

/** Of `PATH@DIGEST`, which names no tag. */
function readRepositoryName(name: string): RepositoryPath | undefined {
  const [path = '', digest = '', ...more] = name.split('@');
  const isPinned = parseDigest(digest) !== undefined && more.length === 0;
  return isPinned ? parseRepositoryPath(path) : undefined;
}

function readRefName(
  name: string,
  plainRepository: RepositoryPath | undefined,
): { readonly path: RepositoryPath | undefined; readonly tag: Tag | undefined } {
  const colon = name.lastIndexOf(':');
  if (colon === -1) return { path: plainRepository, tag: parseTag(name) };
  return { path: parseRepositoryPath(name.slice(0, colon)), tag: parseTag(name.slice(colon + 1)) };
}

function parseIndex(bytes: Uint8Array): Index {
  try {
    const manifest = readManifest(bytes, undefined);
    if (manifest.kind === 'index') return manifest;
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw misbehaved(`index.json: ${cause.message}`, cause);
  }
  throw misbehaved('index.json is no image index');
}

function misbehaved(message: string, cause?: unknown): UpstreamError {
  return new UpstreamError('UPSTREAM_MISBEHAVED', message, { cause });
}
