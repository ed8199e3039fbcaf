import type { KeyObject } from 'node:crypto';
import { partsOfCertificate } from './certificate.ts';
import { childrenOf, type DerElement, derTags, expectTag, readDer } from './der.ts';
import { encodeDer } from './der-writer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { isSameBytes } from './same-bytes.ts';
import { type KeyAlgorithm, verifyWithKey } from './sigstore-key.ts';
import type { Certificate } from './x509.ts';

/** A certificate transparency log's promise to take a certificate in (RFC 6962, section 3.2). */
export interface SignedCertificateTimestamp {
  /** SHA-256 of the log's SPKI DER. */
  readonly logId: Uint8Array;
  readonly time: Date;
  readonly extensions: Uint8Array;
  readonly algorithm: KeyAlgorithm;
  readonly signature: Uint8Array;
}

/** The extension that holds a list of them (RFC 6962, section 3.3). */
const sctListOid = '1.3.6.1.4.1.11129.2.4.2';

const maxTimestamps = 32;
// RFC 5246, section 7.4.1.4.1.
const hashes: Readonly<Record<number, 'sha256' | 'sha384' | 'sha512'>> = {
  4: 'sha256',
  5: 'sha384',
  6: 'sha512',
};
const schemes: Readonly<Record<number, 'rsa-pkcs1' | 'ecdsa'>> = { 1: 'rsa-pkcs1', 3: 'ecdsa' };

/** Those in the certificate; none where it has no such extension. Throws `EnvelopeError`. */
export function readEmbeddedTimestamps({
  extensions,
}: Certificate): readonly SignedCertificateTimestamp[] {
  const extension = extensions.get(sctListOid);
  if (extension === undefined) return [];
  const { content } = expectTag(readDer(extension.value), derTags.octetString, 'the list of SCTs');
  const list = makeCursor(content).vector(2);
  const cursor = makeCursor(list);
  if (list.length + 2 !== content.length) throw malformed('bytes stand behind their list');
  const timestamps: SignedCertificateTimestamp[] = [];
  while (!cursor.isAtEnd()) {
    if (timestamps.length === maxTimestamps) throw malformed(`more than ${maxTimestamps}`);
    timestamps.push(readSignedCertificateTimestamp(cursor.vector(2)));
  }
  if (timestamps.length === 0) throw malformed('their list is empty');
  return timestamps;
}

/** One of them in its own encoding, as a log answers it. Throws `EnvelopeError`. */
export function readSignedCertificateTimestamp(untrusted: Uint8Array): SignedCertificateTimestamp {
  const cursor = makeCursor(untrusted);
  if (cursor.take(1)[0] !== 0) throw malformed('its version is not 1');
  const logId = cursor.take(32);
  const time = new Date(Number(Buffer.from(cursor.take(8)).readBigUInt64BE()));
  if (Number.isNaN(time.getTime())) throw malformed('its time does not exist');
  const extensions = cursor.vector(2);
  const [hashId = 0, schemeId = 0] = cursor.take(2);
  const hash = hashes[hashId];
  const scheme = schemes[schemeId];
  if (hash === undefined || scheme === undefined) throw malformed('its algorithm is not accepted');
  const signature = cursor.vector(2);
  if (!cursor.isAtEnd()) throw malformed('bytes stand behind it');
  return { logId, time, extensions, algorithm: { scheme, hash }, signature };
}

/** A log's key; `id` is what timestamps name it by. */
export interface CertificateLogKey {
  readonly id: Uint8Array;
  readonly publicKey: KeyObject;
}

/**
 * Whether the log of that key signed the timestamp over the certificate that holds it: over its
 * precertificate (RFC 6962, section 3.2), which is the certificate without the list of timestamps
 * and is bound to the issuer's key. Whether the log was trusted at that time is not asked here.
 */
export function isEmbeddedTimestampOf(
  timestamp: SignedCertificateTimestamp,
  certificate: Certificate,
  issuer: Certificate,
  key: CertificateLogKey,
): boolean {
  const issuerKeyHash = Buffer.from(issuer.keyFingerprint, 'hex');
  const entry = [issuerKeyHash, withLength(withoutTimestamps(certificate), 3)];
  return isSigned(timestamp, key, Buffer.concat(entry));
}

function isSigned(
  timestamp: SignedCertificateTimestamp,
  { id, publicKey }: CertificateLogKey,
  entry: Uint8Array,
): boolean {
  if (!isSameBytes(timestamp.logId, id)) return false;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timestamp.time.getTime()));
  // Version 1, certificate_timestamp; precert_entry takes two bytes.
  const message = Buffer.concat([
    Uint8Array.of(0, 0),
    time,
    Uint8Array.of(0, 1),
    entry,
    withLength(timestamp.extensions, 2),
  ]);
  return verifyWithKey(publicKey, timestamp.algorithm, message, timestamp.signature);
}

/** The signed part of the certificate, encoded anew without the list of timestamps. */
function withoutTimestamps({ der }: Certificate): Uint8Array {
  const fields = childrenOf(partsOfCertificate(der).signed);
  const kept = fields.map((field) =>
    field.tag === 0xa3 ? encodeDer(0xa3, withoutList(field)) : field.bytes,
  );
  return encodeDer(derTags.sequence, ...kept);
}

function withoutList(wrapper: DerElement): Uint8Array {
  const [list] = childrenOf(wrapper);
  const others = childrenOf(expectTag(list, derTags.sequence, 'the extensions')).filter(
    (extension) => !isTimestampList(extension),
  );
  return encodeDer(derTags.sequence, ...others.map(({ bytes }) => bytes));
}

const sctListOidContent = Buffer.from('2b06010401d679020402', 'hex');

function isTimestampList(extension: DerElement): boolean {
  const [oid] = childrenOf(extension);
  return oid !== undefined && isSameBytes(oid.content, sctListOidContent);
}

function withLength(bytes: Uint8Array, lengthBytes: 2 | 3): Uint8Array {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}

interface Cursor {
  take(length: number): Uint8Array;
  /** RFC 5246, section 4.3: its length in so many bytes, then itself. */
  vector(lengthBytes: number): Uint8Array;
  isAtEnd(): boolean;
}

function makeCursor(bytes: Uint8Array): Cursor {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw malformed('it is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    take,
    vector: (lengthBytes) => take(Buffer.from(take(lengthBytes)).readUIntBE(0, lengthBytes)),
    isAtEnd: () => at === bytes.length,
  };
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('LOG_MALFORMED', `not a signed certificate timestamp: ${why}`);
}
