import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { PartRole } from './closure.ts';
import type { UnavailableError } from './gate-error.ts';

/** Why a digest may be served in a repository. */
export interface Voucher {
  readonly verdict: Verdict;
  readonly by: 'root' | 'evidence';
  /** What the vouching parent's bytes say of the digest; undefined for a root itself. */
  readonly part: Pick<Descriptor, 'mediaType' | 'digest' | 'size'> | undefined;
  /** What the digest is in that parent; undefined for a root itself. */
  readonly role: PartRole | undefined;
  /**
   * The vouching index covers platforms, and lists the digest, or what lists it, as an attestation
   * only.
   */
  readonly mustBeStatement: boolean;
  /** Each of the digests by which it was found, the root first: none of them may be denied. */
  readonly through: readonly Digest[];
}

/** Whether it vouches for words about an artifact alone, and for nothing that could be run. */
export function isForStatements({ by, mustBeStatement }: Voucher): boolean {
  return by === 'evidence' || mustBeStatement;
}

/** The outcome of looking for somebody who vouches. */
export interface Vouching {
  readonly voucher: Voucher | undefined;
  /** Verdicts of roots that would have vouched, had they been trusted. */
  readonly refused: readonly Verdict[];
  /** Somebody may vouch whom we could not ask: without a voucher this is no denial. */
  readonly unclear: UnavailableError | undefined;
}

/** `manifest`: only what an index lists as a child counts; `any`: blobs count too. */
export type PartKind = 'manifest' | 'any';

export interface Vouchers {
  /** By verdicts in force alone: no upstream is asked. */
  inForce(repository: Repository, digest: Digest, kind: PartKind): Promise<Vouching>;
  /** The same, verifying roots again whose verdicts have ended. */
  renewed(
    repository: Repository,
    digest: Digest,
    kind: PartKind,
    waiting: AbortSignal,
  ): Promise<Vouching>;
}

/** A verdict that vouches for its own subject. */
export function rootVoucher(verdict: Verdict): Voucher {
  const through = verdict.subject === undefined ? [] : [verdict.subject];
  return { verdict, by: 'root', part: undefined, role: undefined, mustBeStatement: false, through };
}

/** A verdict on what the evidence speaks about, found by the digests that are named. */
export function evidenceVoucher(verdict: Verdict, through: readonly Digest[]): Voucher {
  return { ...rootVoucher(verdict), by: 'evidence', through };
}
