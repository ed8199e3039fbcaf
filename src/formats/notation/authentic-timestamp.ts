import type { Certificate } from '../../crypto/x509.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { NotationRequirement } from '../../verdict/identity-requirement.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { fail, inconclude, pass } from './finding.ts';
import type { SignedAttributes } from './signed-attributes.ts';

export interface TimestampInput {
  readonly chain: CertificateChain;
  readonly attributes: SignedAttributes;
  readonly timestampToken: Uint8Array | undefined;
  readonly requirement: Pick<NotationRequirement, 'trustStores' | 'verifyTimestamp'>;
  readonly now: Date;
}

export interface TimestampResult {
  readonly finding: Finding;
  /** When the ground for passing ends: undefined where it was a time in the past. */
  readonly validUntil?: Date;
}

/**
 * Trust Store and Trust Policy specification, Validate Authentic Timestamp: every certificate was
 * valid when the signature was made. A signing authority vouches for that time; otherwise a
 * timestamp authority must, or all certificates are valid now. The time that the signer claims
 * counts for nothing.
 */
export function checkAuthenticTimestamp(input: TimestampInput): TimestampResult {
  const { chain, attributes, now } = input;
  if (attributes.scheme === 'notary.x509.signingAuthority') {
    const { authenticSigningTime } = attributes;
    const time = authenticSigningTime.toISOString();
    const invalid = findInvalidAt(chain, authenticSigningTime);
    if (invalid === undefined) return { finding: pass({ authenticSigningTime: time }) };
    const because = `${describe(invalid)} was not valid at the authentic signing time ${time}`;
    return { finding: fail('certificate-expired', because) };
  }
  const invalid = findInvalidAt(chain, now);
  if (needsToken(input)) return { finding: judgeToken(input, invalid) };
  if (invalid !== undefined) {
    const because = `${describe(invalid)}, and there is no trusted time at which it was`;
    return { finding: fail('certificate-expired', `not valid now: ${because}`) };
  }
  const validUntil = chain
    .map(({ notAfter }) => notAfter)
    .reduce((earliest, end) => (end < earliest ? end : earliest));
  return { finding: pass({ certificatesValidUntil: validUntil.toISOString() }), validUntil };
}

/** The same, Timestamp Countersignature Verification details: when a token must be verified. */
function needsToken({ chain, requirement, now }: TimestampInput): boolean {
  if (!requirement.trustStores.some((name) => name.startsWith('tsa:'))) return false;
  if (requirement.verifyTimestamp === 'always') return true;
  return chain.some(({ notAfter }) => now > notAfter);
}

/** Tokens (RFC 3161) are not read by this version: none is ever a ground to pass. */
function judgeToken({ timestampToken }: TimestampInput, invalid: Certificate | undefined): Finding {
  const reason = invalid === undefined ? 'timestamp-unproven' : 'certificate-expired';
  if (timestampToken === undefined) {
    return fail(reason, 'the policy asks for a timestamp (tsa trust store), and there is none');
  }
  return inconclude(reason, 'its timestamp can not be verified by this version of Assay');
}

/** RFC 5280, section 4.1.2.5: the validity includes both its ends. */
function findInvalidAt(chain: CertificateChain, instant: Date): Certificate | undefined {
  return chain.find(({ notBefore, notAfter }) => instant < notBefore || instant > notAfter);
}

function describe({ subject, notBefore, notAfter }: Certificate): string {
  const validity = `${notBefore.toISOString()} to ${notAfter.toISOString()}`;
  return `certificate ${quoted(subject.text, 200)} (${validity})`;
}
