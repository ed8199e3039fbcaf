import t from 'tap';
import { makeEndedMetrics } from '../../../src/compose/ended-metrics.ts';
import { makeMetrics } from '../../../src/observe/metrics.ts';
import { sumMetrics } from '../../../src/observe/sum-metrics.ts';
import { eventually } from '../../support/content-kit.ts';

async function snapshot(denials: number) {
  const metrics = makeMetrics();
  metrics.count('assay_denials_total', { reason: 'unsigned' }, denials);
  metrics.set('assay_fills_running', {}, 3);
  return metrics.snapshot();
}

t.test('many that ended become one, and nothing is lost or counted twice meanwhile', async (t) => {
  const ended = makeEndedMetrics();
  const snapshots = await Promise.all([1, 2, 3, 4].map(snapshot));
  const [first, second, ...more] = snapshots;
  ended.add(first!);
  ended.add(second!);
  // While the first two are being merged.
  for (const each of more) ended.add(each);
  t.match(await sumMetrics(ended.all()), /^assay_denials_total\{reason="unsigned"\} 10$/m);
  await eventually(() => ended.all().length === 1);
  const text = await sumMetrics(ended.all());
  t.match(text, /^assay_denials_total\{reason="unsigned"\} 10$/m);
  t.notMatch(text, /^assay_fills_running 3$/m, 'what a process had under way ended with it');
});

t.test('where none has ended there is nothing', async (t) => {
  t.same(makeEndedMetrics().all(), []);
});
