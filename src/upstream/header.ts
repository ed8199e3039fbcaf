import { quoted } from '../kernel/quoted.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { isMediaType } from '../oci/descriptor.ts';
import type { WireAnswer } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

type Answer = Pick<WireAnswer, 'headers'>;

/** A header that may stand once. Two different values would be read apart: refused. */
export function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  if (!Array.isArray(value)) return value;
  if (new Set(value).size === 1) return value[0];
  throw new UpstreamError('UPSTREAM_MISBEHAVED', `the answer has several ${name} headers`);
}

/** All values of a header that is a list (RFC 9110, section 5.3). */
export function listHeaderOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The media type in lower case without parameters; undefined where there is none to be read. */
export function contentTypeOf(answer: Answer): string | undefined {
  const mediaType = headerOf(answer, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType !== undefined && isMediaType(mediaType) ? mediaType : undefined;
}

/** Bytes, or undefined where the answer does not say. */
export function contentLengthOf(answer: Answer): number | undefined {
  const text = headerOf(answer, 'content-length');
  if (text === undefined) return undefined;
  const length = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(length)) return length;
  throw new UpstreamError('UPSTREAM_MISBEHAVED', `Content-Length is ${quoted(text)}`);
}

/** Upstream's claim, which only the bytes can prove; undefined where there is no valid one. */
export function claimedDigestOf(answer: Answer): Digest | undefined {
  const text = headerOf(answer, 'docker-content-digest');
  return text !== undefined && isDigest(text) ? text : undefined;
}
