import type { Reason } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { explainInconclusive, explainTrusted, explainUntrusted } from './explain.ts';
import type { Requirement } from './policy.ts';
import { identitiesOf } from './requirement.ts';
import { type Proofs, satisfy } from './satisfy.ts';

/** All that was found about a subject. */
export interface Evidence {
  /** Every signature against every identity that the rule names. */
  readonly reports: readonly Report[];
  /** Why signatures may exist that nobody could look at; undefined when all were seen. */
  readonly incomplete: string | undefined;
}

export interface Decision {
  readonly kind: VerdictKind;
  /** Undefined when trusted. */
  readonly reason: Reason | undefined;
  /** One sentence for a person. */
  readonly because: string;
}

/**
 * What a requirement says of the evidence, in Kleene's three values, as two questions. Met by
 * what is proven: trusted. Met if all that could not be found out turned out well: inconclusive.
 * Else untrusted.
 */
export function decide(requirement: Requirement, evidence: Evidence): Decision {
  const identities = identitiesOf(requirement);
  const reports = evidence.reports.filter((report) => identities.includes(report.identity));
  const proven = provenBy(reports);
  const now = satisfy(requirement, proven);
  if (now === 'met') {
    return { kind: 'trusted', reason: undefined, because: explainTrusted(reports) };
  }
  const atBest = satisfy(requirement, atBestProvenBy(proven, reports, evidence, identities));
  if (now === 'unknown' || atBest === 'unknown') {
    const because = 'the rule is too entangled to be decided within bounds: simplify its atLeast';
    return { kind: 'inconclusive', reason: 'limit-exceeded', because };
  }
  return atBest === 'met'
    ? { kind: 'inconclusive', ...explainInconclusive(reports, evidence.incomplete) }
    : { kind: 'untrusted', ...explainUntrusted(requirement, reports, [...proven.keys()]) };
}

/** Keys by identity, of signatures that are trusted and whose signer is proven. */
function provenBy(reports: readonly Report[]): Map<string, Set<string>> {
  const proofs = new Map<string, Set<string>>();
  for (const { identity, outcome, signer } of reports) {
    if (outcome === 'trusted' && signer !== undefined) {
      addProof(proofs, identity, `key ${signer.keyFingerprint}`);
    }
  }
  return proofs;
}

/**
 * The same, as if every open question were answered well. A signature whose key nobody knows may
 * be by a key of its own; where signatures may exist that nobody saw, each identity may have one.
 */
function atBestProvenBy(
  proven: Proofs,
  reports: readonly Report[],
  { incomplete }: Evidence,
  identities: readonly string[],
): Proofs {
  const proofs = new Map([...proven].map(([identity, keys]) => [identity, new Set(keys)]));
  for (const { identity, outcome, signer, signature } of reports) {
    if (outcome !== 'inconclusive') continue;
    addProof(proofs, identity, signer ? `key ${signer.keyFingerprint}` : `key of ${signature}`);
  }
  if (incomplete !== undefined) {
    for (const identity of identities) addProof(proofs, identity, `unseen key of ${identity}`);
  }
  return proofs;
}

function addProof(proofs: Map<string, Set<string>>, identity: string, key: string): void {
  const keys = proofs.get(identity) ?? new Set();
  proofs.set(identity, keys.add(key));
}
