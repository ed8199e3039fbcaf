import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Denial, DenyTarget } from '../verdict/denial.ts';
import type { Identity } from '../verdict/identity.ts';
import { type DenialSet, isInForce } from './denial-set.ts';

/** Finds what is denied at this moment, without waiting. */
export interface DenyIndex {
  readonly isEmpty: boolean;
  /** Whether any key or identity is on it. */
  readonly hasSigners: boolean;
  onDigest(digest: Digest): Denial | undefined;
  onRepository(scope: string): Denial | undefined;
  onSigner(signer: Identity): Denial | undefined;
}

export function makeDenyIndex(denials: DenialSet, clock: Clock): DenyIndex {
  const byName = new Map<string, Denial[]>();
  for (const denial of denials.values()) {
    if (denial.removed !== undefined) continue;
    const name = nameOf(denial.target);
    const others = byName.get(name);
    if (others === undefined) byName.set(name, [denial]);
    else others.push(denial);
  }
  const kinds = new Set([...byName.values()].flat().map(({ target }) => target.kind));
  const isEmpty = byName.size === 0;
  const find = (name: string): Denial | undefined =>
    byName.get(name)?.find((denial) => isInForce(denial, clock.now()));
  const hasSigners = kinds.has('key') || kinds.has('identity');
  return {
    isEmpty,
    hasSigners,
    onDigest: (digest) => (isEmpty ? undefined : find(`digest ${digest}`)),
    onRepository: (scope) => (isEmpty ? undefined : find(`repository ${scope}`)),
    onSigner: (signer) => (hasSigners ? findSigner(signer, find) : undefined),
  };
}

function findSigner(
  signer: Identity,
  find: (name: string) => Denial | undefined,
): Denial | undefined {
  const byKey = find(`key ${signer.keyFingerprint}`);
  if (byKey !== undefined || signer.kind === 'key') return byKey;
  const { subject, issuer, certificateFingerprint, authorityFingerprints = [] } = signer;
  for (const fingerprint of [certificateFingerprint, ...authorityFingerprints]) {
    const found = find(`key ${fingerprint}`);
    if (found !== undefined) return found;
  }
  return (
    find(identityName(subject, undefined)) ??
    find(identityName(undefined, issuer)) ??
    find(identityName(subject, issuer))
  );
}

function nameOf(target: DenyTarget): string {
  if (target.kind === 'digest') return `digest ${target.digest}`;
  if (target.kind === 'repository') return `repository ${target.repository}`;
  if (target.kind === 'key') return `key ${target.fingerprint}`;
  return identityName(target.identity.subject, target.identity.issuer);
}

function identityName(subject: string | undefined, issuer: string | undefined): string {
  return `identity ${JSON.stringify([subject ?? null, issuer ?? null])}`;
}
