import { EnvelopeError } from '../../crypto/envelope-error.ts';
import { findTimestampSigner } from '../../crypto/timestamp-signer.ts';
import {
  isTimestampOf,
  readTimestampToken,
  type TimestampToken,
} from '../../crypto/timestamp-token.ts';
import type { Certificate } from '../../crypto/x509.ts';
import { oncePer } from '../../kernel/once.ts';
import {
  type TimestampAuthority,
  type TimestampRoot,
  trustTimestampAuthority,
} from '../../trust/timestamp-authority.ts';
import { TrustError } from '../../trust/trust-error.ts';
import type { TrustMaterial } from '../../trust/trust-material.ts';
import type { NotationTrustStoreName } from '../../verdict/identity-requirement.ts';
import type { NotationEnvelope } from './notation-envelope.ts';

/** What a timestamp is about, and the timestamp. */
export type Countersigned = Pick<NotationEnvelope, 'signature' | 'timestampToken'>;

/**
 * Who vouches for the time of a signature (Trust Store and Trust Policy, Validate Authentic
 * Timestamp): the token is over this signature, and its signer an authority under a root of the tsa
 * trust stores that the policy names. Throws `TrustError` where a store that might hold that root
 * can't be read.
 */
export function readCountersignature(
  envelope: Countersigned,
  stores: readonly NotationTrustStoreName[],
  trust: TrustMaterial,
): TimestampAuthority {
  const signed = open(envelope);
  if (signed.kind === 'untrusted') return signed;
  const { roots, missing } = listRoots(stores, trust);
  const authority = trustTimestampAuthority({ ...signed, roots });
  if (authority.kind === 'untrusted' && missing.length > 0) {
    throw new TrustError('TRUST_STORE_UNREADABLE', `there is no trust store ${missing.join(', ')}`);
  }
  return authority;
}

type Signed =
  | { readonly kind: 'signed'; readonly token: TimestampToken; readonly signer: Certificate }
  | { readonly kind: 'untrusted'; readonly because: string };

// It rests on the envelope alone, which is held against every identity that may have made it.
const open = oncePer(({ signature, timestampToken }: Countersigned): Signed => {
  if (timestampToken === undefined) return untrusted('there is no timestamp');
  try {
    const token = readTimestampToken(timestampToken);
    if (!isTimestampOf(token, signature)) return untrusted('its timestamp is of something else');
    const signer = findTimestampSigner(token);
    return signer.kind === 'found'
      ? { kind: 'signed', token, signer: signer.certificate }
      : untrusted(`its timestamp proves nothing: ${signer.because}`);
  } catch (error) {
    if (error instanceof EnvelopeError) return untrusted(error.message);
    throw error;
  }
});

function listRoots(
  stores: readonly NotationTrustStoreName[],
  trust: TrustMaterial,
): { readonly roots: readonly TimestampRoot[]; readonly missing: readonly string[] } {
  const named = stores.filter(isTimestampStore);
  const missing = named.filter((name) => trust.notationStore(name) === undefined);
  const anchors = named.flatMap((name) => trust.notationStore(name) ?? []);
  return { roots: anchors.map((certificate) => ({ certificate })), missing };
}

/** A policy that names one asks for timestamps. */
export function isTimestampStore(name: NotationTrustStoreName): boolean {
  return name.startsWith('tsa:');
}

function untrusted(because: string): Extract<Signed, { kind: 'untrusted' }> {
  return { kind: 'untrusted', because };
}
