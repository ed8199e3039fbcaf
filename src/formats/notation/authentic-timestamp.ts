import type { Certificate } from '../../crypto/x509.ts';
import { earliest } from '../../kernel/earliest.ts';
import { quoted } from '../../kernel/quoted.ts';
import { isValidAt } from '../../trust/certificate-rules.ts';
import type { TrustedTime } from '../../trust/trusted-time.ts';
import type { NotationRequirement } from '../../verdict/identity-requirement.ts';
import type { Reason } from '../../verdict/reason.ts';
import type { ExaminationContext, Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { type Countersigned, isTimestampStore, readCountersignature } from './countersignature.ts';
import { fail, pass } from '../finding.ts';
import { checkRevocation } from './revocation.ts';
import type { SignedAttributes } from './signed-attributes.ts';

export interface TimestampInput {
  readonly chain: CertificateChain;
  readonly attributes: SignedAttributes;
  readonly envelope: Countersigned;
  readonly requirement: Pick<NotationRequirement, 'trustStores' | 'verifyTimestamp'>;
  readonly context: Pick<ExaminationContext, 'now' | 'trust' | 'revocation' | 'signal'>;
}

export interface TimestampResult {
  readonly finding: Finding;
  /** When the signature was made, where somebody trusted says so. */
  readonly trustedTime?: TrustedTime;
  /** When the ground for passing ends: undefined where it was a time in the past. */
  readonly validUntil?: Date;
}

/**
 * Trust Store and Trust Policy specification, Validate Authentic Timestamp: every certificate was
 * valid when the signature was made. A signing authority vouches for that time; otherwise a
 * timestamp authority must, or all certificates are valid now. The time that the signer claims
 * counts for nothing.
 */
export async function checkAuthenticTimestamp(input: TimestampInput): Promise<TimestampResult> {
  const { chain, attributes, context } = input;
  if (attributes.scheme === 'notary.x509.signingAuthority') {
    return judgeAuthenticTime(chain, attributes.authenticSigningTime);
  }
  const invalid = findInvalidAt(chain, context.now);
  if (needsToken(input)) return judgeToken(input, invalid);
  if (invalid !== undefined) {
    const because = `${describe(invalid)}, and there is no trusted time at which it was`;
    return { finding: fail('certificate-expired', `not valid now: ${because}`) };
  }
  const [leaf, ...issuers] = chain;
  const validUntil = earliest(leaf.notAfter, ...issuers.map(({ notAfter }) => notAfter));
  return { finding: pass({ certificatesValidUntil: validUntil.toISOString() }), validUntil };
}

function judgeAuthenticTime(chain: CertificateChain, instant: Date): TimestampResult {
  const time = instant.toISOString();
  const invalid = findInvalidAt(chain, instant);
  if (invalid !== undefined) {
    const because = `${describe(invalid)} was not valid at the authentic signing time ${time}`;
    return { finding: fail('certificate-expired', because) };
  }
  const trustedTime = { earliest: instant, latest: instant };
  return { finding: pass({ authenticSigningTime: time }), trustedTime };
}

/** The same, Timestamp Countersignature Verification details: when a token must be verified. */
function needsToken({ chain, requirement, context }: TimestampInput): boolean {
  if (!requirement.trustStores.some(isTimestampStore)) return false;
  if (requirement.verifyTimestamp === 'always') return true;
  return chain.some(({ notAfter }) => context.now > notAfter);
}

/**
 * The whole of the time that the authority allows for lies in the validity of every certificate,
 * and nobody in the authority's chain is revoked: that is enforced whatever the level says about
 * the revocation of signers.
 */
async function judgeToken(
  { chain, envelope, requirement, context }: TimestampInput,
  invalidNow: Certificate | undefined,
): Promise<TimestampResult> {
  const { trust, revocation, signal } = context;
  const reason: Reason = invalidNow === undefined ? 'timestamp-unproven' : 'certificate-expired';
  if (envelope.timestampToken === undefined) {
    const because = 'the policy asks for a timestamp (tsa trust store), and there is none';
    return { finding: fail(reason, because) };
  }
  const authority = readCountersignature(envelope, requirement.trustStores, trust);
  if (authority.kind === 'untrusted') return { finding: fail(reason, authority.because) };
  const { earliest, latest } = authority.time;
  const range = `${earliest.toISOString()} to ${latest.toISOString()}`;
  const invalid = findInvalidAt(chain, earliest) ?? findInvalidAt(chain, latest);
  if (invalid !== undefined) {
    const because = `${describe(invalid)} was not valid in all of the time of the timestamp, ${range}`;
    return { finding: fail('certificate-expired', because) };
  }
  const { finding, validUntil } = await checkRevocation(authority.chain, revocation, signal);
  if (finding.outcome === 'failed' || finding.outcome === 'inconclusive') {
    const because = `of the timestamp's authority: ${finding.because}`;
    return { finding: { ...finding, because } };
  }
  return {
    finding: pass({ timestamp: range, timestampAuthority: authority.chain[0].subject.text }),
    trustedTime: authority.time,
    ...(validUntil !== undefined && { validUntil }),
  };
}

function findInvalidAt(chain: CertificateChain, instant: Date): Certificate | undefined {
  return chain.find((certificate) => !isValidAt(certificate, instant));
}

function describe({ subject, notBefore, notAfter }: Certificate): string {
  const validity = `${notBefore.toISOString()} to ${notAfter.toISOString()}`;
  return `certificate ${quoted(subject.text, 200)} (${validity})`;
}
