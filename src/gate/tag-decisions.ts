import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { AllowedRollback, TagRules } from '../policies/tag-rules.ts';
import type { Reason } from '../verdict/reason.ts';
import type { SigningTime } from '../verdict/signing-times.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { withWarnings } from './admission.ts';
import type { Decisions } from './decision.ts';
import { makeRecent } from './recent.ts';
import { findNewer } from './rollback.ts';
import type { Roots } from './roots.ts';
import { type AgeFault, judgeSignatureAge } from './signature-age.ts';
import type { SingleFlight } from './single-flight.ts';
import type { TagEntry, TagHistory } from './tag-history.ts';
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

interface TagDependencies {
  readonly verifier: Verifier;
  readonly roots: Pick<Roots, 'renew'>;
  readonly decisions: Pick<Decisions, 'deny'>;
  readonly history: TagHistory;
  readonly flights: SingleFlight;
  readonly clock: Clock;
  /** What was decided is decided again after this: others may have seen the tag meanwhile. */
  readonly tagMs: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** That a tag may be served with a digest. */
interface Pass {
  readonly digest: Digest;
  readonly verdict: string | undefined;
  readonly generation: number;
  readonly until: Date;
  readonly warnings: readonly string[];
}

/** A tag with rules, and what it points at. */
interface Asked {
  readonly repository: Repository;
  readonly scope: string;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly verdict: Verdict;
  readonly rules: TagRules;
  /** The rule is in audit mode until then: what would be denied is served with a warning. */
  readonly auditUntil: Date | undefined;
}

/** Why a tag may not be served, or until when it may. */
type Finding =
  | { readonly kind: 'passed'; readonly until?: Date; readonly warning?: string }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly because: string };

const maxPasses = 10_000;
/** A verdict that is too old for a tag stands for so long before its signatures are looked for again. */
const lookAgainMs = 10_000;

export function makeTagDecisions(dependencies: TagDependencies): TagDecisions {
  const { verifier, roots, decisions, history, flights, clock, tagMs } = dependencies;
  const passes = makeRecent<Pass>(maxPasses);

  const rulesFor = (
    repository: Repository,
    { descriptor, admission }: TrustedManifest,
  ): Pick<Asked, 'verdict' | 'rules' | 'auditUntil'> | undefined => {
    const { verdict, by } = admission;
    // Evidence moves with every signature that is added; what is waived is waived.
    if (verdict?.kind !== 'trusted' || by === 'evidence') return undefined;
    const { rule } = verifier.governing(repository, verdict.subject ?? descriptor.digest);
    if (rule?.kind !== 'require' || rule.tags === undefined) return undefined;
    return { verdict, rules: rule.tags, auditUntil: rule.audit?.until };
  };
  const ageFaultOf = ({ verdict, rules }: Pick<Asked, 'verdict' | 'rules'>): AgeFault | undefined =>
    judgeSignatureAge(rules.maxSignatureAgeMs, verdict.signed, clock.now());

  const judgeAge = (asked: Asked): Finding => {
    const fault = ageFaultOf(asked);
    const { repository, verdict, rules } = asked;
    if (fault === undefined) {
      const { maxSignatureAgeMs: ageMs = Infinity } = rules;
      const since = verdict.signed?.freshest?.earliest.getTime() ?? 0;
      const isBound = Number.isFinite(ageMs);
      return { kind: 'passed', ...(isBound && { until: new Date(since + ageMs) }) };
    }
    // It may have been signed again since: whoever asks next gets to know.
    const sinceMs = clock.now().getTime() - verdict.checkedAt.getTime();
    if (sinceMs >= lookAgainMs) roots.renew(repository, verdict);
    return { kind: 'failed', ...fault };
  };

  const judgeRollback = async (asked: Asked): Promise<Finding> => {
    const { scope, tag, digest, rules, verdict } = asked;
    if (rules.rollback === 'allow') return { kind: 'passed' };
    const seen = { digest, ...(verdict.signed?.oldest && { signed: verdict.signed.oldest }) };
    const newer = findNewer(seen, await history.of(scope, tag));
    const finding = newer === undefined ? passed : judgeGoingBack(asked, newer, dependencies);
    const isServed = finding.kind === 'passed' || asked.auditUntil !== undefined;
    if (isServed) await history.note(scope, tag, seen);
    return finding;
  };

  const judge = async (asked: Asked): Promise<Pick<Pass, 'until' | 'warnings'>> => {
    const findings: Finding[] = [judgeAge(asked)];
    if (findings[0]?.kind === 'passed' || asked.auditUntil !== undefined) {
      findings.push(await judgeRollback(asked));
    }
    const warnings: string[] = [];
    let until = clock.now().getTime() + tagMs;
    for (const finding of findings) {
      if (finding.kind === 'passed') {
        until = Math.min(until, finding.until?.getTime() ?? Infinity);
        if (finding.warning !== undefined) warnings.push(finding.warning);
        continue;
      }
      const { repository, digest, auditUntil } = asked;
      const { reason, because } = finding;
      if (auditUntil === undefined) {
        return await decisions.deny(repository, digest, reason, because);
      }
      const end = auditUntil.toISOString();
      warnings.push(`audit mode until ${end}: would be denied: ${reason}: ${because}`);
    }
    return { until: new Date(until), warnings };
  };

  return {
    atHand(repository, tag, manifest) {
      const pass = passes.get(`${scopeOf(repository)}:${tag}`);
      if (pass === undefined || pass.digest !== manifest.descriptor.digest) return undefined;
      if (pass.verdict !== manifest.admission.verdict?.id) return undefined;
      if (pass.generation !== verifier.generation() || clock.now() >= pass.until) return undefined;
      return withWarnings(manifest, pass.warnings);
    },
    isOutdated(repository, manifest) {
      const bound = rulesFor(repository, manifest);
      return bound !== undefined && ageFaultOf(bound) !== undefined;
    },
    async decide(repository, tag, manifest, waiting) {
      const generation = verifier.generation();
      const scope = scopeOf(repository);
      const { digest } = manifest.descriptor;
      const bound = rulesFor(repository, manifest);
      const verdict = manifest.admission.verdict?.id;
      const name = `${scope}:${tag}`;
      const asked = bound && { repository, scope, tag, digest, ...bound };
      const { until, warnings } =
        asked === undefined
          ? { until: new Date(clock.now().getTime() + tagMs), warnings: [] }
          : await flights.run(
              `tag/${generation}/${name}@${digest} ${verdict}`,
              () => judge(asked),
              waiting,
            );
      passes.set(name, { digest, verdict, generation, until, warnings });
      return withWarnings(manifest, warnings);
    },
  };
}

