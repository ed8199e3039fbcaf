import { isBefore, olderOf, type SigningTime } from '../verdict/signing-times.ts';
import { isKin, isPartOf, orderOf, type SeenContent, type TagEntry } from './tag-history.ts';

/**
 * What the tag was served with before that is newer than what it points at now; undefined where
 * this is no rollback. Newer is what was signed certainly later, by trusted times; where one of the
 * two has none, what was first seen after the digest was, or the index that it is a part of: else a
 * platform of an old index would pass for something new. What was never seen is not older by that.
 */
export function findNewer(now: SeenContent, history: readonly TagEntry[]): TagEntry | undefined {
  const order = orderOf(now, history);
  const signed = history
    .filter((entry) => isKin(now, entry))
    .reduce<SigningTime | undefined>((oldest, entry) => olderOf(oldest, entry.signed), now.signed);
  const newer = history.filter((entry) => {
    if (isKin(now, entry) || isPartOf(now, entry) || isPartOf(entry, now)) return false;
    if (signed !== undefined && entry.signed !== undefined) return isBefore(signed, entry.signed);
    return order !== undefined && order < entry.order;
  });
  return newer.toSorted((a, b) => b.order - a.order)[0];
}
