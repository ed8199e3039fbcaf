import { readCrlExtensions, type CrlExtensions } from './crl-extensions.ts';
import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readWholeBitString,
} from './der.ts';
import { readTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { isSameBytes } from './same-bytes.ts';
import type { X509Signature } from './x509-signature.ts';

/** The most that a list may weigh, in bytes: what notation reads. */
export const maxCrlBytes = 32 * 1024 * 1024;

/** A list of revoked certificates as read; nothing of it is believed before `checkCrl`. */
export interface Crl extends CrlExtensions {
  readonly byteLength: number;
  readonly signature: X509Signature;
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  /** The entries as they stand in the list, one after the other: see `findEntries`. */
  readonly entries: Uint8Array;
}

/**
 * Reads a list of revoked certificates (RFC 5280, section 5.1) but for its entries, in time that
 * does not depend on their number. Throws `EnvelopeError` for whatever is not exactly one, has a
 * critical extension that we do not know, or has more than `maxCrlBytes`. Says nothing about trust.
 */
export function readCrl(untrusted: Uint8Array): Crl {
  if (untrusted.length > maxCrlBytes) {
    throw malformed(`the revocation list is larger than ${maxCrlBytes} bytes`);
  }
  const [signed, algorithm, signature, ...rest] = expectChildren(
    readDer(untrusted),
    'the revocation list',
  );
  if (rest.length > 0) throw malformed('the revocation list goes on');
  const { bytes } = expectTag(signed, derTags.sequence, 'the signed revocation list');
  const outer = expectTag(algorithm, derTags.sequence, 'the algorithm of the revocation list');
  const [inner, ...fields] = withoutVersion(expectChildren(signed, 'the signed revocation list'));
  // RFC 5280, section 5.1.1.2: both name the same algorithm; only the inner one is signed.
  if (inner === undefined || !isSameBytes(inner.bytes, outer.bytes)) {
    throw malformed('the revocation list names two signature algorithms');
  }
  const what = 'the signature of the revocation list';
  return {
    byteLength: untrusted.length,
    signature: { signed: bytes, algorithm: outer, signature: readWholeBitString(signature, what) },
    ...readFields(fields),
  };
}

/** Version 2, or 1 by its absence (RFC 5280, section 5.1.2.1). */
function withoutVersion(fields: readonly DerElement[]): readonly DerElement[] {
  const [version] = fields;
  if (version?.tag !== derTags.integer) return fields;
  if (version.content.length === 1 && version.content[0] === 1) return fields.slice(1);
  throw malformed('the version of the revocation list is unknown');
}

function readFields([issuer, thisUpdate, ...optional]: readonly DerElement[]): Omit<
  Crl,
  'byteLength' | 'signature'
> {
  const rest = [...optional];
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === derTags.sequence ? rest.shift() : undefined;
  const extensions = rest[0]?.tag === 0xa0 ? rest.shift() : undefined;
  if (rest.length > 0) throw malformed('the revocation list has unknown fields');
  return {
    issuer: expectTag(issuer, derTags.sequence, 'the issuer of the revocation list').bytes,
    thisUpdate: readTime(thisUpdate, 'thisUpdate of the revocation list'),
    ...(nextUpdate !== undefined && {
      nextUpdate: readTime(nextUpdate, 'nextUpdate of the revocation list'),
    }),
    entries: entries?.content ?? new Uint8Array(),
    ...readCrlExtensions(extensions),
  };
}

function isTime(element: DerElement | undefined): boolean {
  return element?.tag === derTags.utcTime || element?.tag === derTags.generalizedTime;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CRL_MALFORMED', message);
}
