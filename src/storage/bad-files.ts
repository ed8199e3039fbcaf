import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Digest } from '../oci/digest.ts';
import { moveAway } from './move-away.ts';
import type { StoreDisk } from './store-disk.ts';

export type BadBecause = 'has other bytes than its digest names' | 'can not be read';

/** Stored files that turned out bad as they were read for somebody. */
export interface BadFiles {
  /**
   * Puts the file aside, so that its content is fetched again, unless another one is in its place
   * by now. `ino` undefined: it could not even be looked at. Never rejects.
   */
  putAside(digest: Digest, ino: number | undefined, because: BadBecause): Promise<void>;
  /** Whether the file is bad and still in its place: it counts as nothing. */
  has(digest: Digest, ino: number): boolean;
}

/** On a disk that takes no writes nothing can be moved: then this much is known by heart. */
const maxKnown = 1_000;

export function makeBadFiles(
  disk: StoreDisk,
  { metrics, log }: { readonly metrics?: Metrics | undefined; readonly log?: Log | undefined },
): BadFiles {
  const known = new Map<Digest, number | undefined>();
  const isStillThere = async (digest: Digest, ino: number | undefined): Promise<boolean> =>
    ino === undefined || (await disk.files.stat(disk.folder.blob(digest))).ino === ino;
  const move = async (digest: Digest, ino: number | undefined): Promise<boolean> =>
    (await isStillThere(digest, ino)) && (await moveAway(digest, 'quarantine', disk)).isRemoved;
  return {
    has: (digest, ino) => known.has(digest) && known.get(digest) === ino,
    async putAside(digest, ino, because) {
      if (known.has(digest) && known.get(digest) === ino) return;
      known.set(digest, ino);
      const [oldest] = known.keys();
      if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
      log?.error({ digest, because }, 'a stored file is bad');
      try {
        if (await move(digest, ino)) metrics?.count('assay_quarantined_files_total', {});
        known.delete(digest);
      } catch (error) {
        disk.countError('write');
        const fields = { digest, because: messageOf(error) };
        log?.error(fields, 'a bad stored file could not be put aside');
      }
    },
  };
}
