import type { TrustPolicy } from '../policies/policy.ts';
import type { NotationTrustStoreName } from '../verdict/identity-requirement.ts';

/** Every trust store that a rule's identities refer to. */
export function storesOf(policy: Pick<TrustPolicy, 'rules'>): ReadonlySet<NotationTrustStoreName> {
  const stores = policy.rules.map((rule) => (rule.kind === 'require' ? rule.trustStores : []));
  return new Set(stores.flat());
}
