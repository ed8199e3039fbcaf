import type { CrlEntry } from '../crypto/crl-entries.ts';
import { isHarmlessReason } from '../crypto/revocation-reason.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';

/**
 * What several revocations of one certificate come to: an issuer may put reasons into lists of their
 * own, and list it as superseded first, as compromised later. So the first time counts, the reason
 * that forgives least, and an invalidity date only where each has one, of which the earliest.
 */
export function gravestOf(entries: NonEmpty<CrlEntry>): CrlEntry {
  const grave = entries.find(({ reason }) => !isHarmlessReason(reason)) ?? entries[0];
  const { reason } = grave;
  const [first, ...others] = entries.map(({ invalidityDate }) => invalidityDate);
  const invalidityDate = others.reduce(
    (least, date) => (least === undefined || date === undefined ? undefined : earlier(least, date)),
    first,
  );
  return {
    revokedAt: entries.map(({ revokedAt }) => revokedAt).reduce(earlier),
    ...(reason !== undefined && { reason }),
    ...(invalidityDate !== undefined && { invalidityDate }),
  };
}

function earlier(one: Date, other: Date): Date {
  return other < one ? other : one;
}
