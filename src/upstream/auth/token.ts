import type { Clock } from '../../kernel/clock.ts';
import { isObject, type Json, readJson } from '../../kernel/json.ts';
import { readBody } from '../body.ts';
import { headerOf } from '../header.ts';
import type { Transport, WireAnswer, WireRequest } from '../http.ts';
import { discard } from '../redirect.ts';
import { answerLimits } from '../remote-options.ts';
import { parseRetryAfter } from '../retry-after.ts';
import { UpstreamError } from '../upstream-error.ts';
import { basicAuthorization, type Credential } from './credential.ts';

export interface TokenRequest {
  /** Checked by `checkRealm`. */
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly text: string;
  readonly lifeSeconds: number;
}

/** The default and the floor that clients agree on (distribution, token specification). */
const minLifeSeconds = 60;
const maxLifeSeconds = 24 * 3600;
const clientId = 'assay';
/** Answers of servers that know only the other kind of request (as containerd lists them). */
const otherKind = new Set([400, 401, 404, 405]);

/**
 * Fetches a token: by GET with Basic, or for an identity token by OAuth2's POST, each with the
 * other kind as a fallback. Never follows a redirect: it would carry the secret along.
 */
export async function fetchToken(
  request: TokenRequest,
  transport: Transport,
  clock: Clock,
  signal: AbortSignal,
): Promise<Token> {
  const { credential } = request;
  const get = getRequest(request);
  const post = credential === undefined ? undefined : postRequest(request, credential);
  const isIdentity = credential?.kind === 'identity-token';
  const [first, second] = isIdentity && post !== undefined ? [post, get] : [get, post];
  let answer = await transport.send(first, signal);
  const falls = isIdentity ? otherKind.has(answer.status) : answer.status === 405;
  if (second !== undefined && falls) {
    discard(answer);
    answer = await transport.send(second, signal);
  }
  if (answer.status !== 200) {
    discard(answer);
    throw refusal(answer, clock);
  }
  return readToken(readJson(await readBody(answer, answerLimits.tokenBytes)));
}

function getRequest({ realm, service, scope, credential }: TokenRequest): WireRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope);
  if (credential === undefined) return { method: 'GET', url };
  if (credential.username !== '') url.searchParams.set('account', credential.username);
  return { method: 'GET', url, authorization: basicAuthorization(credential, url.origin) };
}

/** RFC 6749, sections 4.3.2 and 6, with the parameters of distribution's OAuth2 specification. */
function postRequest({ realm, service, scope }: TokenRequest, credential: Credential): WireRequest {
  const form = new URLSearchParams({ client_id: clientId, scope });
  if (service !== undefined) form.set('service', service);
  if (credential.kind === 'identity-token') {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credential.secret);
  } else {
    form.set('grant_type', 'password');
    form.set('username', credential.username);
    form.set('password', credential.secret);
  }
  return { method: 'POST', url: realm, body: form.toString() };
}

function refusal(answer: WireAnswer, clock: Clock): UpstreamError {
  const { status, url } = answer;
  const where = `the token server ${url.host}`;
  if (status === 429) {
    const retryAfterSeconds = parseRetryAfter(headerOf(answer, 'retry-after'), clock.now());
    return new UpstreamError('UPSTREAM_RATE_LIMITED', `${where} answers 429`, {
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  if (status >= 300 && status < 400) {
    return new UpstreamError('UPSTREAM_LEADS_ASTRAY', `${where} redirects, which is not followed`);
  }
  const code = status >= 400 && status < 500 ? 'UPSTREAM_UNAUTHORIZED' : 'UPSTREAM_FAILED';
  return new UpstreamError(code, `${where} answers ${status}`);
}

function readToken(document: Json): Token {
  if (!isObject(document)) throw noToken();
  const { token, access_token: accessToken, expires_in: expiresIn } = document;
  const text = typeof token === 'string' && token !== '' ? token : accessToken;
  // RFC 6750, section 2.1: b64token, so that nothing of it ends the header.
  if (typeof text !== 'string' || !/^[A-Za-z0-9\-._~+/]+=*$/.test(text)) throw noToken();
  const stated = typeof expiresIn === 'number' ? expiresIn : minLifeSeconds;
  return { text, lifeSeconds: Math.min(Math.max(stated, minLifeSeconds), maxLifeSeconds) };
}

function noToken(): UpstreamError {
  return new UpstreamError('UPSTREAM_MISBEHAVED', 'the token server answers without a token');
}
