import type { Tag } from '../oci/reference.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { withWarnings } from './admission.ts';
import type { Decisions } from './decision.ts';
import { makeRecent } from './recent.ts';
import { judgeSignatureAge } from './signature-age.ts';
import type { SingleFlight } from './single-flight.ts';
import { type AskedTag, judgeTag, type TagJudgeDependencies } from './tag-judge.ts';
import type { TrustedManifest } from './trusted-content.ts';

/** Whether a tag may be served with what it points at, beyond that the content is admitted. */
export interface TagDecisions {
  /** Decided for the same content a moment ago; undefined: ask `decide`. */
  atHand(repository: Repository, tag: Tag, manifest: TrustedManifest): TrustedManifest | undefined;
  /** Whether a newer verdict about it might let it pass that this one keeps out. */
  isOutdated(repository: Repository, manifest: TrustedManifest): boolean;
  /** The content with its warnings. Throws `DeniedError` or `UnavailableError`. */
  decide(
    repository: Repository,
    tag: Tag,
    manifest: TrustedManifest,
    waiting: AbortSignal,
  ): Promise<TrustedManifest>;
}

interface TagDependencies extends TagJudgeDependencies {
  readonly verifier: Verifier;
  readonly decisions: Pick<Decisions, 'deny'>;
  readonly flights: SingleFlight;
  /** What was decided is decided again after this: others may have seen the tag meanwhile. */
  readonly tagMs: number;
}

/** That a tag may be served with a digest. */
interface Pass {
  readonly digest: Digest;
  readonly verdict: string | undefined;
  readonly generation: number;
  readonly until: Date;
  readonly warnings: readonly string[];
}

const maxPasses = 10_000;

export function makeTagDecisions(dependencies: TagDependencies): TagDecisions {
  const { verifier, flights, clock, tagMs } = dependencies;
  const passes = makeRecent<Pass>(maxPasses);
  return {
    atHand(repository, tag, manifest) {
      const pass = passes.get(nameOf(repository, tag));
      if (pass === undefined || pass.digest !== manifest.descriptor.digest) return undefined;
      if (pass.verdict !== manifest.admission.verdict?.id) return undefined;
      if (pass.generation !== verifier.generation()) return undefined;
      if (clock.now().getTime() >= pass.until.getTime()) return undefined;
      return withWarnings(manifest, pass.warnings);
    },
    isOutdated(repository, manifest) {
      const bound = boundBy(repository, manifest, verifier);
      if (bound === undefined) return false;
      const { maxSignatureAgeMs } = bound.rules;
      return judgeSignatureAge(maxSignatureAgeMs, bound.verdict.signed, clock.now()) !== undefined;
    },
    async decide(repository, tag, manifest, waiting) {
      const generation = verifier.generation();
      const { digest } = manifest.descriptor;
      const verdict = manifest.admission.verdict?.id;
      const bound = boundBy(repository, manifest, verifier);
      const asked = bound && { repository, scope: scopeOf(repository), tag, digest, ...bound };
      const name = nameOf(repository, tag);
      const key = `tag/${generation}/${name}@${digest} ${verdict}`;
      const work = asked && (() => reachPass(asked, dependencies));
      const { until, warnings } =
        work === undefined
          ? { until: new Date(clock.now().getTime() + tagMs), warnings: [] }
          : await flights.run(key, work, waiting);
      passes.set(name, { digest, verdict, generation, until, warnings });
      return withWarnings(manifest, warnings);
    },
  };
}

/** What the rule that admitted the content asks of tags; undefined: nothing. */
function boundBy(
  repository: Repository,
  { descriptor, admission }: TrustedManifest,
  verifier: Verifier,
): TagBond | undefined {
  const { verdict, by } = admission;
  // Evidence moves with every signature that is added.
  if (verdict === undefined || by === 'evidence') return undefined;
  return tagBondOf(repository, descriptor.digest, verdict, verifier);
}

/** What a verdict's rule asks of tags that lead to it, and what else decides about them. */
export type TagBond = Pick<AskedTag, 'verdict' | 'rules' | 'auditUntil'>;

/** Undefined: its rule asks nothing of tags, or is waived, as it is waived of the content. */
export function tagBondOf(
  repository: Repository,
  digest: Digest,
  verdict: Verdict,
  verifier: Pick<Verifier, 'governing'>,
): TagBond | undefined {
  if (verdict.kind !== 'trusted') return undefined;
  const { rule } = verifier.governing(repository, verdict.subject ?? digest);
  if (rule?.kind !== 'require' || rule.tags === undefined) return undefined;
  return { verdict, rules: rule.tags, auditUntil: rule.audit?.until };
}

/** Until when the tag may be served, and with what warnings. Throws `DeniedError`. */
async function reachPass(
  asked: AskedTag,
  dependencies: TagDependencies,
): Promise<Pick<Pass, 'until' | 'warnings'>> {
  const { decisions, clock, tagMs } = dependencies;
  const warnings: string[] = [];
  let untilMs = clock.now().getTime() + tagMs;
  for (const finding of await judgeTag(asked, dependencies)) {
    if (finding.kind === 'passed') {
      untilMs = Math.min(untilMs, finding.until?.getTime() ?? Infinity);
      if (finding.warning !== undefined) warnings.push(finding.warning);
      continue;
    }
    const { repository, digest, auditUntil } = asked;
    const { reason, because } = finding;
    if (auditUntil === undefined) return decisions.deny(repository, digest, reason, because);
    const end = auditUntil.toISOString();
    warnings.push(`audit mode until ${end}: would be denied: ${reason}: ${because}`);
  }
  return { until: new Date(untilMs), warnings };
}

function nameOf(repository: Repository, tag: Tag): string {
  return `${scopeOf(repository)}:${tag}`;
}
