import type { KeyObject } from 'node:crypto';
import type { SignatureAlgorithm } from '../../crypto/algorithms.ts';
import { EnvelopeError } from '../../crypto/envelope-error.ts';
import type { Json } from '../../kernel/json.ts';
import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';

/** What a JWS and a COSE envelope say alike, read but not believed. */
export interface NotationEnvelope {
  /** What the envelope claims; the key decides. */
  readonly claimedAlgorithm: string;
  readonly contentType: string;
  /** Labels that must be understood, as listed. */
  readonly critical: readonly AttributeLabel[];
  /** Labels of the protected attributes but for algorithm, content type and the critical list. */
  readonly labels: ReadonlySet<AttributeLabel>;
  /** The protected attribute of that name; throws `EnvelopeError` if it is no text. */
  text(name: string): string | undefined;
  /** The same for a time, in the format's own notation. */
  time(name: string): Date | undefined;
  /**
   * The value of an attribute that is there, as a plugin is told it; throws `EnvelopeError` where
   * JSON can't say it.
   */
  json(name: string): Json;
  readonly payload: Uint8Array;
  /** The bytes that a timestamp is about. */
  readonly signature: Uint8Array;
  /** DER, leaf first. */
  readonly certificates: NonEmpty<Uint8Array>;
  /** An RFC 3161 token, unsigned like the certificates. */
  readonly timestampToken: Uint8Array | undefined;
  /** Whether the key made the signature over the protected header and the payload as received. */
  isSignedBy(publicKey: KeyObject, algorithm: SignatureAlgorithm): boolean | Promise<boolean>;
}

/** Text in JWS; text or integer in COSE. */
export type AttributeLabel = string | number | bigint;

/** Reads an envelope's structure; throws `EnvelopeError`. */
export type ReadNotationEnvelope = (untrusted: Uint8Array) => NotationEnvelope;

export const attributeNames = {
  signingScheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticSigningTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
  timestampSignature: 'io.cncf.notary.timestampSignature',
} as const;

/** The critical attributes that Assay processes itself, and no other. */
export const implementedCritical: readonly string[] = [
  attributeNames.signingScheme,
  attributeNames.authenticSigningTime,
  attributeNames.expiry,
];

export const payloadType = 'application/vnd.cncf.notary.payload.v1+json';

/**
 * Real envelopes weigh 2 to 20 KiB; the reference implementation takes up to 32 MiB. It bounds what
 * a stranger's costs to read, and anybody who can push may attach any number of them.
 */
export const maxEnvelopeBytes = 128 * 1024;

const maxCertificates = 16;

export function expectCertificates(
  certificates: readonly Uint8Array[],
  code: 'JWS_MALFORMED' | 'COSE_MALFORMED',
): NonEmpty<Uint8Array> {
  if (!isNonEmpty(certificates) || certificates.length > maxCertificates) {
    const count = certificates.length;
    throw new EnvelopeError(code, `the envelope has ${count} certificates, not 1 to 16`);
  }
  return certificates;
}
