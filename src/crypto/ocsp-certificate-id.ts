import { createHash } from 'node:crypto';
import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
  readWholeBitString,
} from './der.ts';
import { encodeDer } from './der-writer.ts';
import { isSameBytes } from './same-bytes.ts';
import type { Certificate } from './x509.ts';

// RFC 6960, section 4.3: SHA-1 is what responders know. It only names a certificate here: nothing
// is trusted because two hashes are alike.
const sha1 = '06052b0e03021a';
const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** DER of the `CertID` that asks for a certificate (RFC 6960, section 4.1.1), with SHA-1. */
export function encodeCertificateId(certificate: Certificate, issuer: Certificate): Uint8Array {
  return encodeDer(
    derTags.sequence,
    encodeDer(derTags.sequence, Buffer.from(sha1, 'hex'), encodeDer(0x05)),
    encodeDer(derTags.octetString, hashOf('sha1', issuer.subject.der)),
    encodeDer(derTags.octetString, keyHashOf('sha1', issuer)),
    encodeDer(derTags.integer, certificate.serialNumber),
  );
}

/**
 * Whether a `CertID` names this certificate of this issuer: by the issuer's name, its key and the
 * serial number, all three. One with a hash that we do not know names none.
 */
export function isIdOf(id: DerElement, certificate: Certificate, issuer: Certificate): boolean {
  const [algorithm, name, key, serial, ...rest] = expectChildren(id, 'a CertID');
  const [oid] = expectChildren(algorithm, 'the hash of a CertID');
  const nameHash = expectTag(name, derTags.octetString, 'the name of a CertID').content;
  const keyHash = expectTag(key, derTags.octetString, 'the key of a CertID').content;
  const number = expectTag(serial, derTags.integer, 'the serial number of a CertID').content;
  const hash = hashes[readObjectIdentifier(oid, 'the hash of a CertID')];
  return (
    hash !== undefined &&
    rest.length === 0 &&
    isSameBytes(number, certificate.serialNumber) &&
    isSameBytes(nameHash, hashOf(hash, issuer.subject.der)) &&
    isSameBytes(keyHash, keyHashOf(hash, issuer))
  );
}

/** The hash of the key alone, without its algorithm: the content of the BIT STRING. */
export function keyHashOf(hash: string, { publicKey }: Certificate): Uint8Array {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const [, key] = expectChildren(readDer(spki), 'the public key');
  return hashOf(hash, readWholeBitString(key, 'the public key'));
}

function hashOf(hash: string, bytes: Uint8Array): Uint8Array {
  return createHash(hash).update(bytes).digest();
}
