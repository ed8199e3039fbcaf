import { createHash, type KeyObject, sign } from 'node:crypto';
import type { KeyUsageBit } from '../../src/crypto/x509.ts';
import * as asn1 from './der-encoder.ts';
import { type KeyKind, spkiOf } from './test-keys.ts';

/** One list a relative distinguished name, of `[type, value]`; a type is a short name or an OID. */
export type TestName = readonly (readonly (readonly [type: string, value: string])[])[];

export interface TestExtension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** What a certificate says; each member replaces the default for its place in the chain. */
export interface CertificateOverrides {
  /** Simple text (`C=US, ST=WA, O=acme`; no escapes, `+` joins attributes of one RDN) or parts. */
  readonly subject?: string | TestName;
  /** Instead of the issuer's own subject. */
  readonly issuer?: string | TestName;
  readonly key?: KeyKind;
  /** Content of the INTEGER; follows from all the rest unless told. */
  readonly serial?: Uint8Array;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly keyUsage?:
    'absent' | { readonly bits: readonly KeyUsageBit[]; readonly critical?: boolean };
  /** OIDs. */
  readonly extendedKeyUsage?:
    'absent' | { readonly purposes: readonly string[]; readonly critical?: boolean };
  readonly basicConstraints?:
    | 'absent'
    | { readonly isCa: boolean; readonly pathLength?: number; readonly critical?: boolean };
  readonly ocspUrls?: readonly string[];
  readonly crlUrls?: readonly string[];
  readonly extensions?: readonly TestExtension[];
  /** The hash of the signature on this certificate. */
  readonly hash?: CertificateHash;
  /** A key that is not the issuer's signs it. */
  readonly signedBy?: 'stranger';
}

export type CertificateHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface CertificatePlan extends CertificateOverrides {
  readonly subject: string | TestName;
  readonly issuer: string | TestName;
  readonly privateKey: KeyObject;
  readonly issuerKey: KeyObject;
}

const built = new Map<string, Uint8Array>();

/**
 * DER of a certificate (RFC 5280, 4.1) with its issuer's signature; within a process the same
 * bytes for the same plan, so that a chain ends in the root that a trust store holds.
 */
export function buildCertificate(plan: CertificatePlan): Uint8Array {
  const name = Buffer.from(serialOf(plan)).toString('hex');
  const certificate = built.get(name) ?? signCertificate(plan, plan.serial ?? serialOf(plan));
  built.set(name, certificate);
  return certificate;
}

function signCertificate(plan: CertificatePlan, serial: Uint8Array): Uint8Array {
  const { hash = 'sha256' } = plan;
  const { notBefore = '2020-01-01T00:00:00Z', notAfter = '2049-01-01T00:00:00Z' } = plan;
  const algorithm = signatureAlgorithm(plan.issuerKey, hash);
  const body = asn1.sequence(
    asn1.explicit(0, asn1.integer(2)),
    asn1.integer(serial),
    algorithm,
    encodeName(plan.issuer),
    asn1.sequence(asn1.time(notBefore), asn1.time(notAfter)),
    encodeName(plan.subject),
    spkiOf(plan.privateKey),
    asn1.explicit(3, asn1.sequence(...[...extensionsOf(plan)].map(encodeExtension))),
  );
  const digest = plan.issuerKey.asymmetricKeyType === 'ed25519' ? null : hash;
  return asn1.sequence(body, algorithm, asn1.bits(sign(digest, body, plan.issuerKey)));
}

const attributeOids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  POSTALCODE: '2.5.4.17',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  E: '1.2.840.113549.1.9.1',
};

export function encodeName(name: string | TestName): Uint8Array {
  const rdns = typeof name === 'string' ? splitName(name) : name;
  const attribute = ([type, value]: readonly [string, string]): Uint8Array =>
    asn1.sequence(asn1.oid(attributeOids[type] ?? type), encodeText(type, value));
  return asn1.sequence(...rdns.map((rdn) => asn1.set(...rdn.map(attribute))));
}

function splitName(text: string): TestName {
  const attribute = (part: string): readonly [string, string] => {
    const [type = '', ...value] = part.split('=');
    return [type, value.join('=')];
  };
  return text.split(', ').map((rdn) => rdn.split('+').map(attribute));
}

