import { earliest } from '../kernel/earliest.ts';
import type { Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { UnavailableError } from './gate-error.ts';
import { type TagBond, tagBondOf } from './tag-decisions.ts';
import type { TagHistory } from './tag-history.ts';
import { judgeTag, type TagFinding, type TagJudgeDependencies } from './tag-judge.ts';

/** The verdict on what a tag leads to, by the rules for tags too, and what is said beside it. */
export interface TagVerdict {
  readonly verdict: Verdict;
  readonly warnings: readonly string[];
}

interface TagVerdictDependencies extends Pick<TagJudgeDependencies, 'clock' | 'metrics' | 'log'> {
  readonly verifier: Pick<Verifier, 'governing'>;
  /** Throws `UnavailableError` where it can't be read. */
  readonly history: Pick<TagHistory, 'of'>;
}

/**
 * What a pull by the tag would be answered, where the content was verified just now. Nothing is
 * noted: whoever looks serves nothing. Where the history can't be read the verdict is inconclusive.
 */
export async function judgeVerdictOnTag(
  repository: Repository,
  tag: Tag,
  verdict: Verdict,
  dependencies: TagVerdictDependencies,
): Promise<TagVerdict> {
  const digest = verdict.subject;
  const bond = digest && tagBondOf(repository, digest, verdict, dependencies.verifier);
  if (digest === undefined || bond === undefined) return { verdict, warnings: [] };
  const warnings: string[] = [];
  const history: TagHistory = {
    async of(...asked) {
      const entries = await dependencies.history.of(...asked);
      if (entries.length === 0) warnings.push(nothingRemembered);
      return entries;
    },
    note: async () => undefined,
  };
  const roots = { renew: () => undefined };
  const asked = { repository, scope: scopeOf(repository), tag, digest, ...bond };
  try {
    const findings = await judgeTag(asked, { ...dependencies, history, roots });
    const judged = judgeBy(findings, bond);
    return { ...judged, warnings: [...warnings, ...judged.warnings] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { verdict: inconclusive(tag, error, verdict), warnings };
  }
}

const nothingRemembered =
  'nothing is remembered of this tag in the state of this configuration: whether it went back could not be seen';

function judgeBy(findings: readonly TagFinding[], { verdict, auditUntil }: TagBond): TagVerdict {
  const failed = findings.filter((each) => each.kind === 'failed');
  const passed = findings.filter((each) => each.kind === 'passed');
  const warnings = passed.flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
  const [first, ...others] = failed;
  if (first === undefined) {
    const expiresAt = earliest(verdict.expiresAt, ...passed.map(({ until }) => until));
    return { verdict: { ...verdict, expiresAt }, warnings };
  }
  const { reason, because } = first;
  const denied: Verdict = {
    ...verdict,
    kind: 'untrusted',
    reason,
    because,
    ...(auditUntil && { waiver: { kind: 'audit', until: auditUntil } }),
    expiresAt: verdict.checkedAt,
  };
  const more = others.map((each) => `${each.reason}: ${each.because}`);
  return { verdict: denied, warnings: [...warnings, ...more] };
}

function inconclusive(tag: Tag, error: UnavailableError, verdict: Verdict): Verdict {
  return {
    ...verdict,
    kind: 'inconclusive',
    reason: 'not-verifiable',
    because: `what tag ${tag} was served with before could not be read: ${error.message}`,
    retryAfterSeconds: error.retryAfterSeconds,
    expiresAt: verdict.checkedAt,
  };
}
