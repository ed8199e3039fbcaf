import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Tag } from '../oci/reference.ts';
import type { Reason } from '../verdict/reason.ts';
import { noRuleFor, refusal } from '../verdict/refusal.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { refuse } from './admission.ts';
import type { Closure } from './closure.ts';
import { NotFoundError, UnavailableError } from './gate-error.ts';
import { hasOnlyStatements, isEvidence, mayNameEvidence, subjectOfEvidence } from './evidence.ts';
import type { ReadManifest } from './manifest-reader.ts';
import type { Pins } from './pin.ts';
import type { Roots } from './roots.ts';
import type { SealedState } from './sealed.ts';
import { mayBeServed, type VerdictCache } from './verdict-cache.ts';
import {
  evidenceVoucher,
  rootVoucher,
  type Voucher,
  type Vouchers,
  type Vouching,
} from './voucher.ts';

/** The decision about a manifest: who vouches for it, or the error that says why nobody does. */
export interface Decisions {
  /** Throws `DeniedError` or `UnavailableError`. */
  onManifest(
    repository: Repository,
    read: ReadManifest,
    tag: Tag | undefined,
    waiting: AbortSignal,
  ): Promise<Voucher>;
  /** A denial that rests on no signature, remembered under an id like any verdict. */
  deny(repository: Repository, digest: Digest, reason: Reason, because: string): Promise<never>;
  /** Throws `DeniedError` where no rule could admit anything: then no upstream is asked either. */
  assertRuleIn(repository: Repository): void;
}

interface DecisionDependencies {
  readonly roots: Roots;
  readonly vouchers: Vouchers;
  readonly closure: Closure;
  readonly pins: Pins;
  readonly verdicts: VerdictCache;
  readonly verifier: Verifier;
  readonly state: Pick<SealedState, 'isWhole'>;
  readonly clock: Clock;
}

export function makeDecisions(dependencies: DecisionDependencies): Decisions {
  const { verdicts, verifier, clock } = dependencies;
  const refuseWith = (of: Parameters<typeof refusal>[0]): never => {
    const verdict = refusal(of, clock.now());
    verdicts.note(verdict);
    return refuse([verdict]);
  };
  return {
    async deny(repository, digest, reason, because) {
      if (reason === 'not-reachable') await assertWhole(dependencies.state);
      return refuseWith({ scope: scopeOf(repository), subject: digest, reason, because });
    },
    assertRuleIn(repository) {
      if (!verifier.hasRuleIn(repository)) refuseWith(noRuleFor(scopeOf(repository)));
    },
    async onManifest(repository, read, tag, waiting) {
      const found = await findVoucher(repository, read, tag, dependencies, waiting);
      if ('voucher' in found) return found.voucher;
      const { own, renewed } = found;
      if (renewed.unclear !== undefined) throw renewed.unclear;
      const isPart = own.reason === 'unsigned';
      const parents = renewed.refused.filter(({ subject }) => subject !== own.subject);
      const [parent, ...others] = parents;
      if (parent !== undefined && isPart) return refuse([parent, ...others, own]);
      if (isPart && !isKnownRoot(repository, read, dependencies.pins)) {
        await assertWhole(dependencies.state);
        const because = 'it is unsigned, and no verified index that lists it is known';
        const scope = scopeOf(repository);
        return refuseWith({ scope, subject: own.subject, reason: 'not-reachable', because });
      }
      return refuse([own]);
    },
  };
}

/** What vouches for it may just have been lost, and is put back: then nobody can say yet. */
async function assertWhole(state: Pick<SealedState, 'isWhole'>): Promise<void> {
  if (await state.isWhole()) return;
  throw new UnavailableError('UNAVAILABLE', 'the state that replicas share is not whole yet');
}

type Found =
  | { readonly voucher: Voucher }
  /** Its own verdict, which is no ground to serve it, and what was found beside it. */
  | { readonly own: Verdict; readonly renewed: Vouching };

/** What costs least first: verdicts in force, then renewed ones, then a verification of its own. */
async function findVoucher(
  repository: Repository,
  read: ReadManifest,
  tag: Tag | undefined,
  dependencies: DecisionDependencies,
  waiting: AbortSignal,
): Promise<Found> {
  const { vouchers, roots } = dependencies;
  const { digest } = read.descriptor;
  const known = await vouchers.inForce(repository, digest, 'manifest');
  if (fits(known, read, tag)) return known;
  const renewed = await vouchers.renewed(repository, digest, 'manifest', waiting);
  if (fits(renewed, read, tag)) return renewed;
  const evidence = await findEvidenceVoucher(repository, read, tag, dependencies, waiting);
  if (evidence !== undefined) return { voucher: evidence };
  const own = await roots.verify(repository, read, waiting);
  return mayBeServed(own) ? { voucher: rootVoucher(own) } : { own, renewed };
}

/** Evidence is served because of what it speaks about, never because of what it is. */
async function findEvidenceVoucher(
  repository: Repository,
  { manifest, descriptor }: ReadManifest,
  tag: Tag | undefined,
  { vouchers, roots, closure }: DecisionDependencies,
  waiting: AbortSignal,
): Promise<Voucher | undefined> {
  const subject = subjectOfEvidence(manifest, tag);
  if (subject === undefined || subject === descriptor.digest || !isEvidence(manifest)) {
    return undefined;
  }
  const found = await vouchers.renewed(repository, subject, 'manifest', waiting);
  const verdict =
    found.voucher?.verdict ?? (await verdictOnSubject(repository, subject, roots, waiting));
  if (verdict === undefined || !mayBeServed(verdict)) {
    if (found.unclear !== undefined) throw found.unclear;
    return undefined;
  }
  await closure.recordEvidence(scopeOf(repository), descriptor.digest, subject);
  const through = [...(found.voucher?.through ?? [subject]), descriptor.digest];
  return evidenceVoucher(verdict, through);
}

async function verdictOnSubject(
  repository: Repository,
  subject: Digest,
  roots: Roots,
  waiting: AbortSignal,
): Promise<Verdict | undefined> {
  try {
    return await roots.verify(repository, subject, waiting);
  } catch (error) {
    waiting.throwIfAborted();
    if (isAbsentOrMalformed(error)) return undefined;
    throw error;
  }
}

/** An index, or what a tag points at, is not looked for in an index. */
function isKnownRoot(repository: Repository, read: ReadManifest, pins: Pins): boolean {
  const { manifest, descriptor } = read;
  return manifest.kind === 'index' || pins.isTagged(scopeOf(repository), descriptor.digest);
}

type Fitting = Vouching & { readonly voucher: Voucher };

function fits(
  vouching: Vouching,
  { manifest }: ReadManifest,
  tag: Tag | undefined,
): vouching is Fitting {
  const { voucher } = vouching;
  if (voucher === undefined) return false;
  if (voucher.by === 'evidence') return mayNameEvidence(tag) && isEvidence(manifest);
  if (!voucher.mustBeStatement) return true;
  return manifest.kind === 'image' && hasOnlyStatements(manifest);
}

function isAbsentOrMalformed(error: unknown): boolean {
  return error instanceof NotFoundError || error instanceof MalformedError;
}
