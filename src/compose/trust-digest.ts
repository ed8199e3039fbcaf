import { createHash } from 'node:crypto';
import { oncePer } from '../kernel/once.ts';
import type { LoadedBasis } from './basis.ts';

/** SHA-256 over the trust stores and Sigstore roots that the policy refers to, as they are now. */
export const trustDigestOf = oncePer((basis: Pick<LoadedBasis, 'policy' | 'trust'>): string => {
  const { policy, trust } = basis;
  const rules = policy.rules.filter((rule) => rule.kind === 'require');
  const stores = new Set(rules.flatMap(({ trustStores }) => trustStores));
  const roots = new Set(rules.flatMap(({ sigstoreRoots }) => sigstoreRoots));
  const hash = createHash('sha256');
  for (const store of [...stores].toSorted()) {
    hash.update(`${store} ${trust.notationStoreDigest(store)}\n`);
  }
  for (const root of [...roots].toSorted()) {
    hash.update(`root ${root} ${trust.sigstoreRootDigest(root)}\n`);
  }
  return hash.digest('hex');
});
