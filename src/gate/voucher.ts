import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import type { Closure, Parent, PartRole } from './closure.ts';
import { NotFoundError, UnavailableError } from './gate-error.ts';
import { mayBePartOfEvidence } from './evidence.ts';
import type { Roots } from './roots.ts';
import { mayBeServed } from './verdict-cache.ts';

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

/** An index of indexes, its image, its layer, and evidence about any of them. */
const maxDepth = 6;
/** Roots that are verified again at most for one request. */
const maxRenewals = 8;

interface Search {
  readonly repository: Repository;
  readonly seen: Set<Digest>;
  readonly refused: Verdict[];
  unclear: UnavailableError | undefined;
  /** Undefined: verdicts in force alone count. */
  readonly renew: { readonly waiting: AbortSignal; left: number } | undefined;
}

/**
 * Whether who vouches for a parent vouches for its part too. Evidence has no children, whatever it
 * lists: it was not evidence when its parts were noted, or the rule was another then.
 */
function reaches(voucher: Voucher, { role, part }: Parent): boolean {
  return !isForStatements(voucher) || (role === 'blob' && mayBePartOfEvidence(part));
}

/** A verdict that vouches for its own subject. */
export function rootVoucher(verdict: Verdict): Voucher {
  return { verdict, by: 'root', part: undefined, role: undefined, mustBeStatement: false };
}

/** One who can't be asked must not hide another who vouches. */
async function asked<T>(search: Search, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    search.unclear ??= error;
    return undefined;
  }
}

export function makeVouchers(dependencies: {
  readonly roots: Roots;
  readonly closure: Closure;
  readonly verifier: Verifier;
}): Vouchers {
  const { roots, closure, verifier } = dependencies;

  const verdictOf = async (search: Search, digest: Digest): Promise<Verdict | undefined> => {
    const { repository, renew } = search;
    const known = await roots.inForce(repository, digest);
    if (known !== undefined || renew === undefined || renew.left === 0) return known;
    if (!(await roots.wasRoot(repository, digest))) return undefined;
    renew.left -= 1;
    return roots.verify(repository, digest, renew.waiting).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
  };

  const find = async (
    search: Search,
    digest: Digest,
    kind: PartKind,
    depth: number,
  ): Promise<Voucher | undefined> => {
    if (depth > maxDepth || search.seen.has(digest)) return undefined;
    search.seen.add(digest);
    const own = await asked(search, verdictOf(search, digest));
    if (own !== undefined) {
      if (mayBeServed(own)) {
        return rootVoucher(own);
      }
      search.refused.push(own);
    }
    const scope = scopeOf(search.repository);
    const subject = await asked(search, closure.subjectOf(scope, digest));
    if (subject !== undefined) {
      const voucher = await find(search, subject, 'manifest', depth + 1);
      if (voucher !== undefined) return { ...rootVoucher(voucher.verdict), by: 'evidence' };
    }
    return asked(search, findParent(search, digest, kind, depth));
  };

  const findParent = async (
    search: Search,
    digest: Digest,
    kind: PartKind,
    depth: number,
  ): Promise<Voucher | undefined> => {
    const scope = scopeOf(search.repository);
    for await (const parent of closure.parentsOf(scope, digest)) {
      if (kind === 'manifest' && parent.role === 'blob') continue;
      const coversPlatforms = parent.role !== 'blob' && isCoveredAlone(search.repository, parent);
      if (coversPlatforms && parent.role === 'platform') continue;
      const voucher = await find(search, parent.digest, 'manifest', depth + 1);
      if (voucher === undefined || !reaches(voucher, parent)) continue;
      const mustBeStatement = voucher.mustBeStatement || coversPlatforms;
      return { ...voucher, part: parent.part, role: parent.role, mustBeStatement };
    }
    return undefined;
  };

  /** With `covers: platforms` an index does not vouch for its platform children. */
  const isCoveredAlone = (repository: Repository, parent: Parent): boolean => {
    const { rule } = verifier.governing(repository, parent.digest);
    return rule?.kind === 'require' && rule.covers === 'platforms';
  };

  const look = async (
    repository: Repository,
    digest: Digest,
    kind: PartKind,
    renew: Search['renew'],
  ): Promise<Vouching> => {
    const search: Search = { repository, seen: new Set(), refused: [], unclear: undefined, renew };
    const voucher = await find(search, digest, kind, 0);
    return { voucher, refused: search.refused, unclear: search.unclear };
  };

  return {
    inForce: (repository, digest, kind) => look(repository, digest, kind, undefined),
    renewed: (repository, digest, kind, waiting) =>
      look(repository, digest, kind, { waiting, left: maxRenewals }),
  };
}
