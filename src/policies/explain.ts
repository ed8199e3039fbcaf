import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import type { Check } from '../verdict/check.ts';
import { describeIdentity } from '../verdict/identity.ts';
import type { Reason } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';
import type { AttestationRequirement } from './attestation.ts';
import { attestationClaim, claimOf } from './leaf.ts';
import type { Leaf, Requirement } from './policy.ts';
import { attestationsOf, leavesOf } from './requirement.ts';
import { type Proofs, satisfy } from './satisfy.ts';

interface Explanation {
  readonly reason: Reason;
  readonly because: string;
}

/**
 * Of several failures the one that a person can do most about comes first: a named signer whose
 * signature ended says more than a stranger's, and a stranger's more than a broken one.
 */
const byTelling: readonly Reason[] = [
  'denylisted',
  'certificate-revoked',
  'signature-expired',
  'certificate-expired',
  'level-vouches-for-nothing',
  'no-trusted-signer',
  'signature-invalid',
];

const maxNamed = 5;
const maxTextLength = 400;

export function explainTrusted(reports: readonly Report[]): string {
  const signers = new Map<string, string>();
  for (const { identity, outcome, signer } of reports) {
    if (outcome === 'trusted' && signer !== undefined && !signers.has(identity)) {
      signers.set(identity, `${identity}: ${describeIdentity(signer)}`);
    }
  }
  return bounded(`signed by ${list([...signers.values()])}`);
}

export function explainInconclusive(
  reports: readonly Report[],
  incomplete: string | undefined,
): Explanation {
  const open = reports.find((report) => report.outcome === 'inconclusive');
  if (open !== undefined) {
    const reason = open.reason ?? 'upstream-unavailable';
    return {
      reason,
      because: bounded(`whether it is trusted could not be found out: ${tellOf(open)}`),
    };
  }
  const undecided = reports
    .flatMap(({ attestation }) => attestation?.conditions ?? [])
    .find((found) => found.outcome === 'inconclusive');
  if (undecided !== undefined) {
    const because = `whether an attestation is as wanted could not be found out: ${undecided.because}`;
    return { reason: 'limit-exceeded', because: bounded(because) };
  }
  const because = `the signatures could not be listed: ${incomplete ?? 'the cause is unknown'}`;
  return { reason: 'upstream-unavailable', because: bounded(because) };
}

/** `proofs`: what has been proven, which was not enough. */
export function explainUntrusted(
  requirement: Requirement,
  reports: readonly Report[],
  proofs: Proofs,
): Explanation {
  const wanted = describeRequirement(requirement);
  const attestations = lackingAttestations(requirement, proofs);
  if (isNonEmpty(attestations)) return explainAttestations(attestations, reports);
  const leaves = leavesOf(requirement);
  const met = leaves.filter((leaf) => (proofs.get(claimOf(leaf))?.size ?? 0) > 0);
  if (met.length > 0) {
    const missing = leaves.filter((leaf) => !met.includes(leaf)).map(describeLeaf);
    const lack =
      missing.length > 0
        ? `missing: ${list([...new Set(missing)])}`
        : 'one key counts for one identity only';
    const proven = list([...new Set(met.map(describeLeaf))]);
    const because = `signed by ${proven}, but the rule asks for ${wanted}; ${lack}`;
    return { reason: 'not-enough-signers', because: bounded(because) };
  }
  return explainNoSignature(
    wanted,
    reports.filter((report) => report.attestation === undefined),
    reports.length,
  );
}

function explainNoSignature(
  wanted: string,
  reports: readonly Report[],
  found: number,
): Explanation {
  if (reports.length === 0 && found > 0) {
    const because = `only attestations were found, which are no signatures; the rule asks for ${wanted}`;
    return { reason: 'unsigned', because: bounded(because) };
  }
  const [first] = reports.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (first === undefined) {
    const because = `no signature was found; the rule asks for ${wanted}`;
    return { reason: 'unsigned', because: bounded(because) };
  }
  const others = new Set(reports.map((report) => report.signature)).size - 1;
  const more = others > 0 ? ` (and ${others} more signatures that do not count)` : '';
  const because = `the rule asks for ${wanted}; ${tellOf(first)}${more}`;
  return { reason: reasonOf(first), because: bounded(because) };
}

