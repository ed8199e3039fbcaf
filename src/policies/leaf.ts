import type { Leaf, Requirement } from './policy.ts';

export function isLeaf(requirement: Requirement): requirement is Leaf {
  return 'signedBy' in requirement || 'attestation' in requirement;
}

/** Whose signature it asks for, be it under a plain signature or under an attestation. */
export function signerOf(leaf: Leaf): string {
  return 'signedBy' in leaf ? leaf.signedBy : leaf.attestation.signedBy;
}

/**
 * What proofs are kept under. A signature never proves an attestation nor the other way round:
 * no identity's name has a space.
 */
export function claimOf(leaf: Leaf): string {
  return 'signedBy' in leaf ? leaf.signedBy : attestationClaim(leaf.attestation.digest);
}

export function attestationClaim(digest: string): string {
  return `attestation ${digest}`;
}
