import { createHash } from 'node:crypto';

/** The algorithm and hex hash that name exact bytes, such as `sha256:…`. */
export type Digest = string & { readonly [digest]: true };
declare const digest: unique symbol;

const registered = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** Only the algorithms that image-spec registers and that we can compute (descriptor.md, Digests). */
export function isDigest(text: string): text is Digest {
  return registered.test(text);
}

export function parseDigest(text: string): Digest | undefined {
  return isDigest(text) ? text : undefined;
}

export type DigestAlgorithm = 'sha256' | 'sha512';

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hash without the algorithm's name: safe as a file name. */
export function encodedOf(digest: Digest): string {
  return digest.slice(algorithmOf(digest).length + 1);
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** The digest of the same bytes by the other algorithm: both name one content. */
export function otherDigestOf(bytes: Uint8Array, known: Digest): Digest {
  return digestOf(bytes, algorithmOf(known) === 'sha256' ? 'sha512' : 'sha256');
}

export function matchesDigest(bytes: Uint8Array, expected: Digest): boolean {
  return digestOf(bytes, algorithmOf(expected)) === expected;
}

/**
 * The tag under which a registry without the referrers API keeps a digest's referrers
 * (distribution-spec, Referrers Tag Schema): algorithm cut to 32, hash cut to 64 characters.
 */
export function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest).slice(0, 32)}-${encodedOf(digest).slice(0, 64)}`;
}
