import t from 'tap';
import {
  alone,
  another,
  makeFaultKit,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
  unsigned,
} from '../support/redis-fault-kit.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';
import { metricOf, pathsOf, redisAt } from '../support/replicas-kit.ts';

/** Entries that somebody altered, copied or put back. */

const verdictKey = (digest: string, scope = 'reg/app'): string =>
  `assay:1:kverdict/${scope}@${digest}`;
const rejected = /^assay_sealed_entries_rejected_total/;
const unsignedDigest = unsigned.descriptor.digest;

t.test('whatever is altered in Redis is found out again, and put right', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const kit = await makeFaultKit(t, redisAt(redis), 1);
  await servesAll(t, kit.all[0]!, 'signed', signed, 'before');
  t.equal(await statusOf(kit.all[0]!, 'reg/app/manifests/alone'), '200');
  const [, ...keys] = (await redis.cli('KEYS', 'assay:1:[kg]*')).split('\n');
  t.ok(keys.length > 5);
  for (const key of keys) await redis.cli('SETRANGE', key, '60', 'altered');
  const fresh = await kit.add();
  await servesAll(t, fresh, 'signed', signed, 'altered');
  t.ok((await metricOf(fresh, rejected)) > 0);
  const next = await kit.add();
  const verified = /^assay_verdicts_total\{kind="trusted"/;
  await servesAll(t, next, 'signed', signed, 'put right');
  t.equal(await metricOf(next, verified), 0, 'what was put right is used');
  await refusesUnsigned(t, kit.all, 'altered');
});

t.test('a verdict does not pass from one repository to another', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const rules = [
    { repositories: ['reg/app'], require: { signedBy: 'acme' } },
    { repositories: ['reg/other'], require: { signedBy: 'nobody' } },
  ];
  const nobody = {
    notation: {
      trustStores: ['ca:acme'],
      trustedIdentities: ['x509.subject: C=US, ST=WA, O=nobody'],
    },
  };
  const kit = await makeFaultKit(t, redisAt(redis), 1, { rules, identities: { nobody } });
  kit.registry.put('other', alone, 'alone');
  t.equal(await statusOf(kit.all[0]!, 'reg/app/manifests/alone'), '200');
  const { digest } = alone.descriptor;
  await redis.cli('COPY', verdictKey(digest), verdictKey(digest, 'reg/other'));
  const fresh = await kit.add();
  t.match(await statusOf(fresh, `reg/other/manifests/${digest}`), /^403/);
  t.equal(await statusOf(fresh, `reg/app/manifests/${digest}`), '200');
});

t.test(
  'an entry that was put back after all was deleted is what it was, and no more',
  async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const kit = await makeFaultKit(t, redisAt(redis), 1);
    await servesAll(t, kit.all[0]!, 'another', another, 'before');
    const key = verdictKey(another.descriptor.digest);
    await redis.cli('COPY', key, 'kept');
    await redis.cli('DEL', key);
    await redis.cli('COPY', 'kept', key);
    await redis.cli('PERSIST', key);
    const fresh = await kit.add();
    await servesAll(t, fresh, 'another', another, 'put back');
    await refusesUnsigned(t, kit.all, 'put back');
  },
);

t.test('what a key sealed that replicas do not have is absent', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const stranger = await makeFaultKit(t, redisAt(redis), 1, {
    config: { state: { keys: ['a key that somebody else made for it'] } },
    rules: [
      {
        digests: [unsignedDigest],
        exempt: { reason: 'x', owner: 'y', until: '2099-01-01T00:00:00Z' },
      },
    ],
  });
  await servesAll(
    t,
    stranger.all[0]!,
    'unsigned',
    unsigned,
    'by a replica of other keys and rules',
  );
  await t.test('and says nothing to ours', async (t) => {
    const kit = await makeFaultKit(t, redisAt(redis), 1);
    await refusesUnsigned(t, kit.all, 'sealed by another key');
    t.ok((await metricOf(kit.all[0]!, rejected)) > 0);
    const [path] = pathsOf('reg/app', 'signed', signed);
    t.equal(await statusOf(kit.all[0]!, path!), '200');
  });
});
