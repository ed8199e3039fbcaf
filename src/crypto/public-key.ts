import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { derTags, expectChildren, expectTag, readDer, readWholeBitString } from './der.ts';
import { encodeDer } from './der-writer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { isSameBytes } from './same-bytes.ts';

/** A public key with what it is compared by. */
export interface PublicKey {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
  readonly der: Uint8Array;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
}

/**
 * Reads a DER SubjectPublicKeyInfo in its canonical encoding only: two encodings of one key would
 * have two fingerprints, and one signer would count as two. Throws `EnvelopeError`; says nothing
 * about strength.
 */
export function readPublicKey(untrusted: Uint8Array): PublicKey {
  const spki = expectTag(readDer(untrusted), derTags.sequence, 'the public key');
  const publicKey = importKey(untrusted);
  if (!isSameBytes(publicKey.der, untrusted) || isVariant(publicKey.key, spki)) {
    throw malformed('the public key is not in its canonical encoding');
  }
  return publicKey;
}

// AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279, section 2.3.1).
const rsaEncryption = Buffer.from('300d06092a864886f70d0101010500', 'hex');

/** The same for a DER RSAPublicKey (RFC 8017, section A.1.1), as old trusted roots have. */
export function readRsaPublicKey(untrusted: Uint8Array): PublicKey {
  const bits = encodeDer(derTags.bitString, Uint8Array.of(0), untrusted);
  return readPublicKey(encodeDer(derTags.sequence, rsaEncryption, bits));
}

function importKey(untrusted: Uint8Array): PublicKey {
  try {
    return publicKeyOf(
      createPublicKey({ key: Buffer.from(untrusted), format: 'der', type: 'spki' }),
    );
  } catch (cause) {
    throw new EnvelopeError('CERTIFICATE_MALFORMED', "the public key can't be read", { cause });
  }
}

/** Of a key that was read elsewhere, such as from a policy. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const der = key.export({ format: 'der', type: 'spki' });
  return { key, der, fingerprint: createHash('sha256').update(der).digest('hex') };
}

/**
 * What OpenSSL writes back as it came: an EC key whose curve is spelled out in place of its name
 * (RFC 5480, section 2.1.1), or whose point is compressed (section 2.2: 4 begins one that is not).
 */
function isVariant(key: KeyObject, spki: ReturnType<typeof readDer>): boolean {
  if (key.asymmetricKeyType !== 'ec') return false;
  const [algorithm, point] = expectChildren(spki, 'the public key');
  const [, curve] = expectChildren(algorithm, 'the algorithm of the public key');
  const isNamed = curve?.tag === derTags.objectIdentifier;
  return !isNamed || readWholeBitString(point, 'the public key')[0] !== 4;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
