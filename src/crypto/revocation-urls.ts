import {
  childrenOf,
  type DerElement,
  expectChildren,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
import type { Extension } from './x509.ts';

type Value = Pick<Extension, 'value'>;

const ocsp = '1.3.6.1.5.5.7.48.1';
const maxSources = 64;
// GeneralName (RFC 5280, section 4.2.1.6); `[6]` is the URL.
const generalNames = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];
const urlTag = 0x86;

/**
 * What stands for a source without a URL. A source that can't be fetched is still a source: without
 * it the certificate would seem to have no revocation at all.
 */
export const noUrl = 'unsupported:no-url';

/** The OCSP responders that `AuthorityInfoAccess` names (RFC 5280, section 4.2.2.1). */
export function readOcspUrls({ value }: Value): readonly string[] {
  const what = 'the access to information about the issuer';
  return bounded(expectChildren(readDer(value), what)).flatMap((access) => {
    const [method, location, ...rest] = expectChildren(access, what);
    const oid = readObjectIdentifier(method, what);
    const url = toUrl(location);
    if (rest.length > 0) throw malformed(`${what} goes on`);
    return oid === ocsp ? [url] : [];
  });
}

/** Of `CRLDistributionPoints`, which `FreshestCRL` is too (RFC 5280, section 4.2.1.15). */
export function readCrlUrls({ value }: Value): readonly string[] {
  const points = expectChildren(readDer(value), 'the distribution points');
  return bounded(bounded(points).flatMap(urlsOf));
}

/** Each at most once, in this order: the name, the reasons, the issuer. */
const pointFields: readonly number[] = [0xa0, 0x81, 0xa2];

function urlsOf(point: DerElement): readonly string[] {
  const fields = expectChildren(point, 'a distribution point');
  let next = 0;
  for (const { tag } of fields) {
    const place = pointFields.indexOf(tag, next);
    if (place < 0) throw malformed('a distribution point has unknown fields');
    next = place + 1;
  }
  const [name] = fields;
  return name?.tag === 0xa0 ? namesOf(name) : [noUrl];
}

/** `DistributionPointName`: full names, or one that is relative to the issuer's. */
function namesOf(element: DerElement): readonly string[] {
  const [name, ...rest] = childrenOf(element);
  if (rest.length > 0) throw malformed('a distribution point has more than one name');
  if (name?.tag === 0xa1) return [noUrl];
  const names = expectChildren(name, 'the name of a distribution point', 0xa0).map(toUrl);
  return names.length === 0 ? [noUrl] : names;
}

function toUrl(name: DerElement | undefined): string {
  if (name === undefined || !generalNames.includes(name.tag)) {
    throw malformed('a source of revocation data has no name');
  }
  if (name.tag !== urlTag) return noUrl;
  if (name.content.some((byte) => byte > 0x7f)) throw malformed('a URL is not of ASCII');
  return Buffer.from(name.content).toString('latin1');
}

function bounded<T>(sources: readonly T[]): readonly T[] {
  if (sources.length > maxSources) {
    throw malformed(`more than ${maxSources} sources of revocation data are named`);
  }
  return sources;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
