import type { Enforcement } from './check.ts';
import type { SigstoreRequirement } from './sigstore-requirement.ts';

/** What the trust policy demands of one named identity, resolved for one scope. */
export type IdentityRequirement = NotationIdentity | SigstoreIdentity;

/** The families of signatures; an identity is proven by those of its own alone. */
export type IdentityFamily = IdentityRequirement['family'];

export interface NotationIdentity {
  readonly family: 'notation';
  /** The name under `identities:` in the trust policy. */
  readonly name: string;
  readonly notation: NotationRequirement;
}

export interface SigstoreIdentity {
  readonly family: 'sigstore';
  /** The name under `identities:` in the trust policy. */
  readonly name: string;
  readonly sigstore: SigstoreRequirement;
}

export type NotationLevel = 'strict' | 'permissive' | 'audit' | 'skip';

/** The checks that a level or an override may loosen; the integrity of a signature never is. */
export type NotationCheckType = 'authenticity' | 'authenticTimestamp' | 'expiry' | 'revocation';

/** One statement of a Notation trust policy (Trust Store and Trust Policy specification). */
export interface NotationRequirement {
  readonly level: NotationLevel;
  /** The level's enforcement with its overrides applied. */
  readonly enforcement: Readonly<Record<NotationCheckType, Enforcement>>;
  readonly verifyTimestamp: 'always' | 'afterCertExpiry';
  /**
   * `signing-time`: a certificate that was revoked after a proven time of signing, for a reason
   * that leaves no doubt about the time before, is as good as one that was not. `now` is what
   * notation does.
   */
  readonly revocationTime: 'now' | 'signing-time';
  /** Names such as `ca:acme`. */
  readonly trustStores: readonly NotationTrustStoreName[];
  /** `*`, or distinguished names of which the leaf's subject must have every attribute. */
  readonly trustedIdentities: '*' | readonly DistinguishedName[];
}

export type NotationStoreType = 'ca' | 'signingAuthority' | 'tsa';
export type NotationTrustStoreName = `${NotationStoreType}:${string}`;

/** Attribute type (as `CN`, `O`, `C`, `ST`) to value; each type once. */
export type DistinguishedName = ReadonlyMap<string, string>;
