import type { Digest } from '../oci/digest.ts';

/** Something that is revoked here by hand, whatever its signatures say. Never changed in place. */
export interface Denial {
  /** Random, lower-case hex: two denials of the same thing are two. */
  readonly id: string;
  readonly target: DenyTarget;
  readonly reason: string;
  readonly owner: string;
  readonly addedAt: Date;
  /** From then on it is as if absent; undefined: until it is removed. */
  readonly until?: Date;
  /** The epoch of the list that it came with. */
  readonly epoch: number;
  /** It was taken back. What is merely absent was not: it was lost. */
  readonly removed?: { readonly epoch: number; readonly at: Date };
}

export type DenyTarget =
  /** A manifest or a blob, with what only it vouches for; a signature, which counts for nothing then. */
  | { readonly kind: 'digest'; readonly digest: Digest }
  /** SHA-256 of a public key's SPKI DER or of a certificate's DER, lower-case hex. */
  | { readonly kind: 'key'; readonly fingerprint: string }
  | { readonly kind: 'identity'; readonly identity: DeniedIdentity }
  /** As policies name it, such as `docker.io/library/nginx`. */
  | { readonly kind: 'repository'; readonly repository: string };

/** A certificate's subject, its issuer, or both together; each compared exactly. */
export type DeniedIdentity =
  | { readonly subject: string; readonly issuer?: string }
  | { readonly subject?: never; readonly issuer: string };

export const denyKinds = ['digest', 'key', 'identity', 'repository'] as const;

/** What is to be denied, and on whose word. */
export type DenialWish = Pick<Denial, 'target' | 'reason' | 'owner' | 'until'>;

/** One text for logs, messages and lists. */
export function describeTarget(target: DenyTarget): string {
  if (target.kind === 'digest') return target.digest;
  if (target.kind === 'key') return `key ${target.fingerprint}`;
  if (target.kind === 'repository') return `repository ${target.repository}`;
  const { subject, issuer } = target.identity;
  const texts = [subject, issuer === undefined ? undefined : `issued by ${issuer}`];
  return `identity ${texts.filter((text) => text !== undefined).join(', ')}`;
}

/** For a `because`: what is denied, why, and by whom. */
export function describeDenial({ target, reason, owner }: Denial): string {
  return `${describeTarget(target)} is on the deny list: ${reason} (${owner})`;
}

/** One entry in words, for lists and for the admin API. */
export interface ListedDenial {
  readonly id: string;
  readonly kind: string;
  readonly what: string;
  readonly reason: string;
  readonly owner: string;
  /** RFC 3339, like `until`. */
  readonly addedAt: string;
  readonly until?: string;
  readonly epoch: number;
}

export function toListed({
  id,
  target,
  reason,
  owner,
  addedAt,
  until,
  epoch,
}: Denial): ListedDenial {
  return {
    id,
    kind: target.kind,
    what: describeTarget(target),
    reason,
    owner,
    addedAt: addedAt.toISOString(),
    ...(until !== undefined && { until: until.toISOString() }),
    epoch,
  };
}
