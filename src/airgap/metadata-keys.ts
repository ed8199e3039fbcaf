import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { publicKeyOf } from '../crypto/public-key.ts';
import { isObject, type Json, type JsonObject } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import type { Signer } from '../signers/signer.ts';
import { bundleRoles } from './metadata-state.ts';

/** A public key as TUF writes it (TUF specification, section 4.2). */
export interface TufKey {
  /** SHA-256 of the key's canonical JSON. */
  readonly id: string;
  readonly keytype: 'ed25519' | 'ecdsa';
  readonly scheme: Signer['scheme'];
  /** The hex of an Ed25519 key, or PEM. */
  readonly public: string;
}

export function toTufKey({ publicKey, scheme }: Pick<Signer, 'publicKey' | 'scheme'>): TufKey {
  const isEdwards = scheme === 'ed25519';
  const keytype = isEdwards ? 'ed25519' : 'ecdsa';
  const { der } = publicKeyOf(createPublicKey(publicKey));
  // RFC 8410, section 4: the key is the last 32 bytes.
  const written = isEdwards ? Buffer.from(der).subarray(-32).toString('hex') : publicKey;
  // None of the texts has a character that canonical JSON would escape.
  const canonical = `{"keytype":"${keytype}","keyval":{"public":"${written}"},"scheme":"${scheme}"}`;
  const id = createHash('sha256').update(canonical).digest('hex');
  return { id, keytype, scheme, public: written };
}

const maxKeys = 64;

/**
 * Throws a `TypeError` unless root metadata have keys that we can verify with, each under one id
 * alone: one key under two ids would count twice. Bounds come first: the models take long for many.
 */
export function checkRootKeys({ keys, roles }: JsonObject): void {
  if (!isObject(keys) || !isObject(roles)) throw new TypeError('it has no keys or no roles');
  const entries = Object.entries(keys);
  if (entries.length > maxKeys) throw new TypeError(`it has more than ${maxKeys} keys`);
  const known = new Set(entries.map(([id, key]) => fingerprintOf(key, id)));
  if (known.size !== entries.length) throw new TypeError('one key stands under two ids');
  const names = Object.keys(roles).toSorted();
  if (names.join() !== bundleRoles.toSorted().join()) {
    throw new TypeError(`its roles are not ${bundleRoles.join(', ')}`);
  }
  for (const [name, role] of Object.entries(roles)) checkRole(name, role, keys);
}

function checkRole(name: string, role: Json, keys: JsonObject): void {
  const { keyids, threshold } = isObject(role) ? role : {};
  if (!Array.isArray(keyids) || keyids.length > maxKeys) {
    throw new TypeError(`role ${name} has no list of at most ${maxKeys} keys`);
  }
  const isKnown = (keyids as readonly Json[]).every(
    (id) => typeof id === 'string' && keys[id] !== undefined,
  );
  if (!isKnown) throw new TypeError(`role ${name} has a key that is not listed`);
  if (typeof threshold !== 'number' || !Number.isSafeInteger(threshold) || threshold < 1) {
    throw new TypeError(`role ${name} has no threshold from 1`);
  }
}

function fingerprintOf(key: Json, id: string): string {
  const { keytype, scheme, keyval } = isObject(key) ? key : {};
  const text = isObject(keyval) ? keyval['public'] : undefined;
  const isText = typeof keytype === 'string' && typeof scheme === 'string';
  const read = isText ? readers[`${keytype}/${scheme}`] : undefined;
  if (typeof text !== 'string' || text.length > 1000 || read === undefined) {
    throw new TypeError(`key ${quoted(id)} is neither Ed25519 nor ECDSA on P-256`);
  }
  try {
    return publicKeyOf(read(text)).fingerprint;
  } catch (cause) {
    throw new TypeError(`key ${quoted(id)} can not be read`, { cause });
  }
}

const readers: Readonly<Record<string, (text: string) => KeyObject>> = {
  'ed25519/ed25519': readEd25519,
  'ecdsa/ecdsa-sha2-nistp256': readP256,
  'ecdsa-sha2-nistp256/ecdsa-sha2-nistp256': readP256,
};

// SubjectPublicKeyInfo up to the key (RFC 8410, section 10.1).
const ed25519Head = Buffer.from('302a300506032b6570032100', 'hex');

function readEd25519(text: string): KeyObject {
  if (!/^[a-f0-9]{64}$/.test(text)) throw new TypeError('it is not 32 bytes in hex');
  const key = Buffer.concat([ed25519Head, Buffer.from(text, 'hex')]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function readP256(text: string): KeyObject {
  const key = createPublicKey({ key: text, format: 'pem', type: 'spki' });
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1') throw new TypeError('it is not on P-256');
  return key;
}
