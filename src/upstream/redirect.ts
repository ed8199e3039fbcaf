import { quotedUrl } from '../kernel/quoted.ts';
import { headerOf } from './header.ts';
import type { Transport, WireAnswer, WireRequest } from './http.ts';
import { answerLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

const redirects = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return redirects.has(status);
}

/**
 * Sends a request and follows its redirects by hand, at most 5: the Authorization goes only to
 * the origin that it is for, and each hop is dialled through the same address checks as the
 * first. Resolves with the answer that is no redirect, whatever its status.
 */
export async function follow(
  transport: Transport,
  request: WireRequest,
  ownOrigin: string,
  signal: AbortSignal,
): Promise<WireAnswer> {
  let { url } = request;
  const { authorization } = request;
  for (let hop = 0; hop <= answerLimits.redirects; hop += 1) {
    const isOwn = authorization?.origin === url.origin;
    const sent = { ...request, url, authorization: isOwn ? authorization : undefined };
    const answer = await transport.send(sent, signal);
    if (!isRedirect(answer.status)) return answer;
    discard(answer);
    url = nextHop(url, headerOf(answer, 'location'), ownOrigin);
  }
  throw new UpstreamError(
    'UPSTREAM_LEADS_ASTRAY',
    `redirects more than ${answerLimits.redirects} times`,
  );
}

/**
 * Where a Location leads, relative to the URL that was asked (RFC 9110, section 10.2.2). https
 * only, but for plain http back to an origin that is configured so; no user information.
 */
export function nextHop(from: URL, location: string | undefined, ownOrigin: string): URL {
  const url = readLocation(from, location);
  if (url.protocol !== 'https:' && url.origin !== ownOrigin) {
    throw astray('redirects to what is not https', url.origin);
  }
  return url;
}

/** The same from plain http to plain http: what is fetched so is public, and signed. */
export function nextPlainHop(from: URL, location: string | undefined): URL {
  const url = readLocation(from, location);
  if (url.protocol !== 'http:') throw astray('redirects to what is not http', url.origin);
  return url;
}

/**
 * Where an upload goes on: credentials and content go there, so it is at the registry's own origin,
 * whoever answered.
 */
export function nextUploadStep(from: URL, location: string | undefined, ownOrigin: string): URL {
  const url = readLocation(from, location);
  if (url.origin !== ownOrigin) throw astray('leads an upload to another origin', url.origin);
  return url;
}

function readLocation(from: URL, location: string | undefined): URL {
  // A URL parser drops tabs and newlines and reads \ as /: what it would mend is refused.
  if (location === undefined || !/^[\x21-\x7e]+$/.test(location) || location.includes('\\')) {
    throw astray('redirects without a usable Location', location);
  }
  const url = URL.parse(location, from.href);
  if (url === null) throw astray('redirects to no URL', location);
  if (url.username !== '' || url.password !== '') {
    // Not quoted: it holds a secret of somebody.
    throw astray('redirects to a URL with user information', undefined);
  }
  url.hash = '';
  return url;
}

const discardMs = 10_000;

/**
 * Reads a short rest of a body so that the connection stays of use, or drops the connection. The
 * deadline of whoever asked may be over with the headers, so that this has one of its own.
 */
export function discard({ body }: Pick<WireAnswer, 'body'>, withinMs = discardMs): void {
  const signal = AbortSignal.timeout(withinMs);
  body.dump({ limit: 16 * 1024, signal }).catch(() => undefined);
}

function astray(what: string, where: string | undefined): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_LEADS_ASTRAY',
    where === undefined ? what : `${what}: ${quotedUrl(where)}`,
  );
}
