import { TaggedError } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { artifactTypeOf } from '../oci/manifest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Closure } from './closure.ts';
import { isEvidence } from './evidence.ts';
import { NotFoundError } from './gate-error.ts';
import { fetchAndRead } from './manifest-reader.ts';
import { fromUpstream } from './upstream-failure.ts';

/** Referrers that are read to be listed, for one subject: as many as an upstream may list. */
const maxListed = 1000;
const concurrency = 8;

/**
 * The referrers of an admitted subject that would be served if asked for: those that are evidence
 * by their own bytes. Each descriptor is made from the manifest, not from upstream's list.
 */
export async function listEvidence(
  repository: Repository,
  subject: Digest,
  { source, closure }: { readonly source: ContentSource; readonly closure: Closure },
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const listing = listAll(repository, subject, source, signal);
  const hints = (await fromUpstream(listing, signal)).slice(0, maxListed);
  const listed: Descriptor[] = [];
  for (let start = 0; start < hints.length; start += concurrency) {
    const batch = hints.slice(start, start + concurrency);
    const read = await Promise.all(
      batch.map(({ digest }) => readEvidence(repository, digest, subject, source, signal)),
    );
    listed.push(...read.filter((descriptor) => descriptor !== undefined));
  }
  for (const { digest } of listed) {
    await closure.recordEvidence(scopeOf(repository), digest, subject);
  }
  return listed;
}

/** A client takes what it is told for all that there is. */
async function listAll(
  { path }: Repository,
  subject: Digest,
  source: ContentSource,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const { found, incomplete } = await source.listReferrers(path, subject, signal);
  if (incomplete !== undefined && found.length < maxListed) throw incomplete;
  return found;
}

async function readEvidence(
  repository: Repository,
  digest: Digest,
  subject: Digest,
  source: ContentSource,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  try {
    const { manifest, descriptor } = await fetchAndRead(repository, digest, source, signal);
    if (manifest.subject?.digest !== subject || !isEvidence(manifest)) return undefined;
    const artifactType = artifactTypeOf(manifest);
    const { annotations } = manifest;
    return {
      ...descriptor,
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations !== undefined && { annotations }),
    };
  } catch (error) {
    const cannotBeServed = error instanceof NotFoundError || error instanceof MalformedError;
    if (error instanceof TaggedError && cannotBeServed) return undefined;
    throw error;
  }
}
