import { signatureAlgorithmOf } from '../crypto/algorithms.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import type { TimestampToken } from '../crypto/timestamp-token.ts';
import type { TstInfo } from '../crypto/tst-info.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { findCertificatePath } from './certificate-path.ts';
import type { TrustedTime } from './trusted-time.ts';

/** A root of timestamp authorities, and when it was one; both ends are part of it. */
export interface TimestampRoot {
  readonly certificate: Certificate;
  readonly validFrom?: Date;
  readonly validUntil?: Date;
}

export interface TimestampAuthorityQuestion {
  readonly token: TimestampToken;
  /** Whose key made the token; see `findTimestampSigner`. */
  readonly signer: Certificate;
  readonly roots: readonly TimestampRoot[];
  /** Issuers that are known beside those in the token. */
  readonly known?: readonly Certificate[];
}

export type TimestampAuthority =
  | { readonly kind: 'trusted'; readonly chain: NonEmpty<Certificate>; readonly time: TrustedTime }
  | { readonly kind: 'untrusted'; readonly because: string };

/**
 * Whether the signer of a token is an authority under one of the roots, judged at the time that it
 * states, and that time with its accuracy. Whether one of the chain is revoked is another question.
 */
export function trustTimestampAuthority(question: TimestampAuthorityQuestion): TimestampAuthority {
  const { token, signer, roots, known = [] } = question;
  const { genTime } = token.info;
  const { claimedTime } = token.signer;
  const fault = findAuthorityFault(signer);
  if (fault !== undefined) {
    const who = quoted(signer.subject.text, 200);
    return untrusted(`the timestamp's signer ${who} is not acceptable: ${fault}`);
  }
  const answer = findCertificatePath({
    leaf: signer,
    intermediates: [...token.data.certificates, ...known],
    anchors: roots.filter((root) => isRootAt(root, genTime)).map(({ certificate }) => certificate),
    // What it says of the time beside the token may not belie the token.
    times: claimedTime === undefined ? [genTime] : [genTime, claimedTime],
    purpose: timeStamping,
  });
  return answer.kind === 'found'
    ? { kind: 'trusted', chain: answer.path, time: trustedTimeOf(token.info) }
    : untrusted(`the timestamp's signer is not trusted: ${answer.because}`);
}

const timeStamping = '1.3.6.1.5.5.7.3.8';

/**
 * What an authority must be beyond any other signer. RFC 3161, section 2.3: its key is for nothing
 * else. Notary Project, Signature Specification, Leaf Certificates: and of a kind that may sign
 * artifacts too.
 */
function findAuthorityFault(certificate: Certificate): string | undefined {
  const { extendedKeyUsage } = certificate;
  if (extendedKeyUsage === undefined) return 'it has no extended key usage';
  if (!extendedKeyUsage.critical) return 'its extended key usage is not critical';
  const [purpose, ...others] = extendedKeyUsage.purposes;
  if (purpose !== timeStamping || others.length > 0) {
    return 'its extended key usage is not timeStamping alone';
  }
  return findKeyFault(certificate);
}

function findKeyFault({ publicKey }: Certificate): string | undefined {
  try {
    signatureAlgorithmOf(publicKey);
    return undefined;
  } catch (error) {
    if (error instanceof EnvelopeError) return error.message;
    throw error;
  }
}

function isRootAt({ validFrom, validUntil }: TimestampRoot, instant: Date): boolean {
  const begins = validFrom === undefined || validFrom <= instant;
  return begins && (validUntil === undefined || instant <= validUntil);
}

/** ETSI's baseline policy for time-stamps (RFC 3628, section 5.2), which promises one second. */
const baselinePolicy = '0.4.0.2023.1.1';

/**
 * RFC 3161, section 2.4.2: the true time lies within the accuracy on both sides. Trust Store and
 * Trust Policy, Validate Authentic Timestamp: which accuracy that is where none is stated. Whole
 * milliseconds, rounded outwards.
 */
export function trustedTimeOf(info: TstInfo): TrustedTime {
  const { genTime, genTimeNanoseconds, policy } = info;
  const accuracy = info.accuracyMicroseconds ?? (policy === baselinePolicy ? 1_000_000 : 0);
  const below = Math.floor((Math.floor(genTimeNanoseconds / 1000) - accuracy) / 1000);
  const above = Math.ceil((Math.ceil(genTimeNanoseconds / 1000) + accuracy) / 1000);
  return {
    earliest: new Date(genTime.getTime() + below),
    latest: new Date(genTime.getTime() + above),
  };
}

function untrusted(because: string): TimestampAuthority {
  return { kind: 'untrusted', because };
}
