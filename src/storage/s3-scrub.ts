import { createHash } from 'node:crypto';
import { readBounded } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { algorithmOf, type Digest, encodedOf, matchesDigest } from '../oci/digest.ts';
import { decodeKept } from './manifest-store.ts';
import type { FoundObject } from './object-client.ts';
import type { Pace } from './pace.ts';
import { putObjectAside } from './s3-aside.ts';
import { type BodyLimits, withPatience } from './s3-body.ts';
import { maxKeptBytes } from './s3-kept.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { listObjects } from './s3-listing.ts';
import type { ScrubOptions, ScrubProgress, ScrubReport } from './scrub.ts';

export interface SharedScrubReport extends ScrubReport {
  /** Objects where content is, whose keys no digest names: nobody reads them, and they stay. */
  readonly strange: number;
  /** Why it ended before its end, where nobody ended it. */
  readonly stopped: string | undefined;
}

interface Parts {
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly limits: BodyLimits;
  readonly clock: Clock;
  /** Holds it back after so many bytes; rejects when the signal aborts. */
  readonly pace: Pace;
}

type Finding = 'right' | 'bad' | 'unread' | 'gone' | 'strange';
type Examine = (found: FoundObject, digest: Digest) => Promise<Finding>;

const maxNamed = 1_000;

/**
 * Reads all that is shared, blobs in the order of digests and manifests after them, and compares it
 * with its digest. A bad blob is put aside, a bad manifest deleted: both are fetched again. An
 * object that can't be read is counted and left; where S3 fails altogether, this ends.
 */
export async function scrubS3(
  parts: Parts,
  { after, onProgress }: ScrubOptions,
  signal: AbortSignal,
): Promise<SharedScrubReport> {
  const { link, keys } = parts;
  const progress = { files: 0, bytes: 0, bad: 0, unread: 0, strange: 0 };
  const badDigests: Digest[] = [];
  let position = after;
  const tell = (): void => onProgress?.({ ...progress, position } satisfies ScrubProgress);
  const count = (bytes: number): void => {
    progress.bytes += bytes;
    tell();
  };
  const note = (finding: Finding, digest: Digest | undefined): void => {
    if (finding === 'right' || finding === 'bad') progress.files += 1;
    if (finding !== 'right' && finding !== 'gone') progress[finding] += 1;
    if (finding !== 'bad' || digest === undefined) return;
    if (badDigests.length < maxNamed) badDigests.push(digest);
  };
  const examineAll = async (
    prefix: string,
    digestOf: (key: string) => Digest | undefined,
    examine: Examine,
  ): Promise<void> => {
    const from = prefix === keys.allBlobs && after !== undefined ? keys.blob(after) : undefined;
    for await (const found of listObjects(link, { prefix, after: from }, signal)) {
      const digest = digestOf(found.key);
      note(digest === undefined ? 'strange' : await examine(found, digest), digest);
      if (prefix === keys.allBlobs) position = digest ?? position;
      tell();
    }
  };
  let stopped: string | undefined;
  try {
    await examineAll(keys.allBlobs, keys.digestOfBlob, (found, digest) =>
      orUnread(() => examineBlob(found, digest, parts, count, signal), link, signal),
    );
    await examineAll(keys.allKept, keys.digestOfKept, (found, digest) =>
      orUnread(() => examineKept(found, digest, parts, count, signal), link, signal),
    );
  } catch (error) {
    if (!signal.aborted) stopped = error instanceof Error ? error.message : String(error);
    return { ...progress, position, badDigests, isComplete: false, stopped };
  }
  return { ...progress, position, badDigests, isComplete: true, stopped };
}

/** One object that can't be read says nothing about the next one; S3 that is away does. */
async function orUnread(
  examine: () => Promise<Finding>,
  link: S3Link,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    return await examine();
  } catch (error) {
    if (signal.aborted || !link.isUp()) throw error;
    return 'unread';
  }
}

/** Hashed piece by piece: nothing of it stays in memory. */
async function examineBlob(
  { key }: FoundObject,
  digest: Digest,
  { link, keys, limits, clock, pace }: Parts,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Finding> {
  const found = await link.ask('get', (s3, own) => s3.get(key, 0, own), { signal });
  if (found === undefined) return 'gone';
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of withPatience(found.stream, limits, clock) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    count(chunk.byteLength);
    await pace(chunk.byteLength, signal);
  }
  if (hash.digest('hex') === encodedOf(digest)) return 'right';
  // Where that fails it is bad all the same, and nobody believes it.
  const aside = putObjectAside({ digest, etag: found.etag ?? '' }, { link, keys });
  await aside.catch(() => undefined);
  return 'bad';
}

async function examineKept(
  { key }: FoundObject,
  digest: Digest,
  { link, limits, clock, pace }: Parts,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Finding> {
  const found = await link.ask('get', (s3, own) => s3.get(key, 0, own), { signal });
  if (found === undefined) return 'gone';
  const isTooLarge = (found.size ?? 0) > maxKeptBytes;
  const body = withPatience(found.stream, limits, clock);
  if (isTooLarge) body.on('error', () => undefined).destroy();
  const bytes = isTooLarge ? undefined : await readBounded(body, maxKeptBytes, 'a manifest in S3');
  if (bytes !== undefined) {
    count(bytes.byteLength);
    await pace(bytes.byteLength, signal);
    const content = decodeKept(bytes);
    if (content !== undefined && matchesDigest(content.bytes, digest)) return 'right';
  }
  await link.ask('remove', (s3, own) => s3.remove(key, own)).catch(() => undefined);
  return 'bad';
}
