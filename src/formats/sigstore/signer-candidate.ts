import type { FulcioIdentity } from '../../crypto/fulcio-extensions.ts';
import { readFulcioIdentity } from '../../crypto/fulcio-extensions.ts';
import type { Certificate } from '../../crypto/x509.ts';
import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import type {
  SigstoreCertificate,
  SigstoreRequirement,
  TrustedKey,
} from '../../verdict/sigstore-requirement.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import type { ClaimedVerifier } from './sigstore-envelope.ts';

/** Whose key may have made the signature, by what the signature says of itself. */
export type SignerCandidate =
  | {
      readonly kind: 'keys';
      readonly keys: NonEmpty<TrustedKey>;
      /** Whether the signature says that it is by one of them. */
      readonly isNamed: boolean;
    }
  | {
      readonly kind: 'certificate';
      readonly leaf: Certificate;
      readonly identity: FulcioIdentity;
    };

export interface CandidateFound {
  readonly finding: Finding;
  readonly candidate?: SignerCandidate;
}

/** Costs next to nothing, and most signatures in a repository are somebody else's. */
export function findSignerCandidate(
  verifier: ClaimedVerifier,
  { signer }: SigstoreRequirement,
): CandidateFound {
  if (signer.kind === 'keys') return amongKeys(verifier, signer.keys);
  if (verifier.kind === 'public-key') {
    return nobody('it was signed with a key, and a certificate is asked for');
  }
  return byCertificate(verifier.chain[0], signer);
}

/** A hint at a key is anybody's: it says which is tried first. */
function amongKeys(verifier: ClaimedVerifier, trusted: NonEmpty<TrustedKey>): CandidateFound {
  const isNamed = ({ keyFingerprint }: TrustedKey): boolean =>
    verifier.kind === 'certificate'
      ? verifier.chain[0].keyFingerprint === keyFingerprint
      : verifier.hint === Buffer.from(keyFingerprint, 'hex').toString('base64');
  const named = trusted.filter(isNamed);
  const others = verifier.kind === 'certificate' ? [] : trusted.filter((key) => !isNamed(key));
  const keys = [...named, ...others];
  if (!isNonEmpty(keys)) {
    return nobody('the key of its certificate is none of those that the policy names');
  }
  const finding = pass({ keys: keys.map(({ name }) => quoted(name)).join(', ') });
  return { finding, candidate: { kind: 'keys', keys, isNamed: named.length > 0 } };
}

/** Issuer and subject, both, and every claim that is demanded; all of them the certificate's. */
function byCertificate(leaf: Certificate, signer: SigstoreCertificate): CandidateFound {
  const identity = identityOf(leaf);
  const subject = identity.subject.value;
  if (!signer.issuer.matches(identity.issuer)) {
    const asked = quoted(signer.issuer.text, 200);
    return nobody(`its certificate is by the issuer ${quoted(identity.issuer, 200)}, not ${asked}`);
  }
  if (!signer.subject.matches(subject)) {
    const asked = quoted(signer.subject.text, 200);
    return nobody(`its certificate is of the subject ${quoted(subject, 200)}, not ${asked}`);
  }
  for (const [name, match] of signer.claims) {
    const value = identity.claims.get(name as Parameters<typeof identity.claims.get>[0]);
    if (value !== undefined && match.matches(value)) continue;
    const found = value === undefined ? 'is missing' : `is ${quoted(value, 200)}`;
    return nobody(`its certificate's claim ${name} ${found}, not ${quoted(match.text, 200)}`);
  }
  const finding = pass({ subject: quoted(subject, 200), issuer: quoted(identity.issuer, 200) });
  return { finding, candidate: { kind: 'certificate', leaf, identity } };
}

const identityOf = oncePer(readFulcioIdentity);

function nobody(because: string): CandidateFound {
  return { finding: fail('no-trusted-signer', because) };
}
