import { createHash } from 'node:crypto';
import type { NotationRequirement } from '../verdict/identity-requirement.ts';
import type { SigstoreRequirement, TextMatch } from '../verdict/sigstore-requirement.ts';
import type { IdentityEntry } from './identities.ts';
import type { Requirement } from './policy.ts';

/** Plain data of which equal meanings give equal text. */
export type Canonical =
  string | number | null | readonly Canonical[] | { readonly [key: string]: Canonical };

/** SHA-256 over a text that says the same for everything that means the same, lower-case hex. */
export function digestOfMeaning(meaning: Canonical): string {
  return createHash('sha256').update(canonicalText(meaning)).digest('hex');
}

/** JSON with sorted names. */
export function canonicalText(meaning: Canonical): string {
  if (isList(meaning)) return `[${meaning.map(canonicalText).join(',')}]`;
  if (typeof meaning !== 'object' || meaning === null) return JSON.stringify(meaning);
  const members = Object.entries(meaning).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${canonicalText(value)}`).join(',')}}`;
}

/** A list whose order means nothing. */
export function asSet(items: readonly Canonical[]): readonly Canonical[] {
  const byText = new Map(items.map((item) => [canonicalText(item), item]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

export function meaningOfRequirement(requirement: Requirement): Canonical {
  if ('signedBy' in requirement) return { signedBy: requirement.signedBy };
  if ('attestation' in requirement) return { attestation: requirement.attestation.digest };
  if ('allOf' in requirement) return { allOf: asSet(requirement.allOf.map(meaningOfRequirement)) };
  if ('anyOf' in requirement) return { anyOf: asSet(requirement.anyOf.map(meaningOfRequirement)) };
  const { count, of } = requirement.atLeast;
  return { atLeast: { count, of: asSet(of.map(meaningOfRequirement)) } };
}

export function meaningOfIdentity(identity: IdentityEntry): Canonical {
  if (identity.kind === 'inline') return { notation: meaningOfNotation(identity.requirement) };
  if (identity.kind === 'sigstore') return { sigstore: meaningOfSigstore(identity.requirement) };
  const statements = identity.policy.statements.map(({ registryScopes, requirement }) => ({
    registryScopes: asSet(registryScopes),
    requirement: meaningOfNotation(requirement),
  }));
  return { policyFile: asSet(statements) };
}

function meaningOfNotation(requirement: NotationRequirement): Canonical {
  const { level, enforcement, trustStores, trustedIdentities } = requirement;
  const { verifyTimestamp, revocationTime } = requirement;
  const names =
    trustedIdentities === '*'
      ? '*'
      : asSet(trustedIdentities.map((name) => asSet([...name].map((pair) => pair))));
  return {
    level,
    enforcement: { ...enforcement },
    verifyTimestamp,
    revocationTime,
    trustStores: asSet(trustStores),
    trustedIdentities: names,
  };
}

function meaningOfSigstore({
  signer,
  signedAs,
  root,
  ...thresholds
}: SigstoreRequirement): Canonical {
  return {
    ...thresholds,
    root: root ?? null,
    signedAs: asSet(signedAs),
    ...meaningOfSigner(signer),
  };
}

function meaningOfSigner(
  signer: SigstoreRequirement['signer'],
): Readonly<Record<string, Canonical>> {
  if (signer.kind === 'keys') {
    const keys = signer.keys.map(({ keyFingerprint, validFrom, validUntil }) => ({
      keyFingerprint,
      validFrom: validFrom?.toISOString() ?? null,
      validUntil: validUntil?.toISOString() ?? null,
    }));
    return { keys: asSet(keys) };
  }
  const claims = [...signer.claims].map(([name, match]) => [name, meaningOfMatch(match)] as const);
  return {
    issuer: meaningOfMatch(signer.issuer),
    subject: meaningOfMatch(signer.subject),
    claims: Object.fromEntries(claims),
  };
}

function meaningOfMatch({ kind, text }: TextMatch): Canonical {
  return { [kind]: text };
}

function isList(meaning: Canonical): meaning is readonly Canonical[] {
  return Array.isArray(meaning);
}
