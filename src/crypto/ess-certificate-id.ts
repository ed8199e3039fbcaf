import type { IssuerAndSerial, SignerInfo } from './cms-signer.ts';
import { type DerElement, derTags, expectChildren, expectTag } from './der.ts';
import { readIntegerBytes } from './der-integer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type HashName, readHashAlgorithm } from './hash-algorithm.ts';

/** Names the signer's certificate under its own signature (RFC 5035, section 4). */
export interface EssCertificateId {
  readonly hash: HashName;
  readonly digest: Uint8Array;
  readonly issuerAndSerial?: IssuerAndSerial;
}

const signingCertificate = '1.2.840.113549.1.9.16.2.12';
const signingCertificateV2 = '1.2.840.113549.1.9.16.2.47';
const directoryName = 0xa4;

/**
 * The first certificate of signing-certificate-v2, which is the signer's (RFC 5035, section 3);
 * others are of its chain. The first version of the attribute names it by SHA-1, and counts as none.
 * Throws `EnvelopeError`.
 */
export function readEssCertificateId({ signedAttributes }: SignerInfo): EssCertificateId {
  const attribute = signedAttributes.get(signingCertificateV2);
  if (attribute === undefined) {
    const old = signedAttributes.has(signingCertificate);
    throw malformed(`it has no signing-certificate-v2${old ? ', only the old attribute' : ''}`);
  }
  const [list, policies, ...rest] = expectChildren(attribute, 'signing-certificate-v2');
  const [first] = expectChildren(list, 'the list of signing-certificate-v2');
  if (rest.length > 0 || (policies !== undefined && policies.tag !== derTags.sequence)) {
    throw malformed('signing-certificate-v2 has unknown parts');
  }
  return readId(expectChildren(first, 'the first of signing-certificate-v2'));
}

/** The hash is SHA-256 where none is stated. */
function readId(fields: readonly DerElement[]): EssCertificateId {
  const states = fields[0]?.tag === derTags.sequence;
  const hash = states ? readHashAlgorithm(fields[0], "the certificate's hash") : 'sha256';
  const [digest, name, ...rest] = states ? fields.slice(1) : fields;
  const { content } = expectTag(digest, derTags.octetString, "the certificate's digest");
  if (rest.length > 0) throw malformed("the certificate's name has unknown parts");
  return {
    hash,
    digest: content,
    ...(name !== undefined && { issuerAndSerial: readIssuerSerial(name) }),
  };
}

/** IssuerSerial: GeneralNames, which are one directory name here (RFC 5035, section 4). */
function readIssuerSerial(element: DerElement): IssuerAndSerial {
  const [names, serial, ...rest] = expectChildren(element, "the certificate's issuer");
  const [name, ...others] = expectChildren(names, "the certificate's issuer");
  const [issuer, ...more] = expectChildren(name, 'the name of the issuer', directoryName);
  const { bytes } = expectTag(issuer, derTags.sequence, 'the name of the issuer');
  if (rest.length + others.length + more.length > 0) {
    throw malformed("the certificate's issuer has more than one name");
  }
  return {
    issuer: bytes,
    serialNumber: readIntegerBytes(serial, "the certificate's serial number"),
  };
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('TIMESTAMP_MALFORMED', message);
}
