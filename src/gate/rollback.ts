import { isBefore, olderOf } from '../verdict/signing-times.ts';
import type { TagEntry } from './tag-history.ts';

/**
 * What the tag was served with before that is newer than what it points at now; undefined where
 * this is no rollback. Newer is what was signed certainly later, by trusted times; where one of the
 * two has none, what was first seen after the digest was. What was never seen is not older by that.
 */
export function findNewer(
  now: Pick<TagEntry, 'digest' | 'signed'>,
  history: readonly TagEntry[],
): TagEntry | undefined {
  const own = history.find(({ digest }) => digest === now.digest);
  const signed = olderOf(own?.signed, now.signed);
  const newer = history.filter((entry) => {
    if (entry.digest === now.digest) return false;
    if (signed !== undefined && entry.signed !== undefined) return isBefore(signed, entry.signed);
    return own !== undefined && own.order < entry.order;
  });
  return newer.toSorted((a, b) => b.order - a.order)[0];
}
