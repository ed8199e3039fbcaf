import { parseDigest } from '../oci/digest.ts';
import { parseRepositoryPath } from '../oci/repository.ts';
import type { DenialWish, DenyTarget } from './denial.ts';

/** What a person wrote, as text; undefined: nothing. */
export interface WrittenDenial {
  readonly digest?: string | undefined;
  readonly key?: string | undefined;
  /** The subject of an identity. */
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly repository?: string | undefined;
  readonly reason?: string | undefined;
  readonly owner?: string | undefined;
  readonly until?: string | undefined;
}

export type WrittenTarget = Omit<WrittenDenial, 'reason' | 'owner' | 'until'>;

/** A wish, or a sentence on what is wrong with it. */
export type ReadWish<T> = { readonly wish: T } | { readonly problem: string };

const maxIdentityLength = 2048;
const maxWordsLength = 500;
// Letters and all other signs that a line shows; no control, format or unassigned characters.
const line = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** What the reader of wishes is given. */
export interface WishTimes {
  readonly now: Date;
  /** RFC 3339; undefined for anything else. */
  readonly parse: (text: string) => Date | undefined;
}

export function readDenialWish(written: WrittenDenial, times: WishTimes): ReadWish<DenialWish> {
  const read = readDenyTarget(written);
  if ('problem' in read) return read;
  const { reason, owner, until } = written;
  if (!isLine(reason, maxWordsLength)) return { problem: `reason ${oneLine(maxWordsLength)}` };
  if (!isLine(owner, maxWordsLength)) return { problem: `owner ${oneLine(maxWordsLength)}` };
  if (until === undefined) return { wish: { target: read.wish, reason, owner } };
  const end = times.parse(until);
  if (end === undefined) return { problem: 'until must be a time such as 2030-01-31T00:00:00Z' };
  if (end <= times.now) return { problem: 'until is in the past: it would deny nothing' };
  return { wish: { target: read.wish, reason, owner, until: end } };
}

/** Exactly one thing; an identity may have a subject and an issuer. */
export function readDenyTarget(written: WrittenTarget): ReadWish<DenyTarget> {
  const { digest, key, identity, issuer, repository } = written;
  const hasIdentity = identity !== undefined || issuer !== undefined;
  const named = [digest !== undefined, key !== undefined, hasIdentity, repository !== undefined];
  if (named.filter(Boolean).length !== 1) {
    return { problem: 'name one thing: a digest, a key, an identity or a repository' };
  }
  if (digest !== undefined) return readDigestTarget(digest);
  if (key !== undefined) return readKeyTarget(key);
  if (repository !== undefined) return readRepositoryTarget(repository);
  return readIdentityTarget(identity, issuer);
}

function readDigestTarget(text: string): ReadWish<DenyTarget> {
  const digest = parseDigest(text);
  if (digest === undefined) return { problem: 'digest must be a digest such as sha256:…' };
  return { wish: { kind: 'digest', digest } };
}

/** As OpenSSL (`AA:BB:…`), cosign and Assay itself print it. */
function readKeyTarget(text: string): ReadWish<DenyTarget> {
  const hex = text.replace(/^sha256:/i, '').replaceAll(':', '');
  const fingerprint = hex.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    return { problem: 'key must be the SHA-256 of a public key or certificate: 64 hex digits' };
  }
  return { wish: { kind: 'key', fingerprint } };
}

function readRepositoryTarget(repository: string): ReadWish<DenyTarget> {
  const [upstream = '', ...rest] = repository.split('/');
  const isPath = rest.length > 0 && parseRepositoryPath(rest.join('/')) !== undefined;
  if (!isPath || !isLine(upstream, 255)) {
    return { problem: 'repository must be a whole name such as docker.io/library/nginx' };
  }
  return { wish: { kind: 'repository', repository } };
}

function readIdentityTarget(
  subject: string | undefined,
  issuer: string | undefined,
): ReadWish<DenyTarget> {
  for (const [name, text] of Object.entries({ identity: subject, issuer })) {
    if (text !== undefined && !isLine(text, maxIdentityLength)) {
      return { problem: `${name} ${oneLine(maxIdentityLength)}` };
    }
  }
  if (subject !== undefined) {
    const identity = { subject, ...(issuer !== undefined && { issuer }) };
    return { wish: { kind: 'identity', identity } };
  }
  if (issuer === undefined) throw new TypeError('an identity of nothing');
  return { wish: { kind: 'identity', identity: { issuer } } };
}

function isLine(text: string | undefined, maxLength: number): text is string {
  return text !== undefined && text.length <= maxLength && line.test(text) && text.trim() !== '';
}

function oneLine(maxLength: number): string {
  return `must be one line of 1 to ${maxLength} characters`;
}
