import { AsnParser } from '@peculiar/asn1-schema';
import {
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  CRLDistributionPoints,
  type DistributionPoint,
  ExtendedKeyUsage,
  type GeneralName,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';
import {
  assertDer,
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readBoolean,
  readObjectIdentifier,
} from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
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
  ocsp: '1.3.6.1.5.5.7.48.1',
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

function readBasicConstraints({ critical, value }: Extension): Certificate['basicConstraints'] {
  const { cA: isCa, pathLenConstraint: pathLength } = parse(value, BasicConstraints);
  if (pathLength === undefined) return { critical, isCa };
  if (!Number.isSafeInteger(pathLength) || pathLength < 0) {
    throw malformed('the path length of basicConstraints is no count');
  }
  return { critical, isCa, pathLength };
}

const keyUsageBits: readonly (readonly [KeyUsageBit, number])[] = [
  ['digitalSignature', KeyUsageFlags.digitalSignature],
  ['contentCommitment', KeyUsageFlags.nonRepudiation],
  ['keyEncipherment', KeyUsageFlags.keyEncipherment],
  ['dataEncipherment', KeyUsageFlags.dataEncipherment],
  ['keyAgreement', KeyUsageFlags.keyAgreement],
  ['keyCertSign', KeyUsageFlags.keyCertSign],
  ['cRLSign', KeyUsageFlags.cRLSign],
  ['encipherOnly', KeyUsageFlags.encipherOnly],
  ['decipherOnly', KeyUsageFlags.decipherOnly],
];

function readKeyUsage({ critical, value }: Extension): Certificate['keyUsage'] {
  const flags = parse(value, KeyUsage).toNumber();
  const bits = keyUsageBits.filter(([, flag]) => (flags & flag) !== 0).map(([bit]) => bit);
  return { critical, bits: new Set(bits) };
}

function readExtendedKeyUsage({ critical, value }: Extension): Certificate['extendedKeyUsage'] {
  const purposes = [...parse(value, ExtendedKeyUsage)];
  if (purposes.length === 0) throw malformed('extendedKeyUsage is empty');
  return { critical, purposes };
}

function readOcspUrls({ value }: Extension): readonly string[] {
  return [...parse(value, AuthorityInfoAccessSyntax)]
    .filter(({ accessMethod }) => accessMethod === oids.ocsp)
    .map(({ accessLocation }) => toUrl(accessLocation));
}

/** Of `CRLDistributionPoints`, which `FreshestCRL` is too (RFC 5280, section 4.2.1.15). */
export function readCrlUrls({ value }: Pick<Extension, 'value'>): readonly string[] {
  return [...parse(value, CRLDistributionPoints)].flatMap(namesOf);
}

function namesOf({ distributionPoint }: DistributionPoint): readonly string[] {
  const names = distributionPoint?.fullName ?? [];
  return names.length === 0 ? [noUrl] : names.map(toUrl);
}

// A source that can't be fetched is still a source: without it the certificate would seem to
// have no revocation at all.
export const noUrl = 'unsupported:no-url';

function toUrl(name: GeneralName): string {
  return name.uniformResourceIdentifier ?? noUrl;
}

function parse<T>(value: Uint8Array, type: new () => T): T {
  assertDer(value);
  try {
    return AsnParser.parse(value, type);
  } catch (cause) {
    throw new EnvelopeError('CERTIFICATE_MALFORMED', `${type.name} can't be read`, { cause });
  }
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
