import { createHash } from 'node:crypto';
import type { Authorization } from '../http.ts';

/** What we log in with. */
export interface Credential {
  /** `identity-token`: a refresh token, which OAuth2's POST takes. */
  readonly kind: 'password' | 'identity-token';
  /** May be empty for an identity token. */
  readonly username: string;
  readonly secret: string;
}

/** Names a credential in a cache's key without holding it. */
export function credentialId(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  const parts = [credential.kind, credential.username, credential.secret];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** RFC 7617, as UTF-8; bound to the one origin that may see it. */
export function basicAuthorization(credential: Credential, origin: string): Authorization {
  const pair = Buffer.from(`${credential.username}:${credential.secret}`).toString('base64');
  return { origin, value: `Basic ${pair}` };
}
