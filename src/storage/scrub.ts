import { createHash } from 'node:crypto';
import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { algorithmOf, type Digest, encodedOf } from '../oci/digest.ts';
import type { BlobStore, ContentName } from './blob-store.ts';
import type { Pace } from './pace.ts';

export interface ScrubDependencies {
  readonly store: Pick<BlobStore, 'list' | 'open' | 'remove'>;
  /** Holds it back after so many bytes; rejects when the signal aborts. */
  readonly pace: Pace;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface ScrubOptions {
  /** Where an earlier scrub came to: it goes on with the digest after this one. */
  readonly after?: Digest | undefined;
  /** Called often, with what was done so far. */
  readonly onProgress?: (progress: ScrubProgress) => void;
}

export interface ScrubProgress {
  /** Files that were read to their end, and the bytes of all. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were not what their names say, and were put aside where the disk took it. */
  readonly bad: number;
  /** Files that could not be read: nothing is known of them. */
  readonly unread: number;
  /** The last digest that was done with. */
  readonly position: Digest | undefined;
}

export interface ScrubReport extends ScrubProgress {
  /** The first thousand of the bad ones. */
  readonly badDigests: readonly Digest[];
  /** It came to its end; otherwise its signal aborted, and `position` is where to go on. */
  readonly isComplete: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Digests that are in memory at a time. */
const batchSize = 5_000;
const maxNamed = 1_000;

/**
 * Hashes all that is stored once more, in the order of digests, and puts aside what is not what
 * its digest names: it will be fetched again. Rejects where the store can't be listed.
 */
export async function scrub(
  dependencies: ScrubDependencies,
  { after, onProgress }: ScrubOptions,
  signal: AbortSignal,
): Promise<ScrubReport> {
  const progress: Mutable<ScrubProgress> = {
    files: 0,
    bytes: 0,
    bad: 0,
    unread: 0,
    position: after,
  };
  const badDigests: Digest[] = [];
  const count = (bytes: number): void => {
    progress.bytes += bytes;
    dependencies.metrics.count('assay_scrubbed_bytes_total', {}, bytes);
    onProgress?.(progress);
  };
  try {
    for await (const content of contentsAfter(after, dependencies.store, signal)) {
      const finding = await examine(content, dependencies, count, signal);
      if (finding === 'bad' && badDigests.length < maxNamed) badDigests.push(content.digest);
      note(progress, content.digest, finding);
      onProgress?.(progress);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return { ...progress, badDigests, isComplete: false };
  }
  return { ...progress, badDigests, isComplete: true };
}

type Finding = 'right' | 'bad' | 'unread' | 'gone';

function note(progress: Mutable<ScrubProgress>, digest: Digest, finding: Finding): void {
  progress.position = digest;
  if (finding === 'right' || finding === 'bad') progress.files += 1;
  if (finding === 'bad') progress.bad += 1;
  if (finding === 'unread') progress.unread += 1;
}

/** In the order of digests. The store's list has none, and may be longer than memory. */
async function* contentsAfter(
  after: Digest | undefined,
  store: Pick<BlobStore, 'list'>,
  signal: AbortSignal,
): AsyncGenerator<ContentName> {
  for (let position = after; ;) {
    const batch = await nextBatch(store, position, signal);
    for (const content of batch) {
      signal.throwIfAborted();
      yield content;
    }
    const last = batch.at(-1);
    if (last === undefined) return;
    position = last.digest;
  }
}

async function nextBatch(
  store: Pick<BlobStore, 'list'>,
  position: Digest | undefined,
  signal: AbortSignal,
): Promise<readonly ContentName[]> {
  const kept: ContentName[] = [];
  for await (const { digest, size } of store.list()) {
    signal.throwIfAborted();
    if (position !== undefined && digest <= position) continue;
    kept.push({ digest, size });
    if (kept.length < 2 * batchSize) continue;
    kept.sort(byDigest);
    kept.length = batchSize;
  }
  return kept.toSorted(byDigest).slice(0, batchSize);
}

function byDigest(a: ContentName, b: ContentName): number {
  return a.digest < b.digest ? -1 : 1;
}

async function examine(
  content: ContentName,
  dependencies: ScrubDependencies,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Finding> {
  const { log } = dependencies;
  const { digest } = content;
  try {
    const found = await hashOf(content, dependencies, count, signal);
    if (found === undefined) return 'gone';
    if (found === encodedOf(digest)) return 'right';
    log.error({ digest }, 'a stored file has other bytes than its digest names');
  } catch (error) {
    if (signal.aborted) throw error;
    const says = { digest, because: messageOf(error) };
    // The disk lost these bytes; any other failure says nothing about them.
    if (systemCodeOf(error) !== 'EIO') {
      log.warn(says, 'a stored file could not be read');
      return 'unread';
    }
    log.error(says, 'a stored file is unreadable');
  }
  await putAside(digest, dependencies);
  return 'bad';
}

async function putAside(digest: Digest, { store, metrics, log }: ScrubDependencies): Promise<void> {
  try {
    const isMoved = await store.remove(digest, 'quarantine');
    if (isMoved) metrics.count('assay_quarantined_files_total', {});
  } catch (error) {
    log.error({ digest, because: messageOf(error) }, 'a bad stored file could not be put aside');
  }
}

/** In hex; undefined for what is not there any more. */
async function hashOf(
  content: ContentName,
  { store, pace }: ScrubDependencies,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const blob = await store.open(content, 'inspection');
  if (blob === undefined) return undefined;
  const hash = createHash(algorithmOf(content.digest));
  for await (const piece of blob.read(0, content.size) as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    count(piece.byteLength);
    await pace(piece.byteLength, signal);
  }
  return hash.digest('hex');
}
