import { quoted } from '../kernel/quoted.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Manifest, readManifest } from '../oci/manifest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { NotFoundError, UnavailableError } from './gate-error.ts';
import { fromUpstream } from './upstream-failure.ts';

/** A manifest whose bytes have the digest that was asked for. Nothing says yet that it is trusted. */
export interface ReadManifest {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
}

/**
 * Fetches a manifest by digest and reads it. Throws `NotFoundError`, `UnavailableError`, and
 * `MalformedError` for a document that clients could read differently.
 */
export async function fetchAndRead(
  repository: Repository,
  digest: Digest,
  source: ContentSource,
  signal: AbortSignal,
): Promise<ReadManifest> {
  const fetching = source.fetchManifest(repository.path, { digest }, signal);
  const content = await fromUpstream(fetching, signal);
  if (content === undefined) throw manifestNotFound(repository, digest);
  const { bytes, contentType } = content;
  if (content.digest !== digest) {
    const because = `upstream answered ${quoted(content.digest)} for ${digest}`;
    throw new UnavailableError('BAD_UPSTREAM', because);
  }
  const manifest = readManifest(bytes, contentType);
  const { mediaType } = manifest;
  return { bytes, manifest, descriptor: { mediaType, digest, size: bytes.byteLength } };
}

export function manifestNotFound(repository: Repository, digest: Digest): NotFoundError {
  const name = `${scopeOf(repository)}@${digest}`;
  return new NotFoundError('MANIFEST_UNKNOWN', `${name} does not exist upstream`);
}
