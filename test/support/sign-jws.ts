import { signBytes } from './sign-bytes.ts';
import type { HeaderValue, SignedContent } from './sign-notation.ts';

export interface JwsOverrides {
  /** Changes the protected header's JSON text before it is encoded and signed: duplicates, garbage. */
  readonly protectedText?: (text: string) => string;
  /** Changes the encoded protected header as it stands in the envelope, after signing. */
  readonly protectedEncoding?: (encoded: string) => string;
  /** Changes the encoded payload as it stands in the envelope, after signing. */
  readonly payloadEncoding?: (encoded: string) => string;
  readonly signatureEncoding?: (encoded: string) => string;
  /** Members of the envelope, replaced or added; `undefined` removes one. */
  readonly envelopeMembers?: Readonly<Record<string, unknown>>;
  /** Changes the envelope's whole text. */
  readonly envelopeText?: (text: string) => string;
}

/** A JWS in the flattened JSON serialization (signature-envelope-jws). */
export function buildJws(content: SignedContent): Uint8Array {
  const { chain, header, payload, overrides } = content;
  const { jws = {} } = overrides;
  const same = (text: string): string => text;
  const protectedText = JSON.stringify(protectedHeaderOf(content));
  const encodedHeader = encode((jws.protectedText ?? same)(protectedText));
  const encodedPayload = encode(payload);
  const input = Buffer.from(`${encodedHeader}.${encodedPayload}`);
  const key = overrides.signWith ?? chain.privateKey;
  const made = signBytes(header.algorithm, key, input);
  const signature = (overrides.signature ?? ((bytes) => bytes))(made);
  const envelope = {
    payload: (jws.payloadEncoding ?? same)(encodedPayload),
    protected: (jws.protectedEncoding ?? same)(encodedHeader),
    header: unprotectedHeaderOf(content, signature),
    signature: (jws.signatureEncoding ?? same)(encode(signature)),
    ...jws.envelopeMembers,
  };
  return Buffer.from((jws.envelopeText ?? same)(JSON.stringify(envelope)));
}

function protectedHeaderOf({ header, overrides }: SignedContent): Record<string, unknown> {
  const { statedAlgorithm = header.algorithm } = overrides;
  return {
    ...(statedAlgorithm !== 'absent' && { alg: statedAlgorithm }),
    ...(header.contentType !== 'absent' && { cty: header.contentType }),
    ...(header.crit !== 'absent' && { crit: header.crit }),
    ...Object.fromEntries([...header.members].map(([name, value]) => [name, toJson(value)])),
  };
}

function unprotectedHeaderOf(
  { chain, overrides }: SignedContent,
  signature: Uint8Array,
): Record<string, unknown> {
  const { certificates = chain.ders, unprotected, timestamp } = overrides;
  const token = timestamp?.(signature);
  return {
    x5c: certificates.map((der) => Buffer.from(der).toString('base64')),
    'io.cncf.notary.signingAgent': 'assay-test/1.0',
    ...(token !== undefined && {
      'io.cncf.notary.timestampSignature': Buffer.from(token).toString('base64'),
    }),
    ...unprotected,
  };
}

// RFC 3339 without fractions, as notation writes it.
function toJson(value: HeaderValue): unknown {
  return value instanceof Date ? value.toISOString().replace('.000', '') : value;
}

function encode(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64url');
}
