import t from 'tap';
import { reasonOf, signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';
import { metricOf, pathsOf, redisAt, startReplicas } from '../support/replicas-kit.ts';

const index = buildIndex({ name: 'shared', attestation: 'with' });
const image = buildImage({ name: 'alone' });
const unsigned = buildImage({ name: 'unsigned' });

async function makeRegistry() {
  const registry = await startFakeRegistry();
  registry.put('app', index, '1.0');
  registry.put('app', signatureOf(index.descriptor));
  registry.put('app', image, '2.0');
  registry.put('app', signatureOf(image.descriptor));
  registry.put('app', unsigned, 'unsigned');
  return registry;
}

const verdicts = /^assay_verdicts_total\{kind="trusted"/;

t.test('what one replica verified the other serves, and verifies nothing', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const registry = await makeRegistry();
  t.teardown(() => registry.close());
  const upstreams = { reg: registry.url };
  const { all } = await startReplicas(t, 2, { upstreams, redis: redisAt(redis) });
  const [one, other] = [all[0]!, all[1]!];
  t.equal((await one.ask('reg/app/manifests/2.0')).status, 200);
  registry.forgetRequests();
  t.equal((await other.ask('reg/app/manifests/2.0')).status, 200);
  t.equal(await metricOf(one, verdicts), 1);
  t.equal(await metricOf(other, verdicts), 0);
  t.equal(registry.count('*', /referrers|sha256-/), 0, 'no signature is looked for');
  t.equal(registry.count('HEAD', /manifests\/2\.0/), 0, 'nor where the tag points');
});

t.test('index, children, configs and layers come from replicas in turn', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const registry = await makeRegistry();
  t.teardown(() => registry.close());
  const upstreams = { reg: registry.url };
  const { all, add } = await startReplicas(t, 3, { upstreams, redis: redisAt(redis) });
  for (const [at, path] of pathsOf('reg/app', '1.0', index).entries()) {
    const { status, headers } = await all[at % all.length]!.ask(path);
    t.equal(status, 200, `${path} at replica ${at % all.length}: ${reasonOf({ headers }) ?? ''}`);
  }
  const sum = await Promise.all(all.map((replica) => metricOf(replica, verdicts)));
  t.equal(
    sum.reduce((one, other) => one + other),
    1,
    'one verification for all of it',
  );
  const late = await add();
  const last = pathsOf('reg/app', '1.0', index).at(-1)!;
  t.equal((await late.ask(last)).status, 200, 'a layer is the first thing that a new one serves');
  t.equal((await late.ask('reg/app/manifests/unsigned')).status, 403);
});

t.test('replicas that are asked at the same time verify once', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const registry = await makeRegistry();
  t.teardown(() => registry.close());
  const upstreams = { reg: registry.url };
  const { all } = await startReplicas(t, 3, { upstreams, redis: redisAt(redis) });
  const digest = index.descriptor.digest;
  const asked = all.flatMap((replica) =>
    Array.from({ length: 5 }, () => replica.ask(`reg/app/manifests/${digest}`)),
  );
  for (const { status } of await Promise.all(asked)) t.equal(status, 200);
  const reached = await Promise.all(all.map((replica) => metricOf(replica, verdicts)));
  t.equal(
    reached.reduce((one, other) => one + other),
    1,
  );
  const denied = all.map((replica) => replica.ask('reg/app/manifests/unsigned'));
  for (const { status } of await Promise.all(denied)) t.equal(status, 403);
  const untrusted = /^assay_verdicts_total\{kind="untrusted"/;
  const refused = await Promise.all(all.map((replica) => metricOf(replica, untrusted)));
  t.equal(
    refused.reduce((one, other) => one + other),
    1,
    'a denial too',
  );
});

t.test('without Redis the same holds within one process alone', async (t) => {
  const registry = await makeRegistry();
  t.teardown(() => registry.close());
  const kit = await startAppKit(t, { upstreams: { reg: registry.url } });
  for (const path of pathsOf('reg/app', '1.0', index)) {
    t.equal((await kit.ask(path)).status, 200, path);
  }
});
