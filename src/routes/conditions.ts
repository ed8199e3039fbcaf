import type { IncomingHttpHeaders } from 'node:http';
import type { Digest } from '../oci/digest.ts';

/** The strong validator of content that a digest names. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/**
 * What the request's preconditions ask for (RFC 9110, 13.2.2). Those with a date are ignored,
 * since no answer has a `Last-Modified`.
 */
export function checkConditions(
  headers: IncomingHttpHeaders,
  etag: string,
): 'send' | 'not-modified' | 'failed' {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !lists(ifMatch, etag, 'strong')) return 'failed';
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && lists(ifNoneMatch, etag, 'weak')) return 'not-modified';
  return 'send';
}

/** RFC 9110, 13.1.5: a range is answered only for the very content that `If-Range` names. */
export function allowsRange(headers: IncomingHttpHeaders, etag: string): boolean {
  const ifRange = headers['if-range'];
  return ifRange === undefined || ifRange === etag;
}

/** RFC 9110, 8.8.3.2: a weak tag is never the same by strong comparison. */
function lists(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((item) => {
    const tag = item.trim();
    return tag === etag || (comparison === 'weak' && tag === `W/${etag}`);
  });
}
