import t from 'tap';
import { metricList } from '../../../src/observe/metric-list.ts';
import { makeMetrics } from '../../../src/observe/metrics.ts';

t.test('every metric of the list is served with its help and type', async (t) => {
  const text = await makeMetrics().render();
  for (const { name, kind, help } of metricList) {
    t.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`), name);
  }
});

t.test('counters add up by label', async (t) => {
  const metrics = makeMetrics();
  metrics.count('assay_denials_total', { reason: 'unsigned' });
  metrics.count('assay_denials_total', { reason: 'unsigned' }, 2);
  metrics.count('assay_denials_total', { reason: 'no-rule' });
  const text = await metrics.render();
  t.match(text, /^assay_denials_total\{reason="unsigned"\} 3$/m);
  t.match(text, /^assay_denials_total\{reason="no-rule"\} 1$/m);
});

t.test(
  'labels count as one however they are ordered, and as others where one differs',
  async (t) => {
    const metrics = makeMetrics();
    metrics.count('assay_requests_total', { route: 'blobs', method: 'GET', status: '200' });
    metrics.count('assay_requests_total', { status: '200', method: 'GET', route: 'blobs' });
    metrics.count('assay_requests_total', { route: 'blobs', method: 'HEAD', status: '200' });
    const lines = (await metrics.render()).match(/^assay_requests_total\{.*$/gm);
    t.strictSame(lines, [
      'assay_requests_total{route="blobs",method="GET",status="200"} 2',
      'assay_requests_total{route="blobs",method="HEAD",status="200"} 1',
    ]);
  },
);

t.test(
  'a histogram sorts seconds into buckets that reach the 20 s of the first answer',
  async (t) => {
    const metrics = makeMetrics();
    metrics.time('assay_verification_seconds', { kind: 'trusted' }, 0.02);
    metrics.time('assay_verification_seconds', { kind: 'trusted' }, 19);
    const text = await metrics.render();
    t.match(text, /^assay_verification_seconds_bucket\{le="0.01",kind="trusted"\} 0$/m);
    t.match(text, /^assay_verification_seconds_bucket\{le="0.025",kind="trusted"\} 1$/m);
    t.match(text, /^assay_verification_seconds_bucket\{le="20",kind="trusted"\} 2$/m);
  },
);

t.test('a gauge that was forgotten shows only what was set since', async (t) => {
  const metrics = makeMetrics();
  metrics.set('assay_policy_info', { digest: 'old', revision: '1' }, 1);
  metrics.forget('assay_policy_info');
  metrics.set('assay_policy_info', { digest: 'new', revision: '2' }, 1);
  const text = await metrics.render();
  t.match(text, /^assay_policy_info\{digest="new",revision="2"\} 1$/m);
  t.notMatch(text, 'digest="old"');
});

t.test('a gauge that was never set has no value', async (t) => {
  const metrics = makeMetrics();
  t.notMatch(await metrics.render(), /^assay_redis_up /m);
  metrics.set('assay_redis_up', {}, 0);
  t.match(await metrics.render(), /^assay_redis_up 0$/m);
});

t.test('a name ends in _total where it is a counter, and nowhere else', async (t) => {
  const types = [...(await makeMetrics().render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  t.ok(types.length > metricList.length, 'those of the process too');
  for (const [, name = '', kind] of types)
    t.equal(name.endsWith('_total'), kind === 'counter', name);
});

t.test('the process and its event loop are measured under our prefix', async (t) => {
  const text = await makeMetrics().render();
  t.match(text, /^assay_nodejs_eventloop_lag_p99_seconds /m);
  t.match(text, /^assay_process_resident_memory_bytes /m);
});

t.test('two registries do not count into each other', async (t) => {
  const one = makeMetrics();
  one.count('assay_sealed_entries_rejected_total', {});
  t.match(await makeMetrics().render(), /^assay_sealed_entries_rejected_total 0$/m);
  t.match(await one.render(), /^assay_sealed_entries_rejected_total 1$/m);
});
