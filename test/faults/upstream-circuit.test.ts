import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { parseRepositoryPath } from '../../src/oci/repository.ts';
import { openContentKit } from '../support/content-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemote, openRemoteKit, path, signal, tag } from '../support/remote-kit.ts';
import { manifestAnswer } from '../support/scripted-answers.ts';

const image = buildImage();
/** A repository that needs no log-in. */
const open = parseRepositoryPath('team/open')!;
const byTag = `GET /v2/${path}/manifests/${tag}`;
const anyDigest = digestOf(Buffer.from('any'));
/** Three requests a call, which all fail. */
const enough = 4;

t.test('an upstream that answers 500 is left alone, then probed, then asked again', async (t) => {
  const { upstream, source, clock, metrics } = await openRemoteKit(t);
  upstream.on(byTag, { status: 500 });
  const ask = () => source.fetchManifest(path, { tag }, signal);
  for (let nth = 0; nth < enough; nth += 1) await failureOf(t, ask());
  const asked = upstream.requests.length;
  const error = await failureOf(t, ask());
  t.equal(error.code, 'UPSTREAM_FAILED');
  t.equal(error.retryAfterSeconds, 5);
  t.match(error.message, /^manifest team\/app:v1 from upstream lab: is not asked for 5 s/);
  t.equal(upstream.requests.length, asked, 'it was not asked');
  const labels = { upstream: 'lab', operation: 'manifest', because: 'circuit' };
  t.ok(metrics.counted('assay_upstream_unasked_total', labels) > 0);

  t.equal(await source.statBlob(path, anyDigest, signal), undefined, 'blobs are asked for');
  upstream.on(byTag, manifestAnswer(image.bytes));
  clock.advanceMs(5_000);
  t.ok(await ask());
  t.equal(upstream.requests.at(-1)?.path, `/v2/${path}/manifests/${tag}`);
});

t.test('a token server that is down stops questions to itself, not those without it', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const challenge = `Bearer realm="${upstream.origin}/token",service="lab"`;
  upstream.on(byTag, { status: 401, headers: { 'www-authenticate': challenge } });
  upstream.on('GET /token', { status: 503 });
  for (let nth = 0; nth < enough; nth += 1) {
    await failureOf(t, source.fetchManifest(path, { tag }, signal));
  }
  const before = upstream.seen('/token').length;
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_FAILED');
  t.ok(error.retryAfterSeconds);
  t.equal(upstream.seen('/token').length, before, 'the token server has its peace');
  t.equal(await source.statBlob(open, anyDigest, signal), undefined);
});

t.test('clients that leave open nothing', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(byTag, { hang: 'before-headers' });
  for (let nth = 0; nth < 12; nth += 1) {
    const leaving = new AbortController();
    const asking = source.fetchManifest(path, { tag }, leaving.signal);
    while (upstream.requests.length <= nth) await new Promise(setImmediate);
    leaving.abort(new Error('the client has gone'));
    await t.rejects(asking, { message: 'the client has gone' });
  }
  upstream.on(byTag, manifestAnswer(image.bytes));
  t.ok(await source.fetchManifest(path, { tag }, signal));
});

t.test('too many that wait for one upstream are told at once; another one answers', async (t) => {
  const limits = { maxConnections: 2, maxWaiting: 4 };
  const { upstream, source, metrics } = await openRemoteKit(t, { limits });
  const other = await openRemoteKit(t, { limits });
  upstream.on(byTag, { hang: 'before-headers' });
  other.upstream.on(byTag, manifestAnswer(image.bytes));
  const leaving = new AbortController();
  const waiting = Array.from({ length: 4 }, () =>
    source.fetchManifest(path, { tag }, leaving.signal).catch(() => 'left'),
  );
  while (upstream.requests.length < 2) await new Promise(setImmediate);
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  t.equal(error.retryAfterSeconds, 1);
  t.equal(upstream.requests.length, 2, 'two connections, two requests');
  const labels = { upstream: 'lab', operation: 'manifest', because: 'queue' };
  t.equal(metrics.counted('assay_upstream_unasked_total', labels), 1);
  t.ok(await other.source.fetchManifest(path, { tag }, signal), 'the other one is not slowed');
  leaving.abort(new Error('gone'));
  t.strictSame(await Promise.all(waiting), Array(4).fill('left'));
  upstream.on(byTag, manifestAnswer(image.bytes));
  t.ok(await source.fetchManifest(path, { tag }, signal), 'who left made room');
});

t.test('an upstream that is not there is left alone too', async (t) => {
  const { source } = openRemote(t, 'http://127.0.0.1:1');
  for (let nth = 0; nth < enough; nth += 1) {
    await failureOf(t, source.fetchManifest(path, { tag }, signal));
  }
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  t.equal(error.retryAfterSeconds, 5);
});

t.test(
  'clients get 503 with the time until the probe; what is stored needs no upstream',
  async (t) => {
    const kit = await openContentKit(t, { layerSizes: [300_000, 300_000] });
    const [, stored, missing] = kit.image.blobs;
    const whole = await kit.open({ blob: stored! }).ended;
    t.ok(whole.isComplete);
    kit.registry.setFault(() => ({ status: 502 }));
    for (let nth = 0; nth < enough; nth += 1) await kit.open({ blob: missing! }).ended;
    const asked = kit.registry.requests.length;
    const answer = await kit.ask(`reg/app/blobs/${missing!.descriptor.digest}`);
    t.equal(answer.status, 503);
    const seconds = Number(answer.headers.get('retry-after'));
    t.ok(seconds >= 1 && seconds <= 5, `Retry-After is ${seconds}`);
    const again = await kit.open({ blob: stored! }).ended;
    t.ok(again.isComplete && again.isRightSoFar);
    t.equal((await kit.ask(`reg/app/manifests/${kit.image.descriptor.digest}`)).status, 200);
    t.equal(kit.registry.requests.length, asked, 'upstream has its peace');
  },
);
