import { type DerElement, expectTag, readDer } from './der.ts';
import { readGeneralizedTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import type { Extension } from './x509.ts';

const enumerated = 0x0a;

/** RFC 5280, section 5.3.1, by number; 7 is not used. */
const names: readonly (string | undefined)[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
];

/** RFC 5280, section 5.3.1: those that say nothing of the key or of its holder's right till then. */
const harmless: readonly (string | undefined)[] = [
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
];

export function isHarmlessReason(reason: string | undefined): boolean {
  return harmless.includes(reason);
}

const reasonCodeOid = '2.5.29.21';
const invalidityDateOid = '2.5.29.24';

/** What a list or a responder says of a revoked certificate beside the fact. */
export interface RevocationDetails {
  readonly reason?: string;
  readonly invalidityDate?: Date;
}

/** A `CRLReason`. Throws `EnvelopeError` for a number without a meaning. */
export function readReason(element: DerElement | undefined): string {
  const { content } = expectTag(element, enumerated, 'the reason of a revocation');
  const name = content.length === 1 ? names[content[0] ?? -1] : undefined;
  if (name !== undefined) return name;
  throw new EnvelopeError('CRL_MALFORMED', 'the reason of a revocation is unknown');
}

/**
 * The two extensions of an entry that we know (RFC 5280, sections 5.3.1 and 5.3.2); throws
 * `EnvelopeError` for another one that is critical.
 */
export function readRevocationDetails(
  extensions: ReadonlyMap<string, Extension>,
): RevocationDetails {
  for (const [oid, { critical }] of extensions) {
    if (critical && oid !== reasonCodeOid && oid !== invalidityDateOid) {
      throw new EnvelopeError('CRL_MALFORMED', `a revocation has the critical extension ${oid}`);
    }
  }
  const reason = extensions.get(reasonCodeOid);
  const date = extensions.get(invalidityDateOid);
  return {
    ...(reason !== undefined && { reason: readReason(readDer(reason.value)) }),
    ...(date !== undefined && {
      invalidityDate: readGeneralizedTime(readDer(date.value), 'an invalidity date'),
    }),
  };
}
