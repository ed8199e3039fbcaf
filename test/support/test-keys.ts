import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The algorithms of the Notary Project's signature specification. */
export const signatureAlgorithms = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

export type KeyKind =
  | 'EC-256'
  | 'EC-384'
  | 'EC-521'
  | 'RSA-2048'
  | 'RSA-3072'
  | 'RSA-4096'
  // The specification allows none of these.
  | 'EC-secp256k1'
  | 'Ed25519'
  | 'RSA-1024';

const kindOf = {
  ES256: 'EC-256',
  ES384: 'EC-384',
  ES512: 'EC-521',
  PS256: 'RSA-2048',
  PS384: 'RSA-3072',
  PS512: 'RSA-4096',
} as const satisfies Record<SignatureAlgorithm, KeyKind>;

/** The kind of key that the specification allows for the algorithm. */
export function keyKindOf(algorithm: SignatureAlgorithm): KeyKind {
  return kindOf[algorithm];
}

const curves = {
  'EC-256': 'prime256v1',
  'EC-384': 'secp384r1',
  'EC-521': 'secp521r1',
  'EC-secp256k1': 'secp256k1',
} as const;

const made = new Map<string, KeyObject>();

/**
 * A private key, the same one for the same name within a process. RSA keys of 2048 bits and more
 * come from `keys/` whatever their name, because making them takes seconds.
 */
export function testKey(kind: KeyKind, name: string): KeyObject {
  const known = made.get(`${kind}/${name}`);
  if (known !== undefined) return known;
  const key = makeKey(kind);
  made.set(`${kind}/${name}`, key);
  return key;
}

function makeKey(kind: KeyKind): KeyObject {
  if (kind === 'Ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (kind === 'RSA-1024') return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  if (kind === 'RSA-2048' || kind === 'RSA-3072' || kind === 'RSA-4096') {
    const file = new URL(`keys/${kind.toLowerCase()}.pem`, import.meta.url);
    return createPrivateKey(readFileSync(file));
  }
  return generateKeyPairSync('ec', { namedCurve: curves[kind] }).privateKey;
}

/** DER of the SubjectPublicKeyInfo of a public key, or of a private one's public half. */
export function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  return publicKey.export({ type: 'spki', format: 'der' });
}
