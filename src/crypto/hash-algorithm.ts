import { createHash } from 'node:crypto';
import { type DerElement, expectChildren, readObjectIdentifier } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** As Sigstore's protobufs call them (sigstore_common.proto, HashAlgorithm). */
export const protobufHashes: ReadonlyMap<string, HashName> = new Map([
  ['SHA2_256', 'sha256'],
  ['SHA2_384', 'sha384'],
  ['SHA2_512', 'sha512'],
]);

// No SHA-1, which tokens of old authorities still have.
const hashes: Readonly<Record<string, HashName>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * The hash that an AlgorithmIdentifier names, its parameters absent or NULL (RFC 5754, section 2).
 * Throws `EnvelopeError` for any other than SHA-256, SHA-384 and SHA-512.
 */
export function readHashAlgorithm(element: DerElement | undefined, what: string): HashName {
  const [name, parameters, ...rest] = expectChildren(element, what);
  const oid = readObjectIdentifier(name, what);
  const hash = hashes[oid];
  const isPlain = parameters === undefined || Buffer.from(parameters.bytes).equals(asn1Null);
  if (hash === undefined || !isPlain || rest.length > 0) {
    throw new EnvelopeError('ALGORITHM_UNSUPPORTED', `${what} is ${oid}, which is not accepted`);
  }
  return hash;
}

const asn1Null = Uint8Array.of(0x05, 0x00);

export function isHashOf(hash: HashName, digest: Uint8Array, bytes: Uint8Array): boolean {
  return createHash(hash).update(bytes).digest().equals(digest);
}
