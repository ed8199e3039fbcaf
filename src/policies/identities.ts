import { keyPath } from '../files/problem.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type {
  IdentityRequirement,
  NotationRequirement,
  NotationTrustStoreName,
} from '../verdict/identity-requirement.ts';
import { type Place, readFields, readText, type ReportProblem } from './document-reader.ts';
import { readLevel, readStatement } from './notation-statement.ts';
import { type NotationTrustPolicy, readNotationTrustPolicy } from './notation-trust-policy.ts';

/** Who may vouch, as the policy declares it under a name. */
export type IdentityEntry =
  | { readonly kind: 'inline'; readonly requirement: NotationRequirement }
  | { readonly kind: 'policy-file'; readonly policy: NotationTrustPolicy };

export type Identities = ReadonlyMap<string, IdentityEntry>;

/** Yields the text of a file that a policy refers to, by the path as it is written there. */
export type ReadReferredFile = (path: string) => Promise<string>;

const identityName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const laterKinds = ['sigstore', 'gpg', 'cms', 'key', 'dockerContentTrust'] as const;

/** Reads `identities:`. Names of identities that do not load stay in `declared`. */
export async function readIdentities(
  place: Place | undefined,
  readFile: ReadReferredFile,
  report: ReportProblem,
): Promise<{ readonly identities: Identities; readonly declared: ReadonlySet<string> }> {
  const identities = new Map<string, IdentityEntry>();
  const declared = new Set<string>();
  if (place === undefined) return { identities, declared };
  const { node, path } = place;
  if (node.kind !== 'map') {
    report(place, 'must be a mapping of names to identities');
    return { identities, declared };
  }
  for (const { key, at, value } of node.entries) {
    const within = { node: value, path: keyPath(path, key) };
    declared.add(key);
    if (!identityName.test(key)) {
      const named = { node: { ...value, at }, path: within.path };
      report(named, 'is no name: 1 to 128 letters, digits, `.`, `_`, `-`');
    }
    const identity = await readIdentity(within, readFile, report);
    if (identity !== undefined) identities.set(key, identity);
  }
  return { identities, declared };
}

async function readIdentity(
  place: Place,
  readFile: ReadReferredFile,
  report: ReportProblem,
): Promise<IdentityEntry | undefined> {
  const fields = readFields(place, { optional: ['notation'], later: laterKinds }, report);
  const notation = fields?.get('notation');
  if (notation === undefined) {
    const isEmpty = place.node.kind === 'map' && place.node.entries.length === 0;
    return isEmpty ? report(place, 'notation is missing') : undefined; // Reported already.
  }
  const { node } = notation;
  const refersToFile =
    node.kind === 'map' && node.entries.some((entry) => entry.key === 'policyFile');
  return refersToFile
    ? await readPolicyFile(notation, readFile, report)
    : readInline(notation, report);
}

function readInline(place: Place, report: ReportProblem): IdentityEntry | undefined {
  const lists = ['trustStores', 'trustedIdentities'];
  const optional = [...lists, 'level', 'override', 'verifyTimestamp', 'revocationTime'];
  const fields = readFields(place, { optional }, report);
  if (fields === undefined) return undefined;
  const levelPlace = fields.get('level');
  const level = levelPlace === undefined ? 'strict' : readLevel(levelPlace, report);
  const statement = { level, verification: fields, trust: fields };
  const requirement = readStatement(statement, place, report);
  return requirement && { kind: 'inline', requirement };
}

async function readPolicyFile(
  place: Place,
  readFile: ReadReferredFile,
  report: ReportProblem,
): Promise<IdentityEntry | undefined> {
  const filePlace = readFields(place, { required: ['policyFile'] }, report)?.get('policyFile');
  const file = filePlace && readText(filePlace, report, 4096);
  if (filePlace === undefined || file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file);
  } catch (error) {
    return report(filePlace, `can not be read: ${messageOf(error)}`);
  }
  const policy = readNotationTrustPolicy(text, filePlace, report);
  return policy && { kind: 'policy-file', policy };
}

/** Every statement that may speak for the identity, in whatever scope. */
export function requirementsOf(identity: IdentityEntry): readonly NotationRequirement[] {
  return identity.kind === 'inline'
    ? [identity.requirement]
    : identity.policy.statements.map((statement) => statement.requirement);
}

export function requirementIn(
  name: string,
  identity: IdentityEntry,
  scope: string,
): IdentityRequirement | undefined {
  if (identity.kind === 'inline') {
    return { family: 'notation', name, notation: identity.requirement };
  }
  const statement = identity.policy.statementFor(scope);
  return statement && { family: 'notation', name, notation: statement.requirement };
}

export function trustStoresOf(identity: IdentityEntry): readonly NotationTrustStoreName[] {
  return requirementsOf(identity).flatMap((requirement) => requirement.trustStores);
}
