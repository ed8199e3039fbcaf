import { buffer } from 'node:stream/consumers';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type Digest, matchesDigest } from '../oci/digest.ts';
import type { BlobStore, ContentName, StoredBlob } from './blob-store.ts';
import { makeByteLru } from './byte-lru.ts';
import { readPieces } from './read-pieces.ts';

/** Small blobs that can be had without waiting. */
export interface BlobsAtHand {
  /**
   * All bytes of what is stored, verified. Undefined where they are not in memory, or where it is
   * time to look whether they are still stored: `open` does.
   */
  atHand(content: ContentName): Uint8Array | undefined;
}

export interface BlobMemoryOptions {
  /** Of all that is in memory. */
  readonly maxBytes?: number;
  /** Of one blob; larger ones are read from the disk each time. */
  readonly maxBlobBytes?: number;
}

interface Held {
  readonly bytes: Buffer;
  /** When it was last seen in the store. */
  seenMs: number;
  isBeingLookedFor: boolean;
}

/** What another process takes away is given for so long, and for one more such time at most. */
const believedMs = 1_000;
const kibibyte = 1024;

/**
 * A store that keeps small blobs in memory too, once they were asked for and have their digest.
 * What is removed through it leaves memory at once.
 */
export function withBlobMemory(
  store: BlobStore,
  { clock, metrics, log }: { readonly clock: Clock; readonly metrics: Metrics; readonly log: Log },
  { maxBytes = 32 * kibibyte * kibibyte, maxBlobBytes = 64 * kibibyte }: BlobMemoryOptions = {},
): BlobStore & BlobsAtHand {
  const blobs = makeByteLru<Held>(maxBytes);
  let removals = 0;
  const onRead = (bytes: number): void =>
    metrics.count('assay_bytes_saved_total', { tier: 'stored' }, bytes);

  const remove = async (digest: Digest, into?: 'trash' | 'quarantine'): Promise<boolean> => {
    removals += 1;
    blobs.delete(digest);
    return store.remove(digest, into);
  };
  const putAside = async (digest: Digest): Promise<void> => {
    log.error({ digest }, 'a stored file has other bytes than its digest names');
    const isMoved = await remove(digest, 'quarantine');
    if (isMoved) metrics.count('assay_quarantined_files_total', {});
  };
  return {
    ...store,
    remove,
    atHand({ digest, size }) {
      const held = blobs.get(digest);
      if (held?.bytes.byteLength !== size || !isBelieved(held, clock)) return undefined;
      onRead(size);
      return held.bytes;
    },
    async open(content, as) {
      const { digest, size } = content;
      const removalsBefore = removals;
      const stored = await store.open(content, as);
      if (as === 'inspection' || size > maxBlobBytes) return stored;
      const held = blobs.get(digest);
      if (stored === undefined) {
        blobs.delete(digest);
        return undefined;
      }
      if (held?.bytes.byteLength === size) {
        held.seenMs = clock.monotonicMs();
        held.isBeingLookedFor = false;
        await stored.close();
        onRead(size);
        return fromMemory(held.bytes);
      }
      const bytes = await buffer(stored.read(0, size));
      if (!matchesDigest(bytes, digest)) {
        await putAside(digest);
        return undefined;
      }
      // Whoever sends it keeps it as text too.
      const found = { bytes, seenMs: clock.monotonicMs(), isBeingLookedFor: false };
      if (removals === removalsBefore) blobs.put(digest, found, 2 * size);
      return fromMemory(bytes);
    },
  };
}

/** Whether it needs no look into the store. One looks; the others need not wait for it. */
function isBelieved(held: Held, clock: Clock): boolean {
  const unseenMs = clock.monotonicMs() - held.seenMs;
  if (unseenMs < (held.isBeingLookedFor ? 2 : 1) * believedMs) return true;
  held.isBeingLookedFor = true;
  return false;
}

function fromMemory(bytes: Buffer): StoredBlob {
  return {
    size: bytes.byteLength,
    close: () => Promise.resolve(),
    read: (start, end) =>
      readPieces(
        {
          read: (into, position) => Promise.resolve(bytes.copy(into, 0, position, end)),
          ready: (position) => (position < end ? end - position : 'end'),
          whenMore: () => undefined,
          onEnd: () => undefined,
        },
        start,
        bytes.byteLength,
      ),
  };
}