function reasonOf({ reason }: Report): Reason {
  return reason ?? 'no-trusted-signer';
}

function rankOf(report: Report): number {
  const rank = byTelling.indexOf(reasonOf(report));
  return rank < 0 ? byTelling.length : rank;
}

/**
 * The attestations that the requirement lacks, if that is all that it lacks at the place where it
 * first fails.
 */
function lackingAttestations(
  requirement: Requirement,
  proofs: Proofs,
): readonly AttestationRequirement[] {
  if ('allOf' in requirement) {
    const failing = requirement.allOf.find((member) => satisfy(member, proofs) !== 'met');
    return failing === undefined ? [] : lackingAttestations(failing, proofs);
  }
  const leaves = leavesOf(requirement);
  const attestations = attestationsOf(requirement);
  const isOnlyThat = leaves.every((leaf) => 'attestation' in leaf);
  const lacking = attestations.filter(({ digest }) => !proofs.has(attestationClaim(digest)));
  return isOnlyThat ? lacking : [];
}

/** The one that came closest says most: one whose conditions were looked at. */
function explainAttestations(
  lacking: NonEmpty<AttestationRequirement>,
  reports: readonly Report[],
): Explanation {
  const asked = new Map(lacking.map((attestation) => [attestation.digest, attestation]));
  for (const { attestation, signature, outcome } of reports) {
    if (outcome !== 'trusted') continue;
    const failed = attestation?.conditions.find(
      ({ requirement, condition, outcome: found }) =>
        asked.has(requirement) && condition !== 'predicateTypes' && found === 'not-met',
    );
    const wanted = failed && asked.get(failed.requirement);
    if (wanted === undefined) continue;
    const short = signature.slice(0, 19);
    const because = `the rule asks for ${describeAttestation(wanted)}; ${short} does not meet ${failed?.condition}: ${failed?.because}`;
    return { reason: 'attestation-condition', because: bounded(because) };
  }
  const wanted = lacking.map(describeAttestation).join(' or ');
  const because = `no attestation was found that the rule asks for: ${wanted}`;
  return { reason: 'attestation-missing', because: bounded(because) };
}

function describeLeaf(leaf: Leaf): string {
  return 'signedBy' in leaf ? leaf.signedBy : describeAttestation(leaf.attestation);
}

/** `https://slsa.dev/provenance/v1 by acme-ci`. */
function describeAttestation({ predicateTypes, signedBy }: AttestationRequirement): string {
  return `an attestation ${list(predicateTypes)} by ${signedBy}`;
}

/** The check that stopped a signature, in its own words. */
function tellOf({ signature, identity, checks }: Report): string {
  const short = signature.slice(0, 19);
  const stopped = checks.find((check) => stops(check));
  const why = stopped === undefined ? 'it proves no signer' : `${stopped.id}: ${stopped.because}`;
  return `signature ${short} does not count for ${identity} (${why})`;
}

function stops({ outcome, enforcement, because }: Check): boolean {
  if (because === undefined) return false;
  return enforcement === 'enforce' && (outcome === 'failed' || outcome === 'inconclusive');
}

/** `at least 2 of a, b, (c and d)`. */
export function describeRequirement(requirement: Requirement, isNested = false): string {
  if ('signedBy' in requirement) return requirement.signedBy;
  if ('attestation' in requirement) return describeAttestation(requirement.attestation);
  const describe = (members: readonly Requirement[], joint: string): string =>
    members.map((member) => describeRequirement(member, true)).join(joint);
  let text: string;
  if ('allOf' in requirement) text = describe(requirement.allOf, ' and ');
  else if ('anyOf' in requirement) text = describe(requirement.anyOf, ' or ');
  else {
    const { count, of } = requirement.atLeast;
    text = `at least ${count} of ${describe(of, ', ')}`;
  }
  return isNested ? `(${text})` : text;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, maxNamed).join(', ');
  return names.length > maxNamed ? `${shown} and ${names.length - maxNamed} more` : shown;
}

function bounded(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength - 3)}...` : text;
}
