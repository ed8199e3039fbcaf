import { readCertificate } from './certificate.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type HashName, protobufHashes } from './hash-algorithm.ts';
import type { JsonFields } from './json-fields.ts';
import { readPem } from './pem.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import type { Certificate } from './x509.ts';

export interface HashValue {
  readonly algorithm: HashName;
  readonly digest: Uint8Array;
}

/** One signature in a log entry and whom the log took for its signer. */
export interface LoggedSignature {
  /** Of `intoto` 0.0.1, which keeps none, undefined. */
  readonly signature?: Uint8Array;
  readonly verifier: LoggedVerifier;
}

export type LoggedVerifier =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'public-key'; readonly publicKey: PublicKey };

export const maxLoggedSignatures = 32;

const digestBytes: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };
const lowerHex = /^(?:[0-9a-f]{2})+$/;

/** A hash as Rekor v1 writes it: `{algorithm, value}`, in hex. */
export function readHash(fields: JsonFields): HashValue {
  fields.expectOnly('algorithm', 'value');
  const algorithm = fields.text('algorithm');
  const value = fields.text('value');
  if (!isHash(algorithm)) throw malformedEntry(`${fields.path}.algorithm is not accepted`);
  if (!lowerHex.test(value)) throw malformedEntry(`${fields.path}.value is no lower-case hex`);
  return sized({ algorithm, digest: Buffer.from(value, 'hex') }, fields);
}

/** A hash as Rekor v2 and Sigstore's protobufs write it: `{algorithm, digest}`, in base64. */
export function readHashV2(fields: JsonFields): HashValue {
  fields.expectOnly('algorithm', 'digest');
  const algorithm = protobufHashes.get(fields.text('algorithm'));
  if (algorithm === undefined) throw malformedEntry(`${fields.path}.algorithm is not accepted`);
  return sized({ algorithm, digest: fields.bytes('digest') }, fields);
}

/** One PEM block, of a certificate or of a public key. */
export function readPemVerifier(pem: Uint8Array): LoggedVerifier {
  try {
    const [block, ...more] = readPem(Buffer.from(pem).toString('latin1'));
    if (block?.label === 'CERTIFICATE' && more.length === 0) return fromCertificate(block.der);
    if (block?.label === 'PUBLIC KEY' && more.length === 0) return fromPublicKey(block.der);
  } catch (cause) {
    throw unreadable(cause);
  }
  throw malformedEntry('its verifier is not one certificate or public key');
}

/** A verifier of Rekor v2; `keyDetails` says nothing that the key does not. */
export function readVerifierV2(fields: JsonFields): LoggedVerifier {
  fields.expectOnly('keyDetails', 'publicKey', 'x509Certificate');
  if (fields.has('publicKey') === fields.has('x509Certificate')) {
    throw malformedEntry('its verifier is not one certificate or public key');
  }
  try {
    return fields.has('publicKey')
      ? fromPublicKey(fields.object('publicKey').bytes('rawBytes'))
      : fromCertificate(fields.object('x509Certificate').bytes('rawBytes'));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function fromCertificate(der: Uint8Array): LoggedVerifier {
  return { kind: 'certificate', certificate: readCertificate(der) };
}

function fromPublicKey(der: Uint8Array): LoggedVerifier {
  return { kind: 'public-key', publicKey: readPublicKey(der) };
}

function unreadable(cause: unknown): unknown {
  if (!(cause instanceof EnvelopeError) || cause.code === 'LOG_MALFORMED') return cause;
  return malformedEntry(`its verifier can't be read: ${cause.message}`, cause);
}

function sized(hash: HashValue, { path }: JsonFields): HashValue {
  if (hash.digest.length === digestBytes[hash.algorithm]) return hash;
  throw malformedEntry(`${path} is not as long as its algorithm's hashes are`);
}

export function malformedEntry(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('LOG_MALFORMED', `not a log entry: ${why}`, { cause });
}

function isHash(text: string): text is HashName {
  return Object.hasOwn(digestBytes, text);
}
