import { constants, type KeyObject, verify } from 'node:crypto';
import { isAcceptableRsa } from './algorithms.ts';
import { type DerElement, expectChildren, readObjectIdentifier } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';

/** What X.509 and CMS sign alike: certificates, lists of them, answers about them, tokens. */
export interface X509Signature {
  /** The exact bytes under the signature. */
  readonly signed: Uint8Array;
  /** AlgorithmIdentifier (RFC 5280, section 4.1.1.2). */
  readonly algorithm: DerElement;
  readonly signature: Uint8Array;
}

type Hash = 'sha256' | 'sha384' | 'sha512';

interface X509Algorithm {
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** null where the algorithm has its own. */
  readonly hash: Hash | null;
}

const rsaPss = '1.2.840.113549.1.1.10';
const ed25519 = '1.3.101.112';

// No MD5, SHA-1 or SHA-224; node's X509Certificate.verify would take them.
const algorithms: Readonly<Record<string, X509Algorithm>> = {
  '1.2.840.113549.1.1.11': { keyType: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { keyType: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { keyType: 'rsa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { keyType: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { keyType: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { keyType: 'ec', hash: 'sha512' },
  [ed25519]: { keyType: 'ed25519', hash: null },
};

// NIST's, which signers may have too: others are weak, or many times as dear to verify.
const curves: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * Whether the key made the signature; ECDSA signatures are DER (RFC 5480, appendix A). Throws
 * `EnvelopeError` for an algorithm or a key that is too weak or not known. `what` is signed, as the
 * error names it.
 */
export function verifyX509Signature(
  signature: X509Signature,
  publicKey: KeyObject,
  what: string,
): boolean {
  const by = prepare(signature, publicKey, what);
  return by !== undefined && verify(by.hash, signature.signed, by.key, signature.signature);
}

/** The same off the event loop, for what is large. */
export async function verifyLargeX509Signature(
  signature: X509Signature,
  publicKey: KeyObject,
  what: string,
): Promise<boolean> {
  const by = prepare(signature, publicKey, what);
  if (by === undefined) return false;
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  verify(by.hash, signature.signed, by.key, signature.signature, (error, isSound) => {
    if (error === null) resolve(isSound);
    else reject(error);
  });
  return await promise;
}

/** Undefined where the key is of another kind than the algorithm's. */
function prepare({ algorithm }: X509Signature, publicKey: KeyObject, what: string) {
  const { keyType, hash, isPss = false } = readAlgorithm(algorithm, what);
  if (publicKey.asymmetricKeyType !== keyType) return undefined;
  assertStrength(publicKey);
  // Without options node:crypto takes PKCS #1 v1.5 and DER, and takes the key much faster.
  if (!isPss) return { hash, key: publicKey };
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return { hash, key: { key: publicKey, padding, saltLength } };
}

function readAlgorithm(
  element: DerElement,
  what: string,
): X509Algorithm & { readonly isPss?: boolean } {
  const [name, parameters] = expectChildren(element, 'the signature algorithm');
  const oid = readObjectIdentifier(name, 'the signature algorithm');
  if (oid === rsaPss) {
    return { keyType: 'rsa', hash: readPssHash(parameters, what), isPss: true };
  }
  const algorithm = algorithms[oid];
  if (algorithm === undefined) {
    throw unsupported(`${what} is signed with algorithm ${oid}, which is not accepted`);
  }
  return algorithm;
}

function assertStrength(key: KeyObject): void {
  const { modulusLength, publicExponent = 3n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && !curves.includes(namedCurve)) {
    throw unsupported(`an issuer's key on the curve ${namedCurve} is not accepted`);
  }
  if (modulusLength !== undefined && !isAcceptableRsa(modulusLength, publicExponent)) {
    throw unsupported(
      `an issuer's RSA key of ${modulusLength} bits, or its exponent, is not accepted`,
    );
  }
}

// RFC 4055, section 3.1, in the forms that real certificates have: one hash for message and mask,
// a salt of its length; NULL parameters of the hash present or absent.
const pssParameters: ReadonlyMap<string, Hash> = new Map(
  (
    [
      ['sha256', '01', '20'],
      ['sha384', '02', '30'],
      ['sha512', '03', '40'],
    ] as const
  ).flatMap(([hash, arc, salt]) => {
    const oid = `06096086480165030402${arc}`;
    const mgf1 = '06092a864886f70d010108';
    const variants = [tlv('30', `${oid}0500`), tlv('30', oid)];
    return variants.flatMap((one) =>
      variants.map((other): [string, Hash] => [
        tlv('30', tlv('a0', one) + tlv('a1', tlv('30', mgf1 + other)) + tlv('a2', tlv('02', salt))),
        hash,
      ]),
    );
  }),
);

function tlv(tag: string, contentHex: string): string {
  return tag + (contentHex.length / 2).toString(16).padStart(2, '0') + contentHex;
}

function readPssHash(parameters: DerElement | undefined, what: string): Hash {
  const hash = pssParameters.get(Buffer.from(parameters?.bytes ?? []).toString('hex'));
  if (hash === undefined) {
    throw unsupported(`${what} is signed with RSASSA-PSS parameters that are not accepted`);
  }
  return hash;
}

function unsupported(message: string): EnvelopeError {
  return new EnvelopeError('ALGORITHM_UNSUPPORTED', message);
}
