import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../kernel/clock.ts';
import { algorithmOf, type Digest, encodedOf } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import type { StoreFolder } from '../storage/store-folder.ts';

/** A blob or manifest by name and size. */
export interface HeldContent {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What the store holds: files that were hashed before they got their names. */
export interface HeldBlobs {
  /** `old`: its bytes were hashed longer than `rehashAfterMs` ago. */
  look(content: HeldContent): Promise<'absent' | 'old' | 'fresh'>;
  has(content: HeldContent): Promise<boolean>;
  /**
   * The same, and its bytes were hashed within `rehashAfterMs`, or are now. A file with other
   * bytes is taken away.
   */
  isWhole(content: HeldContent): Promise<boolean>;
}

interface HeldDependencies {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly clock: Clock;
}

/** A disk forgets slowly. */
export const rehashAfterMs = 7 * 86_400_000;

/** A file's time of change is when it was last hashed: nothing else writes it. */
export function makeHeldBlobs({ folder, files, clock }: HeldDependencies): HeldBlobs {
  const find = async ({ digest, size }: HeldContent) => {
    const found = await unlessAbsent(files.stat(folder.blob(digest)));
    return found?.isFile() === true && found.size === size ? found : undefined;
  };
  const look: HeldBlobs['look'] = async (content) => {
    const found = await find(content);
    if (found === undefined) return 'absent';
    const ageMs = clock.now().getTime() - found.mtimeMs;
    return ageMs >= 0 && ageMs < rehashAfterMs ? 'fresh' : 'old';
  };
  return {
    look,
    has: async (content) => (await find(content)) !== undefined,
    async isWhole(content) {
      const seen = await look(content);
      if (seen !== 'old') return seen === 'fresh';
      const file = folder.blob(content.digest);
      const now = clock.now();
      if (await hasDigest(file, content.digest, files)) {
        await utimes(file, now, now);
        return true;
      }
      await unlessAbsent(files.unlink(file));
      return false;
    },
  };
}

/** Whether the file's bytes are those that the digest names. */
export async function hasDigest(
  file: string,
  digest: Digest,
  files: Pick<FileSystem, 'open'>,
): Promise<boolean> {
  const handle = await files.open(file, 'r');
  try {
    const hash = createHash(algorithmOf(digest));
    await pipeline(handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 }), hash);
    return hash.digest('hex') === encodedOf(digest);
  } finally {
    await handle.close();
  }
}
