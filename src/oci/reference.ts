import { type Digest, isDigest } from './digest.ts';

/** A tag or a digest in a repository; pinned once it is a digest. */
export type Reference = { readonly digest: Digest } | { readonly tag: Tag };

/** A name in a repository that may point to another manifest tomorrow. */
export type Tag = string & { readonly [tag]: true };
declare const tag: unique symbol;

// distribution-spec, Pulling Manifests: <reference> as a tag.
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

export function parseTag(text: string): Tag | undefined {
  return tagPattern.test(text) ? (text as Tag) : undefined;
}

export function parseReference(text: string): Reference | undefined {
  if (isDigest(text)) return { digest: text };
  const parsed = parseTag(text);
  return parsed === undefined ? undefined : { tag: parsed };
}

/** `:tag` or `@digest`, as a reference is written behind a repository. */
export function referenceSuffix(reference: Reference): string {
  return 'tag' in reference ? `:${reference.tag}` : `@${reference.digest}`;
}
