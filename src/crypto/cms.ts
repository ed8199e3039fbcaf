import { normalizeBer } from './ber.ts';
import { readCertificate } from './certificate.ts';
import { readSignerInfo, type SignerInfo } from './cms-signer.ts';
import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { readCount } from './der-integer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readingAs } from './reading-as.ts';
import type { Certificate } from './x509.ts';

/** CMS SignedData (RFC 5652, section 5.1) around its content, read but not believed. */
export interface SignedData {
  /** OID. */
  readonly contentType: string;
  readonly content: Uint8Array;
  /** Whatever was put in, in the order in which it was; nothing says that it belongs together. */
  readonly certificates: readonly Certificate[];
  readonly signers: readonly SignerInfo[];
}

/** Real tokens weigh 2 to 10 KiB with four certificates in them. */
export const maxSignedDataBytes = 64 * 1024;

const signedDataType = '1.2.840.113549.1.7.2';
const maxCertificates = 16;
const maxSigners = 4;

/** In SignedData: version 3, because what it signs is not plain data (RFC 5652, section 5.1). */
const version = 3;
const tags = { content: 0xa0, certificates: 0xa0, revocationLists: 0xa1 } as const;

/**
 * Reads a ContentInfo with SignedData in it, in DER or in such BER as `normalizeBer` takes. Throws
 * `EnvelopeError` for more than `maxSignedDataBytes`, for certificates that are not of X.509 or
 * can't be read, for more than 16 of them and for more than 4 signers.
 */
export function readSignedData(untrusted: Uint8Array): SignedData {
  return readingAs('CMS_MALFORMED', 'not CMS SignedData', () => {
    const contentInfo = readDer(normalizeBer(untrusted, maxSignedDataBytes));
    const [type, wrapper, ...rest] = expectChildren(contentInfo, 'ContentInfo');
    const oid = readObjectIdentifier(type, 'the type of ContentInfo');
    if (oid !== signedDataType) throw malformed(`ContentInfo is of type ${oid}`);
    const [body, ...others] = expectChildren(wrapper, 'the content of ContentInfo', tags.content);
    if (rest.length + others.length > 0) throw malformed('ContentInfo has too many parts');
    return readBody(expectChildren(body, 'SignedData'));
  });
}

function readBody(fields: readonly DerElement[]): SignedData {
  const [versionField, hashes, content, ...optional] = fields;
  const { content: number } = expectTag(versionField, derTags.integer, 'the version');
  if (readCount(number, 255, 'the version') !== version) throw malformed('its version is not 3');
  // Only a hint for who reads in one pass: each signer states its own.
  expectTag(hashes, derTags.set, 'the list of digest algorithms');
  const signers = expectChildren(optional.at(-1), 'the list of signers', derTags.set);
  if (signers.length > maxSigners) throw malformed(`it has more than ${maxSigners} signers`);
  return {
    ...readContent(content),
    certificates: readCertificates(optional.slice(0, -1)),
    signers: signers.map(readSignerInfo),
  };
}

/** RFC 5652, section 5.2; a detached content is none that could be read here. */
function readContent(element: DerElement | undefined): Pick<SignedData, 'contentType' | 'content'> {
  const [type, wrapper, ...rest] = expectChildren(element, 'the signed content');
  const contentType = readObjectIdentifier(type, 'the type of the signed content');
  const [octets, ...others] = expectChildren(wrapper, 'the signed content', tags.content);
  const { content } = expectTag(octets, derTags.octetString, 'the signed content');
  if (rest.length + others.length > 0) throw malformed('the signed content has too many parts');
  return { contentType, content };
}

/** `[0]` certificates, then `[1]` lists of revoked ones, which nobody asked for. */
function readCertificates(optional: readonly DerElement[]): readonly Certificate[] {
  const [bag] = optional;
  const order = optional.map(({ tag }) => tag).join();
  if (!knownOrders.has(order)) throw malformed('it has unknown fields');
  if (bag?.tag !== tags.certificates) return [];
  const certificates = expectChildren(bag, 'the certificates', tags.certificates);
  if (certificates.length > maxCertificates) {
    throw malformed(`it has more than ${maxCertificates} certificates`);
  }
  return certificates.map((item) =>
    readCertificate(expectTag(item, derTags.sequence, 'a certificate').bytes),
  );
}

const knownOrders: ReadonlySet<string> = new Set(
  [[], [tags.certificates], [tags.revocationLists], [tags.certificates, tags.revocationLists]].map(
    (order) => order.join(),
  ),
);

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CMS_MALFORMED', message);
}
