import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Answer, json, oci } from './fake-registry-answers.ts';

/** What a registry asks for before it answers. */
export type FakeAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** Without them anybody gets a token. */
      readonly username?: string;
      readonly password?: string;
      /** Where tokens come from; `/token` of the registry itself unless told. */
      readonly realm?: string;
      /** Lifetime stated with each token; 300 unless told. */
      readonly expiresInSeconds?: number;
      /** The member that holds the token; both names are in use. */
      readonly tokenMember?: 'token' | 'access_token';
    };

export interface Tokens {
  answer(request: IncomingMessage, asked: URL): Promise<Answer>;
  covers(token: string, scope: string): boolean;
  revoke(): void;
}

/** The token server (distribution's token authentication): GET with Basic, POST as OAuth 2. */
export function makeTokens(auth: FakeAuth | undefined): Tokens {
  const given = new Map<string, readonly string[]>();
  let count = 0;
  return {
    covers: (token, scope) => given.get(token)?.includes(scope) ?? false,
    revoke: () => given.clear(),
    async answer(request, asked) {
      if (auth?.kind !== 'bearer') return oci(404, 'NAME_UNKNOWN', 'no such page');
      const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : undefined;
      const isKnown =
        auth.username === undefined ||
        (form === undefined
          ? request.headers.authorization === basic(auth.username, auth.password ?? '')
          : isGranted(form, auth.username, auth.password ?? ''));
      if (!isKnown) return oci(401, 'UNAUTHORIZED', 'wrong user name or password');
      count += 1;
      const token = `token-${count}`;
      given.set(
        token,
        (form ?? asked.searchParams).getAll('scope').flatMap((s) => s.split(' ')),
      );
      const { tokenMember = 'token', expiresInSeconds = 300 } = auth;
      return json(200, { [tokenMember]: token, expires_in: expiresInSeconds });
    },
  };
}

function isGranted(form: URLSearchParams, username: string, password: string): boolean {
  if (form.get('grant_type') === 'refresh_token') return form.get('refresh_token') === password;
  return form.get('username') === username && form.get('password') === password;
}

/** The 401 for a request that shows no right to what it asks for; undefined where it does. */
export function checkAuth(
  auth: FakeAuth | undefined,
  tokens: Tokens,
  request: IncomingMessage,
  asked: URL,
  url: string,
): Answer | undefined {
  if (auth === undefined) return undefined;
  const { authorization = '' } = request.headers;
  if (auth.kind === 'basic') {
    if (authorization === basic(auth.username, auth.password)) return undefined;
    return unauthorized('Basic realm="fake"');
  }
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|referrers|tags)\//.exec(asked.pathname)?.[1];
  const scope = name === undefined ? undefined : `repository:${name}:pull`;
  const token = authorization.replace(/^Bearer /, '');
  if (scope === undefined ? token.startsWith('token-') : tokens.covers(token, scope)) {
    return undefined;
  }
  const realm = auth.realm ?? `${url}/token`;
  const wanted = scope === undefined ? '' : `,scope="${scope}"`;
  return unauthorized(`Bearer realm="${realm}",service="fake"${wanted}`);
}

function unauthorized(challenge: string): Answer {
  return oci(401, 'UNAUTHORIZED', 'authentication is needed', { 'www-authenticate': challenge });
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
