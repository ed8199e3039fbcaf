import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { readCount, readIntegerBytes } from './der-integer.ts';
import { readTime } from './der-time.ts';
import { encodeDer } from './der-writer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type HashName, isHashOf, readHashAlgorithm } from './hash-algorithm.ts';
import { verifyX509Signature } from './x509-signature.ts';
import type { Certificate } from './x509.ts';

/** Names a certificate (RFC 5652, section 10.2.4), as far as its issuer is honest. */
export interface IssuerAndSerial {
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array;
  readonly serialNumber: Uint8Array;
}

/** One signature (RFC 5652, section 5.3), with attributes under it. */
export interface SignerInfo {
  /** Not signed. */
  readonly id: IssuerAndSerial;
  readonly hash: HashName;
  /** The one value of each signed attribute, by the attribute's OID. */
  readonly signedAttributes: ReadonlyMap<string, DerElement>;
  /** What the signature covers. */
  readonly signedBytes: Uint8Array;
  /** AlgorithmIdentifier. */
  readonly algorithm: DerElement;
  readonly signature: Uint8Array;
  /** What the signer says of the time; it proves nothing. */
  readonly claimedTime?: Date;
}

const oids = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  rsaEncryption: '1.2.840.113549.1.1.1',
} as const;

const maxAttributes = 32;
const maxVersion = 255;
const tags = { signedAttributes: 0xa0, unsignedAttributes: 0xa1 } as const;

/** Throws `EnvelopeError`; version 1, that is, a signer named by issuer and serial number. */
export function readSignerInfo(element: DerElement): SignerInfo {
  const fields = expectChildren(element, 'a signer');
  const [version, id, hash, attributes, algorithm, signature, ...unsigned] = fields;
  const { content: number } = expectTag(version, derTags.integer, "a signer's version");
  if (readCount(number, maxVersion, "a signer's version") !== 1) {
    throw malformed("a signer's version is not 1");
  }
  const [extra, ...rest] = unsigned;
  if (rest.length > 0 || (extra !== undefined && extra.tag !== tags.unsignedAttributes)) {
    throw malformed('a signer has unknown fields');
  }
  const { signedAttributes, signedBytes } = readSignedAttributes(attributes);
  const claimed = signedAttributes.get(oids.signingTime);
  return {
    id: readIssuerAndSerial(id),
    hash: readHashAlgorithm(hash, "a signer's digest algorithm"),
    signedAttributes,
    signedBytes,
    ...(claimed !== undefined && { claimedTime: readTime(claimed, 'the signing time') }),
    algorithm: expectTag(algorithm, derTags.sequence, "a signer's algorithm"),
    signature: expectTag(signature, derTags.octetString, 'a signature').content,
  };
}

function readIssuerAndSerial(element: DerElement | undefined): IssuerAndSerial {
  const [issuer, serial, ...rest] = expectChildren(element, 'the name of a signer');
  const { bytes } = expectTag(issuer, derTags.sequence, "the name of a signer's issuer");
  if (rest.length > 0) throw malformed('the name of a signer has more than two parts');
  return { issuer: bytes, serialNumber: readIntegerBytes(serial, "a signer's serial number") };
}

/**
 * RFC 5652, section 5.4: what is signed is the DER of the attributes as a SET OF, so in the order
 * of their encodings, whatever the order here. Without attributes the signature would cover the
 * content itself, and a content could be taken for attributes (section 11).
 */
function readSignedAttributes(
  element: DerElement | undefined,
): Pick<SignerInfo, 'signedAttributes' | 'signedBytes'> {
  const items = expectChildren(element, 'the list of signed attributes', tags.signedAttributes);
  if (items.length > maxAttributes) throw malformed(`it has more than ${maxAttributes} attributes`);
  const signedAttributes = new Map<string, DerElement>();
  for (const item of items) {
    const [type, values, ...rest] = expectChildren(item, 'a signed attribute');
    const oid = readObjectIdentifier(type, 'the type of a signed attribute');
    const [value, ...others] = expectChildren(values, `the values of ${oid}`, derTags.set);
    if (value === undefined || others.length + rest.length > 0) {
      throw malformed(`the signed attribute ${oid} has not one value`);
    }
    if (signedAttributes.has(oid)) throw malformed(`the signed attribute ${oid} stands twice`);
    signedAttributes.set(oid, value);
  }
  const encodings = items.map(({ bytes }) => bytes).toSorted((a, b) => Buffer.compare(a, b));
  return { signedAttributes, signedBytes: encodeDer(derTags.set, ...encodings) };
}

/**
 * Why this is no signature by the certificate's key over content of that type; undefined if it is
 * one (RFC 5652, sections 5.4, 5.6 and 11). Whether the certificate is the signer's own to choose
 * is another question. Throws `EnvelopeError` for algorithms that are not accepted.
 */
export function findSignatureFault(
  signer: SignerInfo,
  { contentType, content }: { readonly contentType: string; readonly content: Uint8Array },
  { publicKey }: Certificate,
): string | undefined {
  const { signedAttributes, hash, signedBytes, signature } = signer;
  const type = readObjectIdentifier(signedAttributes.get(oids.contentType), 'the signed type');
  if (type !== contentType) return `it is signed as of type ${type}, and is of ${contentType}`;
  const digest = signedAttributes.get(oids.messageDigest);
  const { content: expected } = expectTag(digest, derTags.octetString, 'the signed digest');
  if (!isHashOf(hash, expected, content)) return 'its content is not the one that was signed';
  const signed = { signed: signedBytes, algorithm: algorithmOf(signer), signature };
  if (verifyX509Signature(signed, publicKey, 'it')) return undefined;
  return 'its signature does not verify with the key of its certificate';
}

const rsaWith: Readonly<Record<HashName, DerElement>> = {
  sha256: readDer(Buffer.from('300d06092a864886f70d01010b0500', 'hex')),
  sha384: readDer(Buffer.from('300d06092a864886f70d01010c0500', 'hex')),
  sha512: readDer(Buffer.from('300d06092a864886f70d01010d0500', 'hex')),
};

/** RFC 5754, section 3.2: the name of the key's type may stand for RSA with the stated hash. */
function algorithmOf({ algorithm, hash }: SignerInfo): DerElement {
  const [name] = expectChildren(algorithm, "a signer's algorithm");
  const oid = readObjectIdentifier(name, "a signer's algorithm");
  return oid === oids.rsaEncryption ? rsaWith[hash] : algorithm;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CMS_MALFORMED', message);
}
