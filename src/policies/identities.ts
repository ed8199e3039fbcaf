import { keyPath } from '../files/problem.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type {
  IdentityRequirement,
  NotationRequirement,
  NotationTrustStoreName,
} from '../verdict/identity-requirement.ts';
import type { SigstoreRequirement } from '../verdict/sigstore-requirement.ts';
import { type Place, readFields, readText, type ReportProblem } from './document-reader.ts';
import { readLevel, readStatement } from './notation-statement.ts';
import { type NotationTrustPolicy, readNotationTrustPolicy } from './notation-trust-policy.ts';
import type { Referred } from './referred.ts';
import { readSigstore } from './sigstore-identity.ts';

/** Who may vouch, as the policy declares it under a name. */
export type IdentityEntry =
  | { readonly kind: 'inline'; readonly requirement: NotationRequirement }
  | { readonly kind: 'policy-file'; readonly policy: NotationTrustPolicy }
  | { readonly kind: 'sigstore'; readonly requirement: SigstoreRequirement };

export type Identities = ReadonlyMap<string, IdentityEntry>;

const identityName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const kinds = ['notation', 'sigstore'] as const;
const laterKinds = ['gpg', 'cms', 'key', 'dockerContentTrust'] as const;

/** Reads `identities:`. Names of identities that do not load stay in `declared`. */
export async function readIdentities(
  place: Place | undefined,
  referred: Referred,
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
    const identity = await readIdentity(within, referred, report);
    if (identity !== undefined) identities.set(key, identity);
  }
  return { identities, declared };
}

async function readIdentity(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<IdentityEntry | undefined> {
  const fields = readFields(place, { optional: kinds, later: laterKinds }, report);
  if (fields === undefined) return undefined;
  const [field, another] = fields;
  if (another !== undefined) return report(place, `must have exactly one of ${kinds.join(', ')}`);
  if (field === undefined) {
    const isEmpty = place.node.kind === 'map' && place.node.entries.length === 0;
    return isEmpty ? report(place, `must have one of ${kinds.join(', ')}`) : undefined; // Reported already.
  }
  const [kind, within] = field;
  if (kind === 'notation') return await readNotation(within, referred, report);
  const requirement = await readSigstore(within, referred, report);
  return requirement && { kind: 'sigstore', requirement };
}

async function readNotation(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<IdentityEntry | undefined> {
  const { node } = place;
  const refersToFile =
    node.kind === 'map' && node.entries.some((entry) => entry.key === 'policyFile');
  return refersToFile ? await readPolicyFile(place, referred, report) : readInline(place, report);
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
  referred: Referred,
  report: ReportProblem,
): Promise<IdentityEntry | undefined> {
  const filePlace = readFields(place, { required: ['policyFile'] }, report)?.get('policyFile');
  const file = filePlace && readText(filePlace, report, 4096);
  if (filePlace === undefined || file === undefined) return undefined;
  let text: string;
  try {
    text = await referred.readFile(file);
  } catch (error) {
    return report(filePlace, `can not be read: ${messageOf(error)}`);
  }
  const policy = readNotationTrustPolicy(text, filePlace, report);
  return policy && { kind: 'policy-file', policy };
}

/** Every Notation statement that may speak for the identity, in whatever scope. */
export function requirementsOf(identity: IdentityEntry): readonly NotationRequirement[] {
  if (identity.kind === 'sigstore') return [];
  return identity.kind === 'inline'
    ? [identity.requirement]
    : identity.policy.statements.map((statement) => statement.requirement);
}

export function requirementIn(
  name: string,
  identity: IdentityEntry,
  scope: string,
): IdentityRequirement | undefined {
  if (identity.kind === 'sigstore') {
    return { family: 'sigstore', name, sigstore: identity.requirement };
  }
  const notation =
    identity.kind === 'inline'
      ? identity.requirement
      : identity.policy.statementFor(scope)?.requirement;
  return notation && { family: 'notation', name, notation };
}

export function trustStoresOf(identity: IdentityEntry): readonly NotationTrustStoreName[] {
  return requirementsOf(identity).flatMap((requirement) => requirement.trustStores);
}

/** The Sigstore root that the identity is held against, if it is. */
export function rootsOf(identity: IdentityEntry): readonly string[] {
  if (identity.kind !== 'sigstore') return [];
  const { root } = identity.requirement;
  return root === undefined ? [] : [root];
}
