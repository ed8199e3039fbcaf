import t from 'tap';
import { makeMetrics, type MetricsRegistry } from '../../../src/observe/metrics.ts';
import { sumMetrics, sumOfEnded } from '../../../src/observe/sum-metrics.ts';

/** As they come from another process. */
async function sent(...processes: readonly MetricsRegistry[]) {
  return structuredClone(await Promise.all(processes.map((each) => each.snapshot())));
}

t.test('counters of several processes are summed by label', async (t) => {
  const [one, other] = [makeMetrics(), makeMetrics()];
  one.count('assay_denials_total', { reason: 'unsigned' }, 2);
  other.count('assay_denials_total', { reason: 'unsigned' });
  other.count('assay_denials_total', { reason: 'no-rule' });
  const text = await sumMetrics(await sent(one, other));
  t.match(text, /^assay_denials_total\{reason="unsigned"\} 3$/m);
  t.match(text, /^assay_denials_total\{reason="no-rule"\} 1$/m);
});

t.test('histograms are summed bucket by bucket', async (t) => {
  const [one, other] = [makeMetrics(), makeMetrics()];
  one.time('assay_verification_seconds', { kind: 'trusted' }, 0.02);
  other.time('assay_verification_seconds', { kind: 'trusted' }, 19);
  const text = await sumMetrics(await sent(one, other));
  t.match(text, /^assay_verification_seconds_bucket\{le="0.025",kind="trusted"\} 1$/m);
  t.match(text, /^assay_verification_seconds_bucket\{le="20",kind="trusted"\} 2$/m);
  t.match(text, /^assay_verification_seconds_count\{kind="trusted"\} 2$/m);
});

t.test('gauges go by the word of their declaration', async (t) => {
  const [one, other] = [makeMetrics(), makeMetrics()];
  for (const [metrics, value] of [
    [one, 3],
    [other, 5],
  ] as const) {
    metrics.set('assay_fills_running', {}, value);
    metrics.set('assay_deny_list_epoch', {}, value);
    metrics.set('assay_store_bytes', { kind: 'blobs' }, value);
  }
  const text = await sumMetrics(await sent(one, other));
  t.match(text, /^assay_fills_running 8$/m, 'sum');
  t.match(text, /^assay_deny_list_epoch 3$/m, 'min: in force everywhere');
  t.match(text, /^assay_store_bytes\{kind="blobs"\} 5$/m, 'max');
});

t.test(
  'a gauge that one process has not set is that of the other, and none where none has',
  async (t) => {
    const [one, other] = [makeMetrics(), makeMetrics()];
    t.notMatch(await sumMetrics(await sent(one, other)), /^assay_redis_up /m);
    other.set('assay_redis_up', {}, 1);
    t.match(await sumMetrics(await sent(one, other)), /^assay_redis_up 1$/m, 'an absence is no 0');
    one.set('assay_redis_up', {}, 0);
    t.match(await sumMetrics(await sent(one, other)), /^assay_redis_up 0$/m);
  },
);

t.test('what every process counts alike is counted once', async (t) => {
  const processes = [makeMetrics(), makeMetrics(), makeMetrics()];
  for (const metrics of processes) metrics.count('assay_reload_failures_total', { what: 'policy' });
  const text = await sumMetrics(await sent(...processes));
  t.match(text, /^assay_reload_failures_total\{what="policy"\} 1$/m);
});

t.test(
  'every metric of one process is there for several, with the same help and type',
  async (t) => {
    const one = makeMetrics();
    const heads = (text: string) => text.match(/^# .*$/gm)?.toSorted();
    t.same(heads(await sumMetrics(await sent(one, makeMetrics()))), heads(await one.render()));
  },
);

t.test(
  'the process began with its first one, and its loop is as slow as its slowest',
  async (t) => {
    const snapshots = await sent(makeMetrics(), makeMetrics());
    const set = (index: number, name: string, value: number): void => {
      const metric = snapshots[index]!.find((each) => each.name === name)!;
      metric.values = [{ labels: {}, value }];
    };
    set(0, 'assay_process_start_time_seconds', 100);
    set(1, 'assay_process_start_time_seconds', 200);
    set(0, 'assay_nodejs_eventloop_lag_p99_seconds', 0.1);
    set(1, 'assay_nodejs_eventloop_lag_p99_seconds', 0.5);
    set(0, 'assay_process_resident_memory_bytes', 1000);
    set(1, 'assay_process_resident_memory_bytes', 2000);
    const text = await sumMetrics(snapshots);
    t.match(text, /^assay_process_start_time_seconds 100$/m);
    t.match(text, /^assay_nodejs_eventloop_lag_p99_seconds 0.5$/m);
    t.match(text, /^assay_process_resident_memory_bytes 3000$/m);
  },
);

t.test('what a process counted outlives it, and how it was does not', async (t) => {
  const [primary, first, second] = [makeMetrics(), makeMetrics(), makeMetrics()];
  for (const ended of [first, second]) {
    ended.count('assay_denials_total', { reason: 'unsigned' }, 2);
    ended.time('assay_verification_seconds', { kind: 'trusted' }, 0.02);
    ended.set('assay_fills_running', {}, 7);
  }
  const once = await sumOfEnded(await sent(first));
  const twice = await sumOfEnded([once, ...(await sent(second))]);
  const text = await sumMetrics([...(await sent(primary)), twice]);
  t.match(text, /^assay_denials_total\{reason="unsigned"\} 4$/m);
  t.match(text, /^assay_verification_seconds_count\{kind="trusted"\} 2$/m);
  t.notMatch(text, /^assay_fills_running /m);
});
