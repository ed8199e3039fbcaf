import { forgetOldest } from '../kernel/bounded.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Digest } from '../oci/digest.ts';
import { unlessAbsent } from './file-system.ts';
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
  /** For one that could not be put aside, if that is some time ago. Never rejects. */
  tryAgain(digest: Digest): Promise<void>;
  /** Its file was taken away: what comes into its place may get the same number. */
  forget(digest: Digest): void;
}

/** On a disk that takes no writes nothing can be moved: then this much is known by heart. */
const maxKnown = 1_000;
const retryMs = 30_000;

interface Known {
  readonly ino: number | undefined;
  readonly triedMs: number;
}

export function makeBadFiles(
  disk: StoreDisk,
  { metrics, log }: { readonly metrics?: Metrics | undefined; readonly log?: Log | undefined },
): BadFiles {
  const { clock, files, folder } = disk;
  const known = new Map<Digest, Known>();
  const isStillThere = async (digest: Digest, ino: number | undefined): Promise<boolean> =>
    ino === undefined || (await unlessAbsent(files.stat(folder.blob(digest))))?.ino === ino;
  const move = async (digest: Digest, ino: number | undefined): Promise<boolean> =>
    (await isStillThere(digest, ino)) && (await moveAway(digest, 'quarantine', disk)).isRemoved;
  const attempt = async (digest: Digest, ino: number | undefined): Promise<void> => {
    known.set(digest, { ino, triedMs: clock.monotonicMs() });
    forgetOldest(known, maxKnown);
    try {
      if (await move(digest, ino)) metrics?.count('assay_quarantined_files_total', {});
      known.delete(digest);
    } catch (error) {
      disk.onWriteFailure(error);
      const fields = { digest, because: messageOf(error) };
      log?.error(fields, 'a bad stored file could not be put aside');
    }
  };
  return {
    has: (digest, ino) => known.get(digest)?.ino === ino,
    forget: (digest) => void known.delete(digest),
    async putAside(digest, ino, because) {
      const found = known.get(digest);
      if (found !== undefined && found.ino === ino) return;
      log?.error({ digest, because }, 'a stored file is bad');
      await attempt(digest, ino);
    },
    async tryAgain(digest) {
      const found = known.get(digest);
      if (found === undefined || clock.monotonicMs() - found.triedMs < retryMs) return;
      await attempt(digest, found.ino);
    },
  };
}
