import type { MetricsRegistry } from '../observe/metrics.ts';
import type { LoadedBasis } from './basis.ts';
import { storesOf } from './policy-stores.ts';

/** Shows which policy is in force, and when the anchors that it relies upon end. */
export function publishBasis({ policy, trust }: LoadedBasis, metrics: MetricsRegistry): void {
  metrics.forget('assay_policy_info');
  const revision = policy.revision === undefined ? '' : String(policy.revision);
  metrics.set('assay_policy_info', { digest: policy.digest, revision }, 1);
  metrics.forget('assay_trust_certificate_expiry_timestamp_seconds');
  for (const store of storesOf(policy)) {
    for (const { fingerprint, notAfter } of trust.notationStore(store) ?? []) {
      const labels = { store, fingerprint };
      const seconds = notAfter.getTime() / 1000;
      metrics.set('assay_trust_certificate_expiry_timestamp_seconds', labels, seconds);
    }
  }
}
