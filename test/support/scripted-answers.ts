import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Script, SeenRequest, Step } from './scripted-upstream.ts';

/** The answers that upstreams give, good and bad, as steps of a script. */

export function manifestAnswer(
  bytes: string | Uint8Array,
  mediaType: string = mediaTypes.ociManifest,
): Step {
  const body = Buffer.from(bytes);
  return {
    headers: { 'content-type': mediaType, 'docker-content-digest': digestOf(body) },
    body,
  };
}

export function indexAnswer(manifests: readonly object[]): Step {
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return manifestAnswer(JSON.stringify(document), mediaTypes.ociIndex);
}

export function jsonAnswer(document: unknown, headers: Step['headers'] = {}): Step {
  return {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(document),
  };
}

/** What a captive portal or a broken proxy answers, with the digest that was asked for. */
export function htmlPage(digest?: string): Step {
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      ...(digest !== undefined && { 'docker-content-digest': digest }),
    },
    body: '<html><body>please log in</body></html>',
  };
}

export function gzipped(step: Step): Step {
  return {
    ...step,
    headers: { ...step.headers, 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.from(step.body ?? '')),
  };
}

export function redirectTo(location: string, status = 307): Step {
  return { status, headers: { location } };
}

export function unauthorized(challenge: string): Step {
  return { status: 401, headers: { 'www-authenticate': challenge } };
}

export function bearerChallenge(realm: string, scope: string, service = 'registry'): string {
  return `Bearer realm="${realm}",service="${service}",scope="${scope}"`;
}

export function tooManyRequests(retryAfter?: string): Step {
  return { status: 429, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } };
}

/** Pages that each say that there is another one. */
export function endlessPages(makeBody: (page: number) => unknown, type: string): Script {
  let page = 0;
  return (request: SeenRequest) => {
    page += 1;
    return {
      headers: { 'content-type': type, link: `<${request.path}?page=${page}>; rel="next"` },
      body: JSON.stringify(makeBody(page)),
    };
  };
}

/** Lets a request through only with this Authorization header; otherwise the challenge. */
export function behind(authorization: string, challenge: string, step: Script): Script {
  return (request) => {
    if (request.headers.authorization !== authorization) return unauthorized(challenge);
    return typeof step === 'function' ? step(request) : step;
  };
}
