import { join } from 'node:path';
import t from 'tap';
import { sentinelOf } from '../support/redis-fleet.ts';
import {
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import { freePort, hasRedis, startRedis, untilTrue } from '../support/redis-server.ts';
import { metricOf, redisAt } from '../support/replicas-kit.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

/** Redis in all the forms that it is run in, and what happens to each. */

t.test('notifications are cut: replicas still wait for each other, and look', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  await redis.cli('ACL', 'SETUSER', 'default', '-subscribe', '-publish');
  const kit = await makeFaultKit(t, redisAt(redis), 3);
  const asked = kit.all.map((replica) => statusOf(replica, 'reg/app/manifests/signed'));
  t.strictSame(await Promise.all(asked), ['200', '200', '200']);
  const verdicts = /^assay_verdicts_total\{kind="trusted"/;
  const reached = await Promise.all(kit.all.map((replica) => metricOf(replica, verdicts)));
  t.equal(
    reached.reduce((one, other) => one + other),
    1,
  );
  await refusesUnsigned(t, kit.all, 'without notifications');
});

t.test('Sentinel fails over: replicas follow to the server that takes writes', async (t) => {
  if (!hasRedis(t)) return;
  const fleet = await sentinelOf(t);
  const sentinel = { name: 'assay', addresses: [fleet.sentinelAddress] };
  const kit = await makeFaultKit(t, { sentinel }, 2);
  await servesAll(t, kit.all[0]!, 'signed', signed, 'before');
  await fleet.master.kill();
  await servesAll(t, kit.all[0]!, 'signed', signed, 'what it served');
  await servesAll(t, kit.all[1]!, 'signed', signed, 'meanwhile');
  await refusesUnsigned(t, kit.all, 'meanwhile');
  await untilTrue(async () => (await fleet.replica.cli('ROLE')).startsWith('master'), 20_000);
  await recovers(t, kit, 'failed over');
  t.match(
    await fleet.replica.cli('KEYS', 'assay:1:kverdict/*'),
    /reg\/app@/,
    'it is written there',
  );
});

/** What docs/replicas.md says that the user must be allowed. */
const commands =
  '+ping +info +time +get +set +getrange +del +eval +type +pttl +pexpire +persist +exists +incr ' +
  '+zadd +zrem +zrandmember +zrangebylex +publish +subscribe';

t.test('over TLS, with a client certificate and a user that may do little', async (t) => {
  if (!hasRedis(t)) return;
  const server = makeServerCertificate();
  const client = makeServerCertificate('client');
  const files = { 'ca.pem': client.ca, 'server.pem': server.certificate, 'server.key': server.key };
  const folder = t.testdir(files);
  const path = (name: string): string => join(folder, name);
  const redis = await startRedis(t);
  const port = await freePort();
  const settings = {
    'tls-cert-file': path('server.pem'),
    'tls-key-file': path('server.key'),
    'tls-ca-cert-file': path('ca.pem'),
    'tls-port': String(port),
  };
  for (const [name, value] of Object.entries(settings))
    await redis.cli('CONFIG', 'SET', name, value);
  await redis.cli(
    'ACL',
    'SETUSER',
    'assay',
    'on',
    '>hunter2',
    '~assay:*',
    '&assay:*',
    ...commands.split(' '),
  );
  await redis.cli('ACL', 'SETUSER', 'default', 'off');
  await t.test('it is served', async (t) => {
    const kept = {
      'ca.pem': server.ca,
      'client.pem': client.certificate,
      'client.key': client.key,
    };
    const tls = {
      ca: 'ca.pem',
      clientCertificate: { certificate: 'client.pem', key: 'client.key' },
    };
    const at = { url: `rediss://localhost:${port}/0`, username: 'assay', password: 'hunter2', tls };
    const kit = await makeFaultKit(t, at, 2, { files: kept });
    await servesAll(t, kit.all[0]!, 'signed', signed, 'over TLS');
    await servesAll(t, kit.all[1]!, 'signed', signed, 'over TLS');
    const verdicts = /^assay_verdicts_total\{kind="trusted"/;
    t.equal(await metricOf(kit.all[1]!, verdicts), 0);
    t.equal(await metricOf(kit.all[0]!, /^assay_redis_errors_total/), 0, 'it may do all it needs');
    await refusesUnsigned(t, kit.all, 'over TLS');
    const said = JSON.stringify(kit.all.map(({ lines }) => lines));
    t.notMatch(said, /hunter2/, 'the password is in no log');
  });
});
