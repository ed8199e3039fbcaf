import { Readable } from 'node:stream';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { Tag } from '../../src/oci/reference.ts';
import type { RepositoryPath } from '../../src/oci/repository.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import { type Artifact, closureOf } from './build-image.ts';

/** A content source in memory, whose every answer a test can take away, alter or fail. */
export interface MemorySource extends ContentSource {
  /** Keeps the artifact with all that it lists; without a path, in `app`. */
  put(artifact: Artifact, tag?: string, path?: string): void;
  removeTag(tag: string): void;
  /** Removes a manifest or blob from `app`. */
  remove(digest: Digest): void;
  /** Answers these bytes under that digest from now on. */
  corrupt(digest: Digest, bytes: Uint8Array): void;
  /** The operation throws this from now on; undefined heals it. */
  fail(operation: SourceOperation, error: Error | undefined): void;
  /** Calls so far, as `operation argument`. */
  readonly calls: string[];
}

export type SourceOperation =
  'resolveTag' | 'fetchManifest' | 'statBlob' | 'openBlob' | 'listTags' | 'listReferrers';

interface MemoryRepository {
  readonly manifests: Map<string, { bytes: Uint8Array; mediaType: string; subject?: Descriptor }>;
  readonly blobs: Map<string, Uint8Array>;
  readonly tags: Map<string, Digest>;
}

export function makeMemorySource(): MemorySource {
  const repositories = new Map<string, MemoryRepository>();
  const failures = new Map<SourceOperation, Error>();
  const calls: string[] = [];
  const repositoryAt = (path: string): MemoryRepository => {
    const found = repositories.get(path);
    if (found !== undefined) return found;
    const made = { manifests: new Map(), blobs: new Map(), tags: new Map() };
    repositories.set(path, made);
    return made;
  };
  const called = (operation: SourceOperation, argument: string, signal: AbortSignal): void => {
    calls.push(`${operation} ${argument}`);
    signal.throwIfAborted();
    const failure = failures.get(operation);
    if (failure !== undefined) throw failure;
  };
  return {
    calls,
    put(artifact, tag, path = 'app') {
      const repository = repositoryAt(path);
      const { manifests, blobs } = closureOf(artifact);
      for (const { descriptor, bytes, subject } of manifests) {
        const { mediaType, digest } = descriptor;
        repository.manifests.set(digest, {
          bytes,
          mediaType,
          ...(subject !== undefined && { subject }),
        });
      }
      for (const { descriptor, bytes } of blobs) repository.blobs.set(descriptor.digest, bytes);
      if (tag !== undefined) repository.tags.set(tag, artifact.descriptor.digest);
    },
    removeTag: (tag) => void repositoryAt('app').tags.delete(tag),
    remove(digest) {
      repositoryAt('app').manifests.delete(digest);
      repositoryAt('app').blobs.delete(digest);
    },
    corrupt(digest, bytes) {
      const { manifests, blobs } = repositoryAt('app');
      const manifest = manifests.get(digest);
      if (manifest !== undefined) manifests.set(digest, { ...manifest, bytes });
      if (blobs.has(digest)) blobs.set(digest, bytes);
    },
    fail(operation, error) {
      if (error === undefined) failures.delete(operation);
      else failures.set(operation, error);
    },
    async resolveTag(path, tag, signal) {
      called('resolveTag', tag, signal);
      return repositoryAt(path).tags.get(tag);
    },
    async fetchManifest(path, reference, signal) {
      const name = 'tag' in reference ? reference.tag : reference.digest;
      called('fetchManifest', name, signal);
      const repository = repositoryAt(path);
      const digest = 'tag' in reference ? repository.tags.get(reference.tag) : reference.digest;
      const found = digest === undefined ? undefined : repository.manifests.get(digest);
      if (found === undefined || digest === undefined) return undefined;
      return { bytes: found.bytes, digest, contentType: found.mediaType };
    },
    async statBlob(path, digest, signal) {
      called('statBlob', digest, signal);
      const bytes = repositoryAt(path).blobs.get(digest);
      return bytes && { size: bytes.byteLength };
    },
    async openBlob(path, digest, signal) {
      called('openBlob', digest, signal);
      const bytes = repositoryAt(path).blobs.get(digest);
      return bytes && { size: undefined, stream: Readable.from([bytes]) };
    },
    async listTags(path: RepositoryPath, { limit, last }, signal) {
      called('listTags', path, signal);
      const repository = repositories.get(path);
      if (repository === undefined) return undefined;
      const tags = [...repository.tags.keys()].filter((tag) => last === undefined || tag > last);
      return { tags: tags.toSorted().slice(0, limit) as Tag[], more: tags.length > limit };
    },
    async listReferrers(path, digest, signal) {
      called('listReferrers', digest, signal);
      const found = [...repositoryAt(path).manifests]
        .filter(([, { subject }]) => subject?.digest === digest)
        .map(([referrer, { bytes, mediaType }]) => ({
          digest: referrer as Digest,
          mediaType,
          size: bytes.byteLength,
        }));
      return { found };
    },
    close: async () => undefined,
  };
}
