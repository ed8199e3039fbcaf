import type { MetricsRegistry } from '../observe/metrics.ts';
import type { LoadedBasis } from './basis.ts';
import { anchorsInUse } from './anchors.ts';

/** Each is a series of its own for whoever collects them. */
const maxSeries = 1000;
const maxLabelLength = 120;

/** Shows which policy is in force, and when its exemptions and the anchors that it relies upon end. */
export function publishBasis({ policy, trust }: LoadedBasis, metrics: MetricsRegistry): void {
  metrics.forget('assay_policy_info');
  const revision = policy.revision === undefined ? '' : String(policy.revision);
  metrics.set('assay_policy_info', { digest: policy.digest, revision }, 1);
  metrics.forget('assay_trust_anchor_expiry_timestamp_seconds');
  for (const { store, certificate } of anchorsInUse({ policy, trust }).slice(0, maxSeries)) {
    const { fingerprint, notAfter } = certificate;
    const subject = certificate.subject.text.slice(0, maxLabelLength);
    const labels = { store, subject, fingerprint };
    const seconds = notAfter.getTime() / 1000;
    metrics.set('assay_trust_anchor_expiry_timestamp_seconds', labels, seconds);
  }
  publishExemptions(policy, metrics);
}

function publishExemptions({ rules }: LoadedBasis['policy'], metrics: MetricsRegistry): void {
  const exemptions = rules
    .filter((rule) => rule.kind === 'exempt')
    .toSorted((a, b) => a.until.getTime() - b.until.getTime());
  metrics.forget('assay_exemption_expiry_timestamp_seconds');
  for (const { name: rule, owner, until } of exemptions.slice(0, maxSeries)) {
    const labels = { rule, owner: owner.slice(0, maxLabelLength) };
    metrics.set('assay_exemption_expiry_timestamp_seconds', labels, until.getTime() / 1000);
  }
}
