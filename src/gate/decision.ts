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
import { NotFoundError } from './gate-error.ts';
import { hasOnlyStatements, isEvidence, mayNameEvidence, subjectOfEvidence } from './evidence.ts';
import type { ReadManifest } from './manifest-reader.ts';
import type { Pins } from './pin.ts';
import type { Roots } from './roots.ts';
import { mayBeServed, type VerdictCache } from './verdict-cache.ts';
import { rootVoucher, type Voucher, type Vouchers, type Vouching } from './voucher.ts';

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

export function makeDecisions(dependencies: {
  readonly roots: Roots;
  readonly vouchers: Vouchers;
  readonly closure: Closure;
  readonly pins: Pins;
  readonly verdicts: VerdictCache;
  readonly verifier: Verifier;
  readonly clock: Clock;
}): Decisions {
  const { roots, vouchers, closure, pins, verdicts, verifier, clock } = dependencies;

  const refuseWith = (of: Parameters<typeof refusal>[0]): never => {
    const verdict = refusal(of, clock.now());
    verdicts.note(verdict);
    return refuse([verdict]);
  };

  const deny: Decisions['deny'] = async (repository, digest, reason, because) => {
    return refuseWith({ scope: scopeOf(repository), subject: digest, reason, because });
  };

  /** Evidence is served because of what it speaks about, never because of what it is. */
  const evidenceVoucher = async (
    repository: Repository,
    { manifest, descriptor }: ReadManifest,
    tag: Tag | undefined,
    waiting: AbortSignal,
  ): Promise<Voucher | undefined> => {
    const subject = subjectOfEvidence(manifest, tag);
    if (subject === undefined || subject === descriptor.digest || !isEvidence(manifest)) {
      return undefined;
    }
    const found = await vouchers.renewed(repository, subject, 'manifest', waiting);
    const verdict =
      found.voucher?.verdict ?? (await verdictOnSubject(repository, subject, waiting));
    if (verdict === undefined || !mayBeServed(verdict)) {
      if (found.unclear !== undefined) throw found.unclear;
      return undefined;
    }
    await closure.recordEvidence(scopeOf(repository), descriptor.digest, subject);
    return { ...rootVoucher(verdict), by: 'evidence' };
  };

  const verdictOnSubject = async (
    repository: Repository,
    subject: Digest,
    waiting: AbortSignal,
  ): Promise<Verdict | undefined> => {
    try {
      return await roots.verify(repository, subject, waiting);
    } catch (error) {
      waiting.throwIfAborted();
      if (isAbsentOrMalformed(error)) return undefined;
      throw error;
    }
  };

  const unsignedPart = (repository: Repository, read: ReadManifest, own: Verdict): boolean =>
    own.reason === 'unsigned' &&
    read.manifest.kind === 'image' &&
    !pins.isTagged(scopeOf(repository), read.descriptor.digest);

  return {
    deny,
    assertRuleIn(repository) {
      if (!verifier.hasRuleIn(repository)) refuseWith(noRuleFor(scopeOf(repository)));
    },
    async onManifest(repository, read, tag, waiting) {
      const { digest } = read.descriptor;
      const known = await vouchers.inForce(repository, digest, 'manifest');
      if (fits(known, read, tag)) return known.voucher;
      const renewed = await vouchers.renewed(repository, digest, 'manifest', waiting);
      if (fits(renewed, read, tag)) return renewed.voucher;
      const evidence = await evidenceVoucher(repository, read, tag, waiting);
      if (evidence !== undefined) return evidence;
      const own = await roots.verify(repository, read, waiting);
      if (mayBeServed(own)) return rootVoucher(own);
      if (renewed.unclear !== undefined) throw renewed.unclear;
      const parents = renewed.refused.filter(({ subject }) => subject !== digest);
      const [parent, ...others] = parents;
      if (parent !== undefined && own.reason === 'unsigned')
        return refuse([parent, ...others, own]);
      if (unsignedPart(repository, read, own)) {
        const because = 'it is unsigned, and no verified index that lists it is known';
        return deny(repository, digest, 'not-reachable', because);
      }
      return refuse([own]);
    },
  };
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
