import t from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import {
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import { clusterOf } from '../support/redis-fleet.ts';
import { hasRedis } from '../support/redis-server.ts';
import { metricOf, pathsOf } from '../support/replicas-kit.ts';

/** A Redis Cluster whose slots move, and whose nodes come and go. */

t.test('a slot of the cluster moves, and its entries are found where they are', async (t) => {
  if (!hasRedis(t)) return;
  const cluster = await clusterOf(t, 3);
  const kit = await makeFaultKit(t, { cluster: { addresses: cluster.addresses } }, 2);
  await servesAll(t, kit.all[0]!, 'signed', signed, 'before');
  const moved = [
    `assay:1:kverdict/reg/app@${signed.descriptor.digest}`,
    `assay:1:i{/part/${signed.children[0]!.descriptor.digest}@}`,
  ];
  for (const key of moved) {
    await cluster.moveSlotOf(key, async () => {
      const [, child] = pathsOf('reg/app', 'signed', signed);
      const fresh = await kit.add();
      t.equal(await statusOf(fresh, child!), '200', `a child, while ${key} moves`);
    });
  }
  for (const [at, path] of pathsOf('reg/app', 'signed', signed).entries()) {
    t.equal(await statusOf(kit.all[1 - (at % 2)]!, path), '200', `${path} after the move`);
  }
  const verdicts = /^assay_verdicts_total\{kind="trusted"/;
  t.equal(await metricOf(kit.all[1]!, verdicts), 0, 'what was verified is found');
  const image = buildImage({ name: 'new' });
  kit.registry.put('app', image, 'new');
  kit.registry.put('app', signatureOf(image.descriptor));
  t.equal(await statusOf(kit.all[0]!, 'reg/app/manifests/new'), '200');
  t.equal(await statusOf(kit.all[1]!, `reg/app/manifests/${image.descriptor.digest}`), '200');
  await recovers(t, kit, 'a slot moved');
});

t.test('a node of the cluster dies: the rest goes on, and it comes back', async (t) => {
  if (!hasRedis(t)) return;
  const cluster = await clusterOf(t, 3);
  const kit = await makeFaultKit(t, { cluster: { addresses: cluster.addresses } }, 2);
  await servesAll(t, kit.all[0]!, 'signed', signed, 'before');
  await cluster.nodes[2]!.kill();
  await servesAll(t, kit.all[0]!, 'signed', signed, 'what it served');
  await servesAll(t, kit.all[1]!, 'signed', signed, 'what the other one served');
  await refusesUnsigned(t, kit.all, 'a node is dead');
  await cluster.nodes[2]!.start();
  await cluster.untilOk();
  await recovers(t, kit, 'a node came back');
});
