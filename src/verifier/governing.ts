import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Rule } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { Governing, VerdictLifetimes, VerificationBasis } from './verifier.ts';

/** Raised with every change of a check: what an older version trusted is verified again. */
const checksRevision = 4;

/** See `Verifier.governing`. */
export function governing(
  repository: Repository,
  subject: Digest,
  { policy, trust }: VerificationBasis,
  { trustedMs }: Pick<VerdictLifetimes, 'trustedMs'>,
  at: Date,
): Governing {
  const rule = policy.ruleFor(scopeOf(repository), subject, at);
  if (rule === undefined) return { rule, digest: 'no-rule' };
  return { rule, digest: `${digestOfRule(rule, trust)} ${checksRevision} ${trustedMs}` };
}

const ruleDigests = new WeakMap<TrustMaterial, Map<string, string>>();

/** The rule with everything it refers to; worked out once for each rule and trust material. */
function digestOfRule(rule: Rule, trust: TrustMaterial): string {
  const known = ruleDigests.get(trust) ?? new Map<string, string>();
  ruleDigests.set(trust, known);
  const audited = rule.kind === 'require' && rule.audit !== undefined;
  const key = `${rule.digest} ${audited ? 'audit' : ''}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const hash = createHash('sha256').update(key);
  const stores = rule.kind === 'require' ? rule.trustStores : [];
  for (const store of stores) hash.update(`\n${store} ${trust.notationStoreDigest(store)}`);
  const roots = rule.kind === 'require' ? rule.sigstoreRoots : [];
  for (const root of roots) hash.update(`\nroot ${root} ${trust.sigstoreRootDigest(root)}`);
  const digest = hash.digest('hex');
  known.set(key, digest);
  return digest;
}
