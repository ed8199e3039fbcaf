import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { trimQuarantine } from './quarantine.ts';
import { takeScrubLease } from './scrub-lease.ts';
import type { StoreDisk } from './store-disk.ts';
import { sweepPartial, sweepStore } from './sweep.ts';

export interface UpkeepOptions {
  /** Whoever was not heard of for so long keeps nobody else from anything. */
  readonly silentMs: number;
  readonly keepPartialMs: number;
}

type Upkeep = Pick<BlobStore, 'sweep' | 'purgePartial' | 'trimQuarantine' | 'beginScrub'>;

/** What keeps a store on disk in order, beside reading and writing. */
export function makeUpkeep(disk: StoreDisk, { silentMs, keepPartialMs }: UpkeepOptions): Upkeep {
  return {
    sweep: (signal) =>
      disk.reading('the leftovers of the store', () =>
        sweepStore({ ...disk, silentMs, keepPartialMs }, signal),
      ),
    purgePartial: ({ digests, unusedMs = -Infinity }, signal) =>
      disk.writing('unfinished content', () => {
        const ages = { silentMs, keepPartialMs: unusedMs, keepJournalMs: -Infinity };
        return sweepPartial({ ...disk, ...ages, isMeant: isAmong(digests) }, signal);
      }),
    trimQuarantine: (bounds) => disk.writing('the quarantine', () => trimQuarantine(bounds, disk)),
    beginScrub: () => disk.writing('who scrubs', () => takeScrubLease({ ...disk, silentMs })),
  };
}

function isAmong(digests: ReadonlySet<Digest> | undefined): (digest: Digest) => boolean {
  return (digest) => digests === undefined || digests.has(digest);
}
