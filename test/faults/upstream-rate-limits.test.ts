import t from 'tap';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import { manifestAnswer, tooManyRequests } from '../support/scripted-answers.ts';

const good = manifestAnswer(buildImage().bytes);
const byTag = `GET /v2/${path}/manifests/${tag}`;

const longOnes: readonly (readonly [string | undefined, number | undefined])[] = [
  [undefined, undefined],
  ['30', 30],
  ['86400', 60],
  ['Tue, 01 Jan 2030 00:00:20 GMT', 20],
  ['Tue, 01 Jan 2030 09:00:00 GMT', 60],
  ['whenever', undefined],
];
for (const [stated, seconds] of longOnes) {
  t.test(
    `429 with Retry-After ${stated} is given back to the caller with ${seconds}`,
    async (t) => {
      const { upstream, source, waits } = await openRemoteKit(t);
      upstream.on(byTag, tooManyRequests(stated));
      const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
      t.equal(error.code, 'UPSTREAM_RATE_LIMITED');
      t.equal(error.retryAfterSeconds, seconds);
      t.strictSame(waits, []);
      t.equal(upstream.requests.length, 1);
    },
  );
}

for (const [stated, ms] of [
  ['2', 2000],
  ['0', 0],
  ['Tue, 01 Jan 2030 00:00:03 GMT', 3000],
] as const) {
  t.test(`429 with Retry-After ${stated} is waited for`, async (t) => {
    const { upstream, source, waits } = await openRemoteKit(t);
    upstream.on(byTag, tooManyRequests(stated), good);
    t.ok(await source.fetchManifest(path, { tag }, signal));
    t.strictSame(waits, [ms]);
  });
}

t.test('503 with Retry-After is waited for as long as it says', async (t) => {
  const { upstream, source, waits } = await openRemoteKit(t);
  upstream.on(byTag, { status: 503, headers: { 'retry-after': '1' } }, good);
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.strictSame(waits, [1000]);
});

t.test('429 to the end is asked three times', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, tooManyRequests('1'));
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.retryAfterSeconds, 1);
  t.equal(upstream.requests.length, 3);
});

for (const [stated, remaining] of [
  ['76;w=21600', 76],
  ['0', 0],
] as const) {
  t.test(`ratelimit-remaining ${stated} is published as ${remaining}`, async (t) => {
    const { upstream, source, metrics } = await openRemoteKit(t);
    const headers = { ...good.headers, 'ratelimit-remaining': stated };
    upstream.on(byTag, { ...good, headers });
    await source.fetchManifest(path, { tag }, signal);
    const labels = { upstream: 'lab' };
    t.equal(metrics.counted('assay_upstream_rate_limit_remaining', labels), remaining);
  });
}

t.test('requests are counted by operation and outcome, and timed', async (t) => {
  const { upstream, source, metrics } = await openRemoteKit(t);
  upstream.on(byTag, good, tooManyRequests(), { status: 404 });
  for (let call = 0; call < 3; call += 1) {
    await source.fetchManifest(path, { tag }, signal).catch(() => undefined);
  }
  const counted = (outcome: string): number =>
    metrics.counted('assay_upstream_requests_total', {
      upstream: 'lab',
      operation: 'manifest',
      outcome,
    });
  t.strictSame([counted('2xx'), counted('4xx')], [1, 2]);
  t.equal(metrics.counted('assay_upstream_seconds', { upstream: 'lab', operation: 'manifest' }), 3);
});