const passed: Finding = { kind: 'passed' };

/** A rollback: whether somebody answers for it, or the rule lets it pass with a warning. */
function judgeGoingBack(
  { scope, tag, digest, rules, verdict }: Asked,
  newer: TagEntry,
  { clock, metrics, log }: Pick<TagDependencies, 'clock' | 'metrics' | 'log'>,
): Finding {
  const now = clock.now();
  const allowed = rules.allowedRollbacks.find((each) => each.digest === digest && now < each.until);
  const outcome = outcomeOf(rules, allowed);
  metrics.count('assay_tag_rollbacks_total', { outcome });
  const because = describeGoingBack(tag, newer, verdict.signed?.oldest);
  const { owner, reason } = allowed ?? {};
  const fields = { repository: scope, tag, digest, newer: newer.digest, outcome, owner, reason };
  log.warn({ ...fields, because }, 'a tag went back to an older digest');
  if (allowed !== undefined) {
    const until = allowed.until;
    const warning = `rollback allowed until ${until.toISOString()}: ${allowed.reason}: ${because}`;
    return { kind: 'passed', until, warning };
  }
  if (rules.rollback === 'warn') return { kind: 'passed', warning: `rolled-back: ${because}` };
  return { kind: 'failed', reason: 'rolled-back', because };
}

function outcomeOf({ rollback }: TagRules, allowed: AllowedRollback | undefined) {
  if (allowed !== undefined) return 'allowed';
  return rollback === 'warn' ? 'warned' : 'denied';
}

function describeGoingBack(tag: Tag, newer: TagEntry, signed: SigningTime | undefined): string {
  const isTimed = signed !== undefined && newer.signed !== undefined;
  const when = isTimed
    ? ` (signed ${newer.signed.earliest.toISOString()}, this one ${signed.latest.toISOString()})`
    : '';
  return `tag ${tag} went back from ${newer.digest}${when}`;
}
