import { constants, createHash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import {
  type Der,
  der,
  explicit,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  set,
} from './der-encoder.ts';
import { makeAuthority } from './test-authority.ts';
import type { BuiltCertificate, Chain } from './test-ca.ts';

export type TimestampHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** What a token says. Without overrides it keeps every rule; each breaks, adds or removes one thing. */
export interface TimestampOverrides {
  /** `makeAuthority()` unless told. */
  readonly authority?: Chain;
  /** Text of the GeneralizedTime; the first second of 2026 unless told. */
  readonly genTime?: string;
  /** One second unless told. */
  readonly accuracy?: 'absent' | Der;
  /** 1.2.3.4 unless told. */
  readonly policy?: string;
  /** Of the imprint; SHA-256 unless told. */
  readonly imprintHash?: TimestampHash;
  /** Of the signature and its attributes; SHA-256 unless told. */
  readonly hash?: TimestampHash;
  /** How an RSA key signs: PKCS #1 v1.5 under its own name or the key's, or PSS. */
  readonly rsa?: 'pkcs1' | 'key-name' | 'pss';
  /** The parts of TSTInfo, replaced, removed or added. */
  readonly info?: (parts: readonly Der[]) => readonly Der[];
  /** Signed attributes by OID, each with its values; `undefined` removes one. */
  readonly attributes?: Readonly<Record<string, readonly Der[] | undefined>>;
  /** Their encodings, before they are signed. */
  readonly attributeList?: (attributes: readonly Der[]) => readonly Der[];
  readonly ess?: EssOverrides;
  /** The parts of SignerInfo, after it is signed. */
  readonly signer?: (parts: readonly Der[]) => readonly Der[];
  /** All signers, given the one. */
  readonly signers?: (signer: Der) => readonly Der[];
  /** The parts of SignedData. */
  readonly data?: (parts: readonly Der[]) => readonly Der[];
  /** The certificates in the token instead of the authority's. */
  readonly certificates?: readonly Uint8Array[] | 'absent';
  readonly contentType?: string;
  /** Another key signs. */
  readonly signWith?: KeyObject;
  /** Changes the signature's bytes. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  /** With indefinite lengths, and the content in pieces; DER unless told. */
  readonly encoding?: 'der' | 'ber';
}

export interface EssOverrides {
  /** SHA-256, which is not stated, unless told. */
  readonly hash?: TimestampHash;
  /** The certificate that is named by hash; the signer's unless told. */
  readonly of?: Uint8Array;
  /** The certificate that is named by issuer and serial number; the signer's unless told. */
  readonly name?: 'absent' | BuiltCertificate;
}

export const oids = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** An RFC 3161 token about the message, made without any of our own code. */
export function timestampToken(
  message: Uint8Array,
  overrides: TimestampOverrides = {},
): Uint8Array {
  const { authority = makeAuthority(), contentType = oids.tstInfo, certificates } = overrides;
  const { encoding = 'der', signers = (one: Der) => [one] } = overrides;
  const wrap = encoding === 'ber' ? indefinite : der;
  const content = tstInfo(message, overrides);
  const bag = certificates ?? authority.ders;
  const parts = [
    integer(3),
    set(hashAlgorithm(overrides.hash ?? 'sha256')),
    wrap(
      0x30,
      oid(contentType),
      wrap(0xa0, encoding === 'ber' ? pieces(content) : octets(content)),
    ),
    ...(bag === 'absent' ? [] : [wrap(0xa0, ...bag)]),
    wrap(0x31, ...signers(signerInfo(content, contentType, authority, overrides))),
  ];
  const { data = same } = overrides;
  return wrap(0x30, oid(oids.signedData), wrap(0xa0, wrap(0x30, ...data(parts))));
}

/** The answer of an authority (RFC 3161, 2.4.2); 0 grants it. */
export function timestampResponse(token: Uint8Array | undefined, status = 0): Uint8Array {
  return sequence(sequence(integer(status)), ...(token === undefined ? [] : [token]));
}

export function tstInfo(message: Uint8Array, overrides: TimestampOverrides = {}): Uint8Array {
  const { genTime = '20260101000000Z', accuracy = sequence(integer(1)) } = overrides;
  const { policy = '1.2.3.4', imprintHash = 'sha256', info = same } = overrides;
  const digest = createHash(imprintHash).update(message).digest();
  const parts = [
    integer(1),
    oid(policy),
    sequence(hashAlgorithm(imprintHash), octets(digest)),
    integer(7),
    der(0x18, Buffer.from(genTime)),
    ...(accuracy === 'absent' ? [] : [accuracy]),
  ];
  return sequence(...info(parts));
}

/** ESSCertIDv2 (RFC 5035, 4) of a certificate. */
export function essAttribute(signer: BuiltCertificate, overrides: EssOverrides = {}): Der {
  const { hash = 'sha256', of = signer.der, name = signer } = overrides;
  const id = sequence(
    ...(hash === 'sha256' ? [] : [hashAlgorithm(hash)]),
    octets(createHash(hash).update(of).digest()),
    ...(name === 'absent' ? [] : [sequence(sequence(explicit(4, issuerOf(name))), serialOf(name))]),
  );
  return sequence(sequence(id));
}

function signerInfo(
  content: Uint8Array,
  contentType: string,
  authority: Chain,
  overrides: TimestampOverrides,
): Der {
  const { hash = 'sha256', signWith = authority.privateKey, signer = same } = overrides;
  const attributes = {
    [oids.contentType]: [oid(contentType)],
    [oids.messageDigest]: [octets(createHash(hash).update(content).digest())],
    [oids.signingCertificateV2]: [essAttribute(authority.leaf, overrides.ess)],
    ...overrides.attributes,
  };
  const encoded = Object.entries(attributes).flatMap(([type, values]) =>
    values === undefined ? [] : [sequence(oid(type), set(...values))],
  );
  const list = (overrides.attributeList ?? same)(encoded);
  const made = signAttributes(set(...list), signWith, hash, overrides.rsa);
  return sequence(
    ...signer([
      integer(1),
      issuerAndSerial(authority.leaf),
      hashAlgorithm(hash),
      der(0xa0, ...list.toSorted(Buffer.compare)),
      signatureAlgorithm(signWith, hash, overrides.rsa),
      octets((overrides.signature ?? ((bytes) => bytes))(made)),
    ]),
  );
}

export function issuerAndSerial(certificate: BuiltCertificate): Der {
  return sequence(issuerOf(certificate), serialOf(certificate));
}

function signAttributes(
  signed: Uint8Array,
  key: KeyObject,
  hash: TimestampHash,
  rsa: TimestampOverrides['rsa'],
): Uint8Array {
  if (rsa !== 'pss') return sign(hash, signed, key);
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign(hash, signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
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

function signatureAlgorithm(
  key: KeyObject,
  hash: TimestampHash,
  rsa: TimestampOverrides['rsa'] = 'pkcs1',
): Der {
  if (key.asymmetricKeyType !== 'rsa') return sequence(oid(ecdsaOids[hash]));
  if (rsa === 'pkcs1') return sequence(oid(rsaOids[hash]), nothing());
  if (rsa === 'key-name') return sequence(oid('1.2.840.113549.1.1.1'), nothing());
  const mask = sequence(oid('1.2.840.113549.1.1.8'), hashAlgorithm(hash));
  const salt = integer(createHash(hash).digest().length);
  return sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(explicit(0, hashAlgorithm(hash)), explicit(1, mask), explicit(2, salt)),
  );
}

export function hashAlgorithm(hash: TimestampHash): Der {
  return sequence(oid(hashOids[hash]), nothing());
}

function issuerOf({ der: bytes }: BuiltCertificate): Der {
  return nameIn(bytes, 3);
}

/** The name that stands in that place of the signed part: 3 is the issuer's. */
function nameIn(certificate: Uint8Array, place: number): Der {
  const [body = Buffer.alloc(0)] = childrenOf(contentOf(certificate));
  return childrenOf(contentOf(body))[place] ?? Buffer.alloc(0);
}

function serialOf({ der: bytes }: BuiltCertificate): Der {
  return integer(Buffer.from(new X509Certificate(bytes).serialNumber, 'hex'));
}

function contentOf(element: Uint8Array): Buffer {
  return Buffer.from(element).subarray(headLength(element));
}

function childrenOf(content: Uint8Array): readonly Buffer[] {
  const children: Buffer[] = [];
  for (let rest = Buffer.from(content); rest.length > 0;) {
    const length = headLength(rest) + contentLength(rest);
    children.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return children;
}

function headLength(element: Uint8Array): number {
  const initial = element[1] ?? 0;
  return initial < 0x80 ? 2 : 2 + (initial & 0x7f);
}

function contentLength(element: Uint8Array): number {
  const initial = element[1] ?? 0;
  const size = initial & 0x7f;
  return initial < 0x80 ? initial : Buffer.from(element).readUIntBE(2, size);
}

/** X.690, 8.1.3.6: ended by a mark instead of a length. */
export function indefinite(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag, 0x80), ...contents, new Uint8Array(2)]);
}

/** An octet string in two pieces (X.690, 8.7.3). */
export function pieces(content: Uint8Array): Uint8Array {
  const middle = content.length >> 1;
  return indefinite(0x24, octets(content.subarray(0, middle)), octets(content.subarray(middle)));
}

function same<T>(value: T): T {
  return value;
}
