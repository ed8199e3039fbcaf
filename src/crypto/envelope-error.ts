import { TaggedError } from '../kernel/tagged-error.ts';

export type EnvelopeErrorCode =
  | 'JWS_MALFORMED'
  | 'COSE_MALFORMED'
  | 'CBOR_MALFORMED'
  | 'CERTIFICATE_MALFORMED'
  | 'OCSP_MALFORMED'
  | 'CRL_MALFORMED'
  | 'PEM_MALFORMED'
  | 'DSSE_MALFORMED'
  | 'LOG_MALFORMED'
  | 'BUNDLE_MALFORMED'
  | 'COSIGN_MALFORMED'
  | 'CMS_MALFORMED'
  | 'TIMESTAMP_MALFORMED'
  | 'ATTRIBUTES_MALFORMED'
  | 'ALGORITHM_UNSUPPORTED';

/** Bytes that claim to be signed or a certificate and can't be read as such. */
export class EnvelopeError extends TaggedError<EnvelopeErrorCode> {}
