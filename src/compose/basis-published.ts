import type { MetricsRegistry } from '../observe/metrics.ts';
import type { LoadedBasis } from './basis.ts';
import { anchorsInUse } from './anchors.ts';

/** Each is a series of its own for whoever collects them. */
const maxAnchors = 1000;
const maxSubjectLength = 120;

/** Shows which policy is in force, and when the anchors that it relies upon end. */
export function publishBasis({ policy, trust }: LoadedBasis, metrics: MetricsRegistry): void {
  metrics.forget('assay_policy_info');
  const revision = policy.revision === undefined ? '' : String(policy.revision);
  metrics.set('assay_policy_info', { digest: policy.digest, revision }, 1);
  metrics.forget('assay_trust_anchor_expiry_timestamp_seconds');
  for (const { store, certificate } of anchorsInUse({ policy, trust }).slice(0, maxAnchors)) {
    const { fingerprint, notAfter } = certificate;
    const subject = certificate.subject.text.slice(0, maxSubjectLength);
    const labels = { store, subject, fingerprint };
    const seconds = notAfter.getTime() / 1000;
    metrics.set('assay_trust_anchor_expiry_timestamp_seconds', labels, seconds);
  }
}
