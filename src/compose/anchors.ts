import type { Certificate } from '../crypto/x509.ts';
import { dayMs } from '../kernel/clock.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { NotationTrustStoreName } from '../verdict/identity-requirement.ts';
import { storesOf } from './policy-stores.ts';

/** A certificate in a trust store. */
export interface Anchor {
  readonly store: NotationTrustStoreName;
  readonly certificate: Certificate;
}

export type AnchorState = 'valid' | 'not-yet-valid' | 'ended';

/** In days: from here on an end is worth a word. */
export const soonDays = 30;

/** Those of the stores that rules rely upon, each once a store; the one that ends first is first. */
export function anchorsInUse(basis: {
  readonly policy: Pick<TrustPolicy, 'rules'>;
  readonly trust: Pick<TrustMaterial, 'notationStore'>;
}): readonly Anchor[] {
  return [...storesOf(basis.policy)]
    .flatMap((store) =>
      distinct(basis.trust.notationStore(store) ?? []).map((certificate) => ({
        store,
        certificate,
      })),
    )
    .toSorted((a, b) => a.certificate.notAfter.getTime() - b.certificate.notAfter.getTime());
}

/** The same certificate may lie in two files of a store. */
export function distinct(anchors: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(anchors.map((anchor) => [anchor.fingerprint, anchor])).values()];
}

/** RFC 5280, section 4.1.2.5: the validity includes both its ends. */
export function anchorState(
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
  at: Date,
): AnchorState {
  if (at > notAfter) return 'ended';
  return at < notBefore ? 'not-yet-valid' : 'valid';
}

/** Whole days until it ends; below 0 since it has ended. */
export function daysLeft({ notAfter }: Pick<Certificate, 'notAfter'>, at: Date): number {
  return Math.floor((notAfter.getTime() - at.getTime()) / dayMs);
}
