import { readCertificate } from './certificate.ts';
import {
  childrenOf,
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
  readWholeBitString,
} from './der.ts';
import { readGeneralizedTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensionList } from './extensions.ts';
import { readSingleResponse, type SingleResponse } from './ocsp-single-response.ts';
import type { Certificate } from './x509.ts';
import type { X509Signature } from './x509-signature.ts';

/** The most that a response may weigh, in bytes: what notation reads. */
export const maxOcspBytes = 20 * 1024;

/** A basic response as read; nothing of it is believed before `answerOf` (ocsp-answer.ts). */
export interface OcspResponse {
  readonly signature: X509Signature;
  /** DER of the responder's name, or the SHA-1 of its key. */
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array };
  readonly producedAt: Date;
  readonly responses: readonly SingleResponse[];
  readonly certificates: readonly Certificate[];
}

const enumerated = 0x0a;
const basicResponse = '1.3.6.1.5.5.7.48.1.1';
const maxCertificates = 8;
/** RFC 6960, section 4.2.1. */
const refusals: readonly (string | undefined)[] = [
  undefined,
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
];

/**
 * Reads a response of OCSP (RFC 6960, section 4.2). Throws `EnvelopeError` for whatever is not
 * exactly one, is not successful, or has more than `maxOcspBytes`. Says nothing about trust.
 */
export function readOcspResponse(untrusted: Uint8Array): OcspResponse {
  if (untrusted.length > maxOcspBytes) {
    throw malformed(`the OCSP response is larger than ${maxOcspBytes} bytes`);
  }
  const [status, wrapper, ...rest] = expectChildren(readDer(untrusted), 'the OCSP response');
  const { content } = expectTag(status, enumerated, 'the status of the OCSP response');
  if (content.length !== 1 || content[0] !== 0) {
    const name = content.length === 1 ? refusals[content[0] ?? 0] : undefined;
    throw malformed(`the OCSP responder says ${name ?? 'that it fails'}`);
  }
  const [bytes, ...more] = expectChildren(wrapper, 'the OCSP response', 0xa0);
  const [type, value, ...others] = expectChildren(bytes, 'the OCSP response');
  if (rest.length + more.length + others.length > 0) throw malformed('the OCSP response goes on');
  if (readObjectIdentifier(type, 'the type of the OCSP response') !== basicResponse) {
    throw malformed('the OCSP response is of an unknown type');
  }
  return readBasic(readDer(expectTag(value, derTags.octetString, 'the OCSP response').content));
}

function readBasic(element: DerElement): OcspResponse {
  const [signed, algorithm, signature, certificates, ...rest] = expectChildren(
    element,
    'the basic OCSP response',
  );
  if (rest.length > 0) throw malformed('the basic OCSP response goes on');
  return {
    signature: {
      signed: expectTag(signed, derTags.sequence, 'the signed OCSP response').bytes,
      algorithm: expectTag(algorithm, derTags.sequence, 'the algorithm of the OCSP response'),
      signature: readWholeBitString(signature, 'the signature of the OCSP response'),
    },
    certificates: readCertificates(certificates),
    ...readData(expectChildren(signed, 'the signed OCSP response')),
  };
}

function readCertificates(wrapper: DerElement | undefined): readonly Certificate[] {
  if (wrapper === undefined) return [];
  const [list, ...rest] = expectChildren(wrapper, 'the certificates of the OCSP response', 0xa0);
  const certificates = expectChildren(list, 'the certificates of the OCSP response');
  if (rest.length > 0 || certificates.length > maxCertificates) {
    throw malformed('the OCSP response has too many certificates');
  }
  return certificates.map(({ bytes }) => readCertificate(bytes));
}

/** ResponseData; version 1 stands for itself by its absence. */
function readData(
  fields: readonly DerElement[],
): Pick<OcspResponse, 'responder' | 'producedAt' | 'responses'> {
  const [responder, producedAt, responses, extensions, ...rest] = fields;
  if (rest.length > 0) throw malformed('the OCSP response has unknown fields');
  checkExtensions(extensions);
  return {
    responder: readResponder(responder),
    producedAt: readGeneralizedTime(producedAt, 'the time of the OCSP response'),
    responses: expectChildren(responses, 'the answers of the OCSP response').map(
      readSingleResponse,
    ),
  };
}

function readResponder(element: DerElement | undefined): OcspResponse['responder'] {
  const [value, ...rest] = element === undefined ? [] : childrenOf(element);
  if (rest.length === 0 && element?.tag === 0xa1) {
    return { name: expectTag(value, derTags.sequence, 'the name of the responder').bytes };
  }
  if (rest.length === 0 && element?.tag === 0xa2) {
    return { keyHash: expectTag(value, derTags.octetString, 'the key of the responder').content };
  }
  throw malformed('the OCSP response names no responder');
}

/** A nonce that nobody asked for, and whatever else is not critical, changes nothing. */
function checkExtensions(wrapper: DerElement | undefined): void {
  if (wrapper === undefined) return;
  const [list, ...rest] = expectChildren(wrapper, 'the extensions of the OCSP response', 0xa1);
  if (list === undefined || rest.length > 0) throw malformed('the extensions are no single list');
  for (const [oid, { critical }] of readExtensionList(list)) {
    if (critical) throw malformed(`the OCSP response has the critical extension ${oid}`);
  }
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('OCSP_MALFORMED', message);
}
