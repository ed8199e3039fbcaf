import { EnvelopeError } from '../../crypto/envelope-error.ts';
import type { HashName } from '../../crypto/hash-algorithm.ts';
import type { JsonFields } from '../../crypto/json-fields.ts';
import { type PublicKey, readPublicKey, readRsaPublicKey } from '../../crypto/public-key.ts';
import { assertAcceptable, type KeyAlgorithm } from '../../crypto/sigstore-key.ts';
import { messageOf } from '../../kernel/tagged-error.ts';
import { quoted } from '../../kernel/quoted.ts';
import { malformedRoot, UnacceptedKeyError } from './root-problem.ts';

interface KeyDetails {
  readonly algorithm: KeyAlgorithm;
  /** What the key must be. */
  readonly curve?: string;
  readonly modulusBits?: number;
  readonly encoding?: 'pkcs1';
}

const rsa = (scheme: 'rsa-pkcs1' | 'rsa-pss', modulusBits?: number): KeyDetails => ({
  algorithm: { scheme, hash: 'sha256' },
  ...(modulusBits !== undefined && { modulusBits }),
});
const ecdsa = (curve: string, hash: HashName): KeyDetails => ({
  algorithm: { scheme: 'ecdsa', hash },
  curve,
});

// sigstore_common.proto, PublicKeyDetails. No Ed25519ph, no HMAC, nothing for after quanta yet.
const details: ReadonlyMap<string, KeyDetails> = new Map([
  ['PKIX_ECDSA_P256_SHA_256', ecdsa('prime256v1', 'sha256')],
  ['PKIX_ECDSA_P384_SHA_384', ecdsa('secp384r1', 'sha384')],
  ['PKIX_ECDSA_P384_SHA_256', ecdsa('secp384r1', 'sha256')],
  ['PKIX_ECDSA_P521_SHA_512', ecdsa('secp521r1', 'sha512')],
  ['PKIX_ECDSA_P521_SHA_256', ecdsa('secp521r1', 'sha256')],
  ['PKIX_ED25519', { algorithm: { scheme: 'ed25519', hash: null } }],
  ['PKIX_RSA_PKCS1V15_2048_SHA256', rsa('rsa-pkcs1', 2048)],
  ['PKIX_RSA_PKCS1V15_3072_SHA256', rsa('rsa-pkcs1', 3072)],
  ['PKIX_RSA_PKCS1V15_4096_SHA256', rsa('rsa-pkcs1', 4096)],
  ['PKIX_RSA_PSS_2048_SHA256', rsa('rsa-pss', 2048)],
  ['PKIX_RSA_PSS_3072_SHA256', rsa('rsa-pss', 3072)],
  ['PKIX_RSA_PSS_4096_SHA256', rsa('rsa-pss', 4096)],
  ['PKIX_RSA_PKCS1V5', rsa('rsa-pkcs1')],
  ['PKIX_RSA_PSS', rsa('rsa-pss')],
  ['PKCS1_RSA_PKCS1V5', { ...rsa('rsa-pkcs1'), encoding: 'pkcs1' }],
  ['PKCS1_RSA_PSS', { ...rsa('rsa-pss'), encoding: 'pkcs1' }],
]);

export interface LogKeyFields {
  readonly publicKey: PublicKey;
  readonly algorithm: KeyAlgorithm;
}

/** The key of a log and how it signs. Throws `UnacceptedKeyError` where its kind is not accepted. */
export function readLogKey(key: JsonFields): LogKeyFields {
  const name = key.text('keyDetails');
  const expected = details.get(name);
  if (expected === undefined)
    throw new UnacceptedKeyError(`keys of kind ${quoted(name)} are not accepted`);
  const publicKey = importKey(key, expected);
  const { modulusLength, namedCurve } = publicKey.key.asymmetricKeyDetails ?? {};
  const isThat =
    (expected.curve === undefined || expected.curve === namedCurve) &&
    (expected.modulusBits === undefined || expected.modulusBits === modulusLength) &&
    publicKey.key.asymmetricKeyType === keyTypes[expected.algorithm.scheme];
  if (!isThat) throw malformedRoot(`${key.path} is not the ${name} that it says`);
  try {
    assertAcceptable(publicKey.key);
  } catch (error) {
    throw new UnacceptedKeyError(messageOf(error), { cause: error });
  }
  return { publicKey, algorithm: expected.algorithm };
}

const keyTypes: Readonly<Record<KeyAlgorithm['scheme'], string>> = {
  ecdsa: 'ec',
  'rsa-pkcs1': 'rsa',
  'rsa-pss': 'rsa',
  ed25519: 'ed25519',
};

function importKey(key: JsonFields, { encoding }: KeyDetails): PublicKey {
  const bytes = key.bytes('rawBytes');
  try {
    return encoding === 'pkcs1' ? readRsaPublicKey(bytes) : readPublicKey(bytes);
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw malformedRoot(`${key.path}.rawBytes: ${cause.message}`, cause);
  }
}
