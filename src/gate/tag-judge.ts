import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import type { Repository } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { AllowedRollback, TagRules } from '../policies/tag-rules.ts';
import type { Reason } from '../verdict/reason.ts';
import type { SigningTime } from '../verdict/signing-times.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { findNewer } from './rollback.ts';
import type { Roots } from './roots.ts';
import { judgeSignatureAge } from './signature-age.ts';
import type { SeenContent, TagEntry, TagHistory } from './tag-history.ts';

/** A tag whose rule asks something of it, and the trusted content that it points at. */
export interface AskedTag {
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
export type TagFinding =
  | { readonly kind: 'passed'; readonly until?: Date; readonly warning?: string }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly because: string };

export interface TagJudgeDependencies {
  readonly roots: Pick<Roots, 'renew'>;
  readonly history: TagHistory;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** A verdict that is too old for a tag stands for so long before its signatures are looked for again. */
const lookAgainMs = 10_000;
const passed: TagFinding = { kind: 'passed' };

/** What each of the rules says; the second is not asked where the first denies. */
export async function judgeTag(
  asked: AskedTag,
  dependencies: TagJudgeDependencies,
): Promise<readonly TagFinding[]> {
  const age = judgeAge(asked, dependencies);
  if (age.kind === 'failed' && asked.auditUntil === undefined) return [age];
  return [age, await judgeRollback(asked, dependencies)];
}

function judgeAge(
  { repository, verdict, rules }: AskedTag,
  { roots, clock }: TagJudgeDependencies,
): TagFinding {
  const { maxSignatureAgeMs: ageMs } = rules;
  if (ageMs === undefined) return passed;
  const fault = judgeSignatureAge(ageMs, verdict.signed, clock.now());
  if (fault === undefined) {
    const since = verdict.signed?.freshest?.earliest.getTime() ?? 0;
    return { kind: 'passed', until: new Date(since + ageMs) };
  }
  // It may have been signed again since: whoever asks next gets to know.
  const sinceMs = clock.now().getTime() - verdict.checkedAt.getTime();
  if (sinceMs >= lookAgainMs) roots.renew(repository, verdict);
  return { kind: 'failed', ...fault };
}

async function judgeRollback(
  asked: AskedTag,
  dependencies: TagJudgeDependencies,
): Promise<TagFinding> {
  const { scope, tag, digest, rules, verdict, auditUntil } = asked;
  if (rules.rollback === 'allow') return passed;
  const { history } = dependencies;
  const seen = seenAs(digest, verdict);
  const newer = findNewer(seen, await history.of(scope, tag));
  const finding = newer === undefined ? passed : judgeGoingBack(asked, newer, dependencies);
  const isServed = finding.kind === 'passed' || auditUntil !== undefined;
  if (isServed) await history.note(scope, tag, seen);
  return finding;
}

function seenAs(digest: Digest, { subject: root, signed, children }: Verdict): SeenContent {
  const isPart = root !== undefined && root !== digest;
  const parts = isPart ? [] : children.flatMap(({ subject }) => subject ?? []);
  const oldest = signed?.oldest;
  return {
    digest,
    ...(isPart && { root }),
    ...(parts.length > 0 && { parts }),
    ...(oldest && { signed: oldest }),
  };
}

/** A rollback: whether somebody answers for it, or the rule lets it pass with a warning. */
function judgeGoingBack(
  { scope, tag, digest, rules, verdict }: AskedTag,
  newer: TagEntry,
  { clock, metrics, log }: TagJudgeDependencies,
): TagFinding {
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
