import { readSignedData, type SignedData, maxSignedDataBytes } from './cms.ts';
import type { SignerInfo } from './cms-signer.ts';
import { normalizeBer } from './ber.ts';
import { derTags, expectChildren, expectTag, readDer } from './der.ts';
import { readCount } from './der-integer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type EssCertificateId, readEssCertificateId } from './ess-certificate-id.ts';
import { isHashOf } from './hash-algorithm.ts';
import { readingAs } from './reading-as.ts';
import { readTstInfo, type TstInfo } from './tst-info.ts';

/** An RFC 3161 TimeStampToken, read but not believed. */
export interface TimestampToken {
  readonly info: TstInfo;
  readonly data: SignedData;
  readonly signer: SignerInfo;
  /** Signed: which certificate is the signer's. */
  readonly certificateId: EssCertificateId;
}

const tstInfoType = '1.2.840.113549.1.9.16.1.4';
const maxResponseBytes = maxSignedDataBytes + 4 * 1024;
const maxStatus = 255;

/**
 * Reads a TimeStampToken (RFC 3161, section 2.4.2): one signature, by the authority alone, with a
 * signing-certificate-v2 (RFC 5816) under it. Throws `EnvelopeError`.
 */
export function readTimestampToken(untrusted: Uint8Array): TimestampToken {
  return readingAs('TIMESTAMP_MALFORMED', 'not a timestamp token', () => {
    const data = readSignedData(untrusted);
    if (data.contentType !== tstInfoType) {
      throw malformed(`it is about content of type ${data.contentType}`);
    }
    const [signer, ...others] = data.signers;
    if (signer === undefined || others.length > 0) {
      throw malformed(`it has ${data.signers.length} signatures, and must have one`);
    }
    return {
      info: readTstInfo(data.content),
      data,
      signer,
      certificateId: readEssCertificateId(signer),
    };
  });
}

/**
 * The same for a whole TimeStampResp, the answer of an authority (RFC 3161, section 2.4.2), in
 * which it granted the token.
 */
export function readTimestampResponse(untrusted: Uint8Array): TimestampToken {
  const token = readingAs('TIMESTAMP_MALFORMED', 'not a timestamp response', () => {
    const response = readDer(normalizeBer(untrusted, maxResponseBytes));
    const [info, granted, ...rest] = expectChildren(response, 'the response');
    const [number] = expectChildren(info, 'the status');
    const { content } = expectTag(number, derTags.integer, 'the status');
    const status = readCount(content, maxStatus, 'the status');
    // 0 is granted, 1 is granted with modifications.
    if (status > 1) throw malformed(`the authority did not grant it (status ${status})`);
    if (rest.length > 0) throw malformed('the response has more than two parts');
    return expectTag(granted, derTags.sequence, 'the token').bytes;
  });
  return readTimestampToken(token);
}

/** Whether the token is about exactly these bytes. */
export function isTimestampOf({ info }: TimestampToken, message: Uint8Array): boolean {
  return isHashOf(info.imprint.hash, info.imprint.digest, message);
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('TIMESTAMP_MALFORMED', message);
}
