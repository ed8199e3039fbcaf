import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import type { Closure, Parent, ReadAhead } from './closure.ts';
import type { DeniedContent } from './denied-content.ts';
import { mayBePartOfEvidence } from './evidence.ts';
import { NotFoundError, UnavailableError } from './gate-error.ts';
import type { Roots } from './roots.ts';
import type { SealedState } from './sealed.ts';
import { trailOf } from './trails.ts';
import { mayBeServed } from './verdict-cache.ts';
import {
  evidenceVoucher,
  isForStatements,
  type PartKind,
  rootVoucher,
  type Voucher,
  type Vouchers,
  type Vouching,
} from './voucher.ts';

/** An index of indexes, its image, its layer, and evidence about any of them. */
const maxDepth = 6;
/** Roots that are verified again at most for one request. */
const maxRenewals = 8;

interface VoucherDependencies {
  readonly roots: Roots;
  readonly closure: Closure;
  readonly state: Pick<SealedState, 'along'>;
  readonly verifier: Verifier;
  readonly denied: DeniedContent;
}

interface Search extends VoucherDependencies {
  readonly repository: Repository;
  readonly seen: Set<Digest>;
  readonly refused: Verdict[];
  unclear: UnavailableError | undefined;
  /** Undefined: verdicts in force alone count. */
  readonly renew: { readonly waiting: AbortSignal; left: number } | undefined;
}

/** Looks for who vouches: the digest's own verdict, what it is evidence about, what lists it. */
export function makeVouchers(dependencies: VoucherDependencies): Vouchers {
  const look = async (
    repository: Repository,
    digest: Digest,
    kind: PartKind,
    renew: Search['renew'],
  ): Promise<Vouching> => {
    const found = { seen: new Set<Digest>(), refused: [], unclear: undefined };
    const search: Search = { ...dependencies, ...found, repository, renew };
    const work = (): Promise<Voucher | undefined> => find(search, digest, kind, 0);
    // What must be read is read in one turn, as far as it can be foreseen.
    const isAtHand = dependencies.roots.isAtHand(repository, digest);
    const voucher = await (isAtHand || renew !== undefined
      ? work()
      : dependencies.state.along(trailOf(repository, { digest }), work));
    return { voucher, refused: search.refused, unclear: search.unclear };
  };
  return {
    inForce: (repository, digest, kind) => look(repository, digest, kind, undefined),
    renewed: (repository, digest, kind, waiting) =>
      look(repository, digest, kind, { waiting, left: maxRenewals }),
  };
}

async function verdictOf(search: Search, digest: Digest): Promise<Verdict | undefined> {
  const { roots, repository, renew } = search;
  const known = await roots.inForce(repository, digest);
  if (known !== undefined || renew === undefined || renew.left === 0) return known;
  if (!(await roots.wasRoot(repository, digest))) return undefined;
  renew.left -= 1;
  return roots.verify(repository, digest, renew.waiting).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
}

async function find(
  search: Search,
  digest: Digest,
  kind: PartKind,
  depth: number,
): Promise<Voucher | undefined> {
  if (depth > maxDepth || search.seen.has(digest)) return undefined;
  search.seen.add(digest);
  const denied = search.denied.verdictOn(search.repository, digest);
  if (denied !== undefined) {
    // It vouches for nothing, and nobody for it.
    search.refused.push(denied);
    return undefined;
  }
  const { roots, closure, repository } = search;
  const scope = scopeOf(repository);
  // Where the verdict must be read, so must what comes after it: all in one round trip.
  const isAtHand = roots.isAtHand(repository, digest);
  const ahead = isAtHand ? undefined : closure.readAhead(scope, digest);
  const own = await asked(search, verdictOf(search, digest));
  if (own !== undefined) {
    if (mayBeServed(own)) return rootVoucher(own);
    search.refused.push(own);
  }
  const subject = await asked(search, closure.subjectOf(scope, digest, ahead));
  if (subject !== undefined) {
    const voucher = await find(search, subject, 'manifest', depth + 1);
    if (voucher !== undefined)
      return evidenceVoucher(voucher.verdict, [...voucher.through, digest]);
  }
  return asked(search, findParent(search, digest, kind, depth, ahead));
}

async function findParent(
  search: Search,
  digest: Digest,
  kind: PartKind,
  depth: number,
  ahead: ReadAhead | undefined,
): Promise<Voucher | undefined> {
  const scope = scopeOf(search.repository);
  for await (const parent of search.closure.parentsOf(scope, digest, ahead)) {
    if (kind === 'manifest' && parent.role === 'blob') continue;
    const coversPlatforms = parent.role !== 'blob' && isCoveredAlone(search, parent);
    if (coversPlatforms && parent.role === 'platform') continue;
    const voucher = await find(search, parent.digest, 'manifest', depth + 1);
    if (voucher === undefined || !reaches(voucher, parent)) continue;
    const mustBeStatement = voucher.mustBeStatement || coversPlatforms;
    const through = [...voucher.through, digest];
    return { ...voucher, part: parent.part, role: parent.role, mustBeStatement, through };
  }
  return undefined;
}

/** With `covers: platforms` an index does not vouch for its platform children. */
function isCoveredAlone({ verifier, repository }: Search, parent: Parent): boolean {
  const { rule } = verifier.governing(repository, parent.digest);
  return rule?.kind === 'require' && rule.covers === 'platforms';
}

/**
 * Whether who vouches for a parent vouches for its part too. Evidence has no children, whatever it
 * lists: it was not evidence when its parts were noted, or the rule was another then.
 */
function reaches(voucher: Voucher, { role, part }: Parent): boolean {
  return !isForStatements(voucher) || (role === 'blob' && mayBePartOfEvidence(part));
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
