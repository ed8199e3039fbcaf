import { type DerElement, expectChildren, expectTag } from './der.ts';
import { readGeneralizedTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensionList } from './extensions.ts';
import { readReason, readRevocationDetails, type RevocationDetails } from './revocation-reason.ts';
import type { Extension } from './x509.ts';

/** What a responder says of one certificate (RFC 6960, section 4.2.1). */
export interface SingleResponse {
  /** A `CertID`. */
  readonly certificate: DerElement;
  readonly status: OcspStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
}

export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  | ({ readonly kind: 'revoked'; readonly revokedAt: Date } & RevocationDetails);

export function readSingleResponse(element: DerElement): SingleResponse {
  const [certificate, status, thisUpdate, ...optional] = expectChildren(element, 'an answer');
  const [nextUpdate, extensions] = splitOptional(optional);
  const details = readRevocationDetails(extensions);
  return {
    certificate: expectTag(certificate, 0x30, 'the certificate of an answer'),
    status: readStatus(status, details),
    thisUpdate: readGeneralizedTime(thisUpdate, 'thisUpdate of an answer'),
    ...(nextUpdate !== undefined && {
      nextUpdate: readGeneralizedTime(nextUpdate, 'nextUpdate of an answer'),
    }),
  };
}

function splitOptional(
  optional: readonly DerElement[],
): readonly [DerElement | undefined, ReadonlyMap<string, Extension>] {
  const rest = [...optional];
  const next = rest[0]?.tag === 0xa0 ? onlyChild(rest.shift(), 0xa0) : undefined;
  const list = rest[0]?.tag === 0xa1 ? onlyChild(rest.shift(), 0xa1) : undefined;
  if (rest.length > 0) throw malformed('an answer has unknown fields');
  return [next, list === undefined ? new Map() : readExtensionList(list)];
}

/** `[0]` and `[2]` are an implicit NULL, `[1]` an implicit RevokedInfo. */
function readStatus(element: DerElement | undefined, details: RevocationDetails): OcspStatus {
  if (element?.tag === 0x80 && element.content.length === 0) return { kind: 'good' };
  if (element?.tag === 0x82 && element.content.length === 0) return { kind: 'unknown' };
  const [time, reason, ...rest] = expectChildren(element, 'the status of an answer', 0xa1);
  if (rest.length > 0) throw malformed('the status of an answer goes on');
  return {
    kind: 'revoked',
    revokedAt: readGeneralizedTime(time, 'the time of a revocation'),
    ...details,
    ...(reason !== undefined && { reason: readReason(onlyChild(reason, 0xa0)) }),
  };
}

function onlyChild(wrapper: DerElement | undefined, tag: number): DerElement {
  const [child, ...rest] = expectChildren(wrapper, 'a field of an answer', tag);
  if (child === undefined || rest.length > 0) throw malformed('a field of an answer is malformed');
  return child;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('OCSP_MALFORMED', message);
}
