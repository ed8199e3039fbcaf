import t from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { eventually } from '../support/content-kit.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';
import { redisAt, stateKey } from '../support/replicas-kit.ts';
import { makeRotationKit } from '../support/rotation-kit.ts';
import { runAssay } from '../support/run-assay.ts';
import { makeChain } from '../support/test-ca.ts';
import { openWorkersKit, serveWorkers } from '../support/workers-kit.ts';

t.setTimeout(120_000);

const image = buildImage({ name: 'workers-changes', layerSizes: [200_000] });

t.test('what is denied over the admin API is denied by all workers', async (t) => {
  const token = 'a-token-of-more-than-thirty-two-characters';
  const kit = await openWorkersKit(t, image, { admin: { host: '127.0.0.1', port: 0, token } });
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
  const answer = await fetch(`${kit.admin}/v1/deny`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ digest: image.descriptor.digest, reason: 'INC-1', owner: 'sre' }),
  });
  t.equal(answer.status, 201);
  await eventually(async () => (await kit.askAll('reg/app/manifests/v1')).every((s) => s === 403));
  t.match(await kit.metrics(), /^assay_deny_list_epoch 1$/m);
});

t.test('what a command beside them denies, nobody telling them, is denied by all', async (t) => {
  const kit = await openWorkersKit(t, image);
  const { digest } = image.descriptor;
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
  const words = ['--reason', 'INC-1', '--owner', 'sre'];
  const run = await runAssay(['deny', 'add', '--digest', digest, ...words, '--config', kit.file]);
  t.equal(run.code, 0, run.stderr);
  await eventually(async () => (await kit.askAll('reg/app/manifests/v1')).every((s) => s === 403));
});

t.test('a reference that is to be looked at anew is so by all workers', async (t) => {
  const kit = await openWorkersKit(t, image, { lifetimes: { tag: '1h' } });
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
  const next = buildImage({ name: 'next' });
  kit.registry.put('app', next, 'v1');
  kit.registry.put('app', signatureOf(next.descriptor));
  const isNext = async (): Promise<boolean> => {
    const asked = [];
    for (let count = 0; count < 8; count += 1) asked.push(await kit.ask('reg/app/manifests/v1'));
    return asked.every(({ body }) => body.equals(next.bytes));
  };
  t.notOk(await isNext(), 'the tag is taken to point where it did');
  const run = await runAssay(['cache', 'purge', 'reg/app:v1', '--config', kit.file]);
  t.equal(run.code, 0, run.stderr);
  await eventually(isNext);
  t.pass('all of them');
});

t.test('with redis, workers verify once and deny together too, as one replica', async (t) => {
  if (!hasRedis(t)) return;
  const redis = redisAt(await startRedis(t));
  const kit = await openWorkersKit(t, image, { redis, state: { keys: [stateKey] } });
  const asked = await Promise.all(
    Array.from({ length: 12 }, () => kit.ask('reg/app/manifests/v1')),
  );
  t.ok(asked.every(({ status }) => status === 200));
  t.equal(await kit.counted('assay_verdicts_total'), 1);
  t.match(await kit.metrics(), /^assay_redis_up 1$/m);
  const { digest } = image.descriptor;
  const words = ['--digest', digest, '--reason', 'INC-1', '--owner', 'sre'];
  const run = await runAssay(['deny', 'add', ...words, '--config', kit.file]);
  t.equal(run.code, 0, run.stderr);
  await eventually(async () => (await kit.askAll('reg/app/manifests/v1')).every((s) => s === 403));
  await eventually(async () => /^assay_replicas_seen 1$/m.test(await kit.metrics()));
});

const first = makeChain({ authority: 'first' });
const second = makeChain({ authority: 'second' });

t.test('SIGHUP to the one process that is known outside reloads all of them', async (t) => {
  const kit = makeRotationKit(t, { 'one:old': first, 'one:new': second }, { workers: 2 });
  kit.trust('one', first);
  kit.trust('two', first);
  const served = await serveWorkers(t, kit.file);
  t.same(new Set(await served.askAll('reg/one/manifests/new')), new Set([403]));
  kit.trust('one', second);
  kit.distrust('one', first);
  const after = served.lines.length;
  served.child.kill('SIGHUP');
  const lines = await served.says('policy and trust material reloaded', 3, after);
  t.same(new Set(lines.map((line) => line['worker'])), new Set([undefined, 1, 2]));
  t.same(new Set(await served.askAll('reg/one/manifests/new')), new Set([200]));
  t.same(new Set(await served.askAll('reg/one/manifests/old')), new Set([403]));
});
