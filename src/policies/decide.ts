import type { Identity } from '../verdict/identity.ts';
import type { Reason } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { explainInconclusive, explainTrusted, explainUntrusted } from './explain.ts';
import { attestationClaim, claimOf, signerOf } from './leaf.ts';
import type { Leaf, Requirement } from './policy.ts';
import { identitiesOf, leavesOf } from './requirement.ts';
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
  const atBest = satisfy(
    requirement,
    atBestProvenBy(proven, reports, evidence, leavesOf(requirement)),
  );
  if (now === 'unknown' || atBest === 'unknown') {
    const because = 'the rule is too entangled to be decided within bounds: simplify its atLeast';
    return { kind: 'inconclusive', reason: 'limit-exceeded', because };
  }
  return atBest === 'met'
    ? { kind: 'inconclusive', ...explainInconclusive(reports, evidence.incomplete) }
    : { kind: 'untrusted', ...explainUntrusted(requirement, reports, proven) };
}

/** Keys by claim, of signatures and attestations that are trusted and whose signer is proven. */
function provenBy(reports: readonly Report[]): Map<string, Set<string>> {
  const proofs = new Map<string, Set<string>>();
  for (const { identity, outcome, signer, attestation } of reports) {
    if (outcome !== 'trusted' || signer === undefined) continue;
    // An attestation says what it says: it never vouches for the subject as a signature does.
    const claims = attestation === undefined ? [identity] : attestation.meets.map(attestationClaim);
    for (const claim of claims) addProof(proofs, claim, proofOf(signer));
  }
  return proofs;
}

/**
 * The same, as if every open question were answered well. A signature whose key nobody knows may
 * be by a key of its own, and may be an attestation; where signatures may exist that nobody saw,
 * each identity may have one.
 */
function atBestProvenBy(
  proven: Proofs,
  reports: readonly Report[],
  { incomplete }: Evidence,
  leaves: readonly Leaf[],
): Proofs {
  const proofs = new Map([...proven].map(([claim, keys]) => [claim, new Set(keys)]));
  for (const report of reports) {
    const { signer, signature, envelope } = report;
    const key = signer ? proofOf(signer) : `key of ${signature} ${envelope?.index ?? ''}`;
    for (const claim of openClaims(report, leaves)) addProof(proofs, claim, key);
  }
  if (incomplete !== undefined) {
    for (const leaf of leaves) addProof(proofs, claimOf(leaf), `unseen key of ${signerOf(leaf)}`);
  }
  return proofs;
}

/** What a report may yet turn out to prove. */
function openClaims(
  { identity, outcome, attestation }: Report,
  leaves: readonly Leaf[],
): readonly string[] {
  if (outcome === 'inconclusive') {
    const own = leaves.filter((leaf) => signerOf(leaf) === identity);
    // What is known to be an attestation is no signature, whatever else it turns out to be.
    const possible = attestation === undefined ? own : own.filter((leaf) => 'attestation' in leaf);
    return possible.map(claimOf);
  }
  if (outcome !== 'trusted' || attestation === undefined) return [];
  const open = attestation.conditions.filter((found) => found.outcome === 'inconclusive');
  const refuted = attestation.conditions.filter((found) => found.outcome === 'not-met');
  return open
    .map((found) => found.requirement)
    .filter((requirement) => refuted.every((found) => found.requirement !== requirement))
    .map(attestationClaim);
}

/** RFC 4514, section 2.3: a type by its short name or as an OID. */
const beginsAsName = /^(?:[A-Z]+|\d+(?:\.\d+)+)=/;

/**
 * What makes two proofs one. A certificate of Fulcio has a key of its own for every signature, so
 * there it is the workload; its issuer is that of an identity token, mostly a URL, and no
 * distinguished name.
 */
function proofOf(signer: Identity): string {
  const isWorkload = signer.kind === 'certificate' && !beginsAsName.test(signer.issuer);
  return isWorkload
    ? `workload ${JSON.stringify([signer.issuer, signer.subject])}`
    : `key ${signer.keyFingerprint}`;
}

function addProof(proofs: Map<string, Set<string>>, claim: string, key: string): void {
  const keys = proofs.get(claim) ?? new Set();
  proofs.set(claim, keys.add(key));
}
