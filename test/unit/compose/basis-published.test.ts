import t from 'tap';
import type { LoadedBasis } from '../../../src/compose/basis.ts';
import { publishBasis } from '../../../src/compose/basis-published.ts';
import { makeMetrics } from '../../../src/observe/metrics.ts';
import { loadTrustPolicy } from '../../../src/policies/trust-policy.ts';

async function basisOf(rules: readonly object[]): Promise<LoadedBasis> {
  const identities = { acme: { notation: { trustStores: ['ca:acme'], trustedIdentities: ['*'] } } };
  const text = JSON.stringify({ version: 1, revision: 7, identities, rules });
  const policy = await loadTrustPolicy(text, 'policy.yaml', async () => '');
  const trust = { notationStore: () => [] };
  return { policy, trust, problems: [] } as unknown as LoadedBasis;
}

const required = { repositories: ['a/**'], require: { signedBy: 'acme' } };
const exempted = (until: string) => ({
  repositories: ['b/**'],
  exempt: { reason: 'not signed yet', owner: 'sre@acme.example', until },
});
const series = /^assay_exemption_expiry_timestamp_seconds\{.*$/gm;

t.test('exemptions are shown with their owner and end, other rules are not', async (t) => {
  const metrics = makeMetrics();
  publishBasis(await basisOf([required, exempted('2030-01-01T00:00:00Z')]), metrics);
  const text = await metrics.render();
  t.equal(text.match(series)?.length, 1);
  const seconds = Date.UTC(2030, 0, 1) / 1000;
  const labels = '\\{rule="rule 2 \\(line 1\\)",owner="sre@acme\\.example"\\}';
  t.match(text, new RegExp(`^assay_exemption_expiry_timestamp_seconds${labels} ${seconds}$`, 'm'));
  t.match(text, /^assay_policy_info\{digest="[0-9a-f]{64}",revision="7"\} 1$/m);
});

t.test('an exemption that was taken away is not shown any more', async (t) => {
  const metrics = makeMetrics();
  publishBasis(await basisOf([required, exempted('2030-01-01T00:00:00Z')]), metrics);
  publishBasis(await basisOf([required]), metrics);
  t.notMatch(await metrics.render(), series);
});

t.test('of very many exemptions those that end first are shown', async (t) => {
  const metrics = makeMetrics();
  const days = Array.from({ length: 1001 }, (_, day) => day).toReversed();
  const endOf = (day: number) => new Date(Date.UTC(2030, 0, 1 + day)).toISOString();
  publishBasis(await basisOf(days.map((day) => exempted(endOf(day)))), metrics);
  const text = await metrics.render();
  t.equal(text.match(series)?.length, 1000);
  t.match(text, new RegExp(` ${Date.UTC(2030, 0, 1) / 1000}$`, 'm'));
  t.notMatch(text, new RegExp(` ${Date.UTC(2030, 0, 1001) / 1000}$`, 'm'));
});
