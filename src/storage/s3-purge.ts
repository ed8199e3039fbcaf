import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { FoundObject } from './object-client.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { listObjects } from './s3-listing.ts';

export interface SharedPurged {
  readonly blobs: SharedAmount;
  /** Manifests, in all repositories. */
  readonly kept: SharedAmount;
  /** Digests that something was there of. */
  readonly found: readonly Digest[];
  /** Why it ended before its end; the rest is still there. */
  readonly stopped: string | undefined;
}

export interface SharedAmount {
  readonly files: number;
  readonly bytes: number;
}

interface Parts {
  readonly link: S3Link;
  readonly keys: S3Keys;
}

/** Requests at the same time. */
const maxAtOnce = 16;

type Named = Pick<FoundObject, 'key' | 'size'>;

/**
 * Deletes what is shared of these digests, or all of it. What is on its way stays, and so does what
 * was put aside. Rejects with nothing but the signal's reason.
 */
export async function purgeS3(
  wanted: ReadonlySet<Digest> | 'all',
  { link, keys }: Parts,
  signal: AbortSignal,
): Promise<SharedPurged> {
  const blobs = { files: 0, bytes: 0 };
  const kept = { files: 0, bytes: 0 };
  const found = new Set<Digest>();
  const isWanted = (digest: Digest | undefined): boolean =>
    digest !== undefined && (wanted === 'all' || wanted.has(digest));
  const list = (prefix: string) => listObjects(link, { prefix }, signal);
  const remove = async (objects: AsyncIterable<Named>, sum: typeof blobs, digestOf: DigestOf) => {
    const chosen = only(objects, ({ key }) => isWanted(digestOf(key)));
    for await (const some of inGroups(chosen, maxAtOnce)) {
      const removing = some.map(async ({ key, size }) => {
        await link.ask('remove', (s3, own) => s3.remove(key, own), { signal });
        sum.files += 1;
        sum.bytes += size;
        const digest = digestOf(key);
        if (wanted !== 'all' && digest !== undefined) found.add(digest);
      });
      await Promise.all(removing);
    }
  };
  let stopped: string | undefined;
  try {
    const objects = wanted === 'all' ? list(keys.allBlobs) : look(wanted, { link, keys }, signal);
    await remove(objects, blobs, keys.digestOfBlob);
    // Their keys begin with the repository, which nobody names here.
    await remove(list(keys.allKept), kept, keys.digestOfKept);
  } catch (error) {
    signal.throwIfAborted();
    stopped = messageOf(error);
  }
  return { blobs, kept, found: [...found], stopped };
}

type DigestOf = (key: string) => Digest | undefined;

async function* look(
  wanted: ReadonlySet<Digest>,
  { link, keys }: Parts,
  signal: AbortSignal,
): AsyncGenerator<Named> {
  for (const digest of wanted) {
    const key = keys.blob(digest);
    const found = await link.ask('head', (s3, own) => s3.head(key, own), { signal });
    if (found !== undefined) yield { key, size: found.size ?? 0 };
  }
}

async function* only<T>(all: AsyncIterable<T>, isIt: (each: T) => boolean): AsyncGenerator<T> {
  for await (const each of all) if (isIt(each)) yield each;
}

async function* inGroups<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const each of all) {
    group.push(each);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