function encodeText(type: string, value: string): Uint8Array {
  if (type === 'E' || type === 'DC') return asn1.ia5(value);
  return type === 'C' ? asn1.printable(value) : asn1.utf8(value);
}

function signatureAlgorithm(key: KeyObject, hash: CertificateHash): Uint8Array {
  const { asymmetricKeyType: type } = key;
  if (type === 'ed25519') return asn1.sequence(asn1.oid('1.3.101.112'));
  const family = type === 'rsa' ? rsaOids : ecdsaOids;
  const id = asn1.oid(family[hash]);
  return type === 'rsa' ? asn1.sequence(id, asn1.nothing()) : asn1.sequence(id);
}

const rsaOids = {
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
} as const;
const ecdsaOids = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
} as const;

// RFC 5280, 4.1.2.2: positive, so the first bit is 0; the same for the same contents.
function serialOf(plan: CertificatePlan): Uint8Array {
  const { privateKey, issuerKey, ...said } = plan;
  const seed = createHash('sha256').update(JSON.stringify(said)).update(spkiOf(privateKey));
  return Buffer.concat([Uint8Array.of(1), seed.update(spkiOf(issuerKey)).digest().subarray(0, 15)]);
}

function* extensionsOf(plan: CertificateOverrides): Generator<TestExtension> {
  const { basicConstraints, keyUsage, extendedKeyUsage, ocspUrls, crlUrls } = plan;
  if (basicConstraints !== undefined && basicConstraints !== 'absent') {
    const { isCa, pathLength, critical = true } = basicConstraints;
    const members = [
      ...(isCa ? [asn1.boolean(true)] : []),
      ...(pathLength === undefined ? [] : [asn1.integer(pathLength)]),
    ];
    yield { oid: '2.5.29.19', critical, value: asn1.sequence(...members) };
  }
  if (keyUsage !== undefined && keyUsage !== 'absent') {
    const { critical = true } = keyUsage;
    yield { oid: '2.5.29.15', critical, value: encodeKeyUsage(keyUsage.bits) };
  }
  if (extendedKeyUsage !== undefined && extendedKeyUsage !== 'absent') {
    const { purposes, critical = false } = extendedKeyUsage;
    yield { oid: '2.5.29.37', critical, value: asn1.sequence(...purposes.map(asn1.oid)) };
  }
  if (ocspUrls !== undefined) yield { oid: '1.3.6.1.5.5.7.1.1', value: encodeOcsp(ocspUrls) };
  if (crlUrls !== undefined) yield { oid: '2.5.29.31', value: encodeCrls(crlUrls) };
  yield* plan.extensions ?? [];
}

export function encodeExtension({ oid, critical = false, value }: TestExtension): Uint8Array {
  const flag = critical ? [asn1.boolean(true)] : [];
  return asn1.sequence(asn1.oid(oid), ...flag, asn1.octets(value));
}

/** RFC 5280, 4.2.1.3, in the order of its bits. */
const keyUsageBits: readonly KeyUsageBit[] = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

function encodeKeyUsage(used: readonly KeyUsageBit[]): Uint8Array {
  const positions = used.map((bit) => keyUsageBits.indexOf(bit));
  const last = Math.max(-1, ...positions);
  const bytes = new Uint8Array(Math.ceil((last + 1) / 8));
  for (const position of positions) {
    const index = position >> 3;
    bytes[index] = (bytes[index] ?? 0) | (0x80 >> (position & 7));
  }
  // X.690, 11.2.2: a named bit list has no trailing zero bits.
  return asn1.bits(bytes, last < 0 ? 0 : 7 - (last & 7));
}

function encodeOcsp(urls: readonly string[]): Uint8Array {
  const access = (url: string): Uint8Array =>
    asn1.sequence(asn1.oid('1.3.6.1.5.5.7.48.1'), asn1.implicit(6, Buffer.from(url)));
  return asn1.sequence(...urls.map(access));
}

function encodeCrls(urls: readonly string[]): Uint8Array {
  const point = (url: string): Uint8Array => {
    const fullName = asn1.explicit(0, asn1.implicit(6, Buffer.from(url)));
    return asn1.sequence(asn1.explicit(0, fullName));
  };
  return asn1.sequence(...urls.map(point));
}
