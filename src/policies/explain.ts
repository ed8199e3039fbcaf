import type { Check } from '../verdict/check.ts';
import { describeIdentity } from '../verdict/identity.ts';
import type { Reason } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';
import type { Requirement } from './policy.ts';
import { identitiesOf } from './requirement.ts';

interface Explanation {
  readonly reason: Reason;
  readonly because: string;
}

/**
 * Of several failures the one that a person can do most about comes first: a named signer whose
 * signature ended says more than a stranger's, and a stranger's more than a broken one.
 */
const byTelling: readonly Reason[] = [
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
  const because = `the signatures could not be listed: ${incomplete ?? 'the cause is unknown'}`;
  return { reason: 'upstream-unavailable', because: bounded(because) };
}

/** `proven`: the identities that have a trusted signature, which were not enough. */
export function explainUntrusted(
  requirement: Requirement,
  reports: readonly Report[],
  proven: readonly string[],
): Explanation {
  const wanted = describeRequirement(requirement);
  if (proven.length > 0) {
    const missing = identitiesOf(requirement).filter((name) => !proven.includes(name));
    const lack =
      missing.length > 0 ? `missing: ${list(missing)}` : 'one key counts for one identity only';
    const because = `signed by ${list(proven)}, but the rule asks for ${wanted}; ${lack}`;
    return { reason: 'not-enough-signers', because: bounded(because) };
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
