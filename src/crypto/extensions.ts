import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readBoolean,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { readCount } from './der-integer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readCrlUrls, readOcspUrls } from './revocation-urls.ts';
import type { Certificate, Extension, KeyUsageBit } from './x509.ts';

type ReadExtensions = Pick<
  Certificate,
  'basicConstraints' | 'keyUsage' | 'extendedKeyUsage' | 'ocspUrls' | 'crlUrls' | 'extensions'
>;

const oids = {
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  crlDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** Reads what the Notary Project's rules and revocation need; the rest stays as it is. */
export function readExtensions(element: DerElement | undefined): ReadExtensions {
  const extensions =
    element === undefined ? new Map<string, Extension>() : readExtensionList(element);
  const read = <T>(oid: string, reader: (extension: Extension) => T): T | undefined => {
    const extension = extensions.get(oid);
    return extension === undefined ? undefined : reader(extension);
  };
  const basicConstraints = read(oids.basicConstraints, readBasicConstraints);
  const keyUsage = read(oids.keyUsage, readKeyUsage);
  const extendedKeyUsage = read(oids.extendedKeyUsage, readExtendedKeyUsage);
  return {
    ...(basicConstraints !== undefined && { basicConstraints }),
    ...(keyUsage !== undefined && { keyUsage }),
    ...(extendedKeyUsage !== undefined && { extendedKeyUsage }),
    ocspUrls: read(oids.authorityInfoAccess, readOcspUrls) ?? [],
    crlUrls: read(oids.crlDistributionPoints, readCrlUrls) ?? [],
    extensions,
  };
}

/** `Extensions` of a certificate, a revocation list or an answer of OCSP, by OID. */
export function readExtensionList(element: DerElement): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const item of expectChildren(element, 'the list of extensions')) {
    const parts = expectChildren(item, 'an extension');
    const oid = readObjectIdentifier(parts[0], 'the name of an extension');
    const critical = parts.length === 3 && readBoolean(expectTag(parts[1], derTags.boolean, oid));
    const { content } = expectTag(parts.at(-1), derTags.octetString, `the value of ${oid}`);
    if (parts.length < 2 || parts.length > 3) throw malformed(`extension ${oid} is no triple`);
    // RFC 5280, section 4.2: at most one of each.
    if (extensions.has(oid)) throw malformed(`extension ${oid} stands twice`);
    extensions.set(oid, { critical, value: content });
  }
  return extensions;
}

const maxPathLength = 2 ** 31;

/** RFC 5280, section 4.2.1.9. */
function readBasicConstraints({ critical, value }: Extension): Certificate['basicConstraints'] {
  const [first, ...others] = expectChildren(readDer(value), 'basicConstraints');
  const isStated = first?.tag === derTags.boolean;
  const isCa = isStated && readBoolean(first);
  const [length, ...rest] = isStated || first === undefined ? others : [first, ...others];
  if (rest.length > 0) throw malformed('basicConstraints goes on');
  if (length === undefined) return { critical, isCa };
  const what = 'the path length of basicConstraints';
  const { content } = expectTag(length, derTags.integer, what);
  return { critical, isCa, pathLength: readCount(content, maxPathLength, what) };
}

/** In the order of their bits (RFC 5280, section 4.2.1.3). */
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

function readKeyUsage({ critical, value }: Extension): Certificate['keyUsage'] {
  const { content } = expectTag(readDer(value), derTags.bitString, 'keyUsage');
  const [unused = 8, ...bytes] = content;
  if (unused > 7 || bytes.length > 2) throw malformed("keyUsage can't be read");
  const isSet = (bit: number): boolean => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
  return { critical, bits: new Set(keyUsageBits.filter((_, bit) => isSet(bit))) };
}

const maxPurposes = 64;

/** RFC 5280, section 4.2.1.12. */
function readExtendedKeyUsage({ critical, value }: Extension): Certificate['extendedKeyUsage'] {
  const purposes = expectChildren(readDer(value), 'extendedKeyUsage');
  if (purposes.length === 0) throw malformed('extendedKeyUsage is empty');
  if (purposes.length > maxPurposes) {
    throw malformed(`extendedKeyUsage has more than ${maxPurposes} purposes`);
  }
  return { critical, purposes: purposes.map((each) => readObjectIdentifier(each, 'a purpose')) };
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
