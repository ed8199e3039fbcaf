import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { makeBreaker } from '../../../src/storage/breaker.ts';
import { makeRedisLeases } from '../../../src/storage/redis-leases.ts';
import { watchRedisLife } from '../../../src/storage/redis-life.ts';
import {
  openRedisLink,
  type RedisLink,
  usualRedisLimits,
} from '../../../src/storage/redis-link.ts';
import { openRedisNotifications } from '../../../src/storage/redis-notifications.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import {
  freePort,
  hasRedis,
  type RedisServer,
  startRedis,
  untilTrue,
} from '../../support/redis-server.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const limits = { ...usualRedisLimits, commandMs: 5_000, probeEveryMs: 20 };

async function open(t: Test, { address }: Pick<RedisServer, 'address'>) {
  const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  const link = openRedisLink(address, observed, limits);
  t.teardown(() => link.close());
  await link.isConnected(5_000);
  return { link, ...observed };
}

const put = (link: RedisLink) => link.send('put', 'SET', ['assay:x', 'y']);

t.test('where nothing listens it fails at once, is not asked, and says so', async (t) => {
  const place = {
    kind: 'standalone',
    host: '127.0.0.1',
    port: await freePort(),
    database: 0,
  } as const;
  const { link, metrics, log } = await open(t, { address: { place } });
  t.equal(await link.isConnected(10), false);
  for (let at = 0; at < 3; at += 1) {
    await t.rejects(put(link), { code: 'STORAGE_FAILED', message: 'redis can not be reached' });
  }
  t.equal(link.isUp(), false);
  await t.rejects(put(link), { message: /is not asked for a moment/ });
  const because = { operation: 'put', because: 'not-asked' };
  t.equal(metrics.counted('assay_redis_errors_total', because), 1);
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1, 'it is said once');
});

t.test('a closed link asks nothing', async (t) => {
  const place = { kind: 'standalone', host: '127.0.0.1', port: 1, database: 0 } as const;
  const { link } = await open(t, { address: { place } });
  await link.close();
  await t.rejects(put(link), { code: 'STORAGE_FAILED', message: 'the link to redis is closed' });
});

t.test(
  'the breaker opens after failures in a row, and closes when a probe is answered',
  async (t) => {
    let answers = false;
    let resets = 0;
    const changes: string[] = [];
    const breaker = makeBreaker(
      { maxFailures: 2, probeEveryMs: 1 },
      {
        probe: () => (answers ? Promise.resolve() : Promise.reject(new Error('late'))),
        reset: () => void (resets += 1),
        onChange: (state) => changes.push(state),
      },
    );
    t.teardown(() => breaker.close());
    breaker.noteFailed('late');
    breaker.noteWell();
    breaker.noteFailed('late');
    t.equal(breaker.isOpen(), false, 'an answer came between them');
    breaker.noteFailed('unreachable');
    t.equal(breaker.isOpen(), true);
    await untilTrue(() => resets >= 1);
    t.equal(breaker.isOpen(), true, 'another connection is tried');
    answers = true;
    await untilTrue(() => !breaker.isOpen());
    t.strictSame(changes, ['open', 'closed']);
  },
);

t.test('over a real redis-server', async (t) => {
  if (!hasRedis(t)) return;
  const server = await startRedis(t);
  const { link, ...observed } = await open(t, server);

  t.test('a refusal says why, within bounds, and opens no breaker', async (t) => {
    for (let at = 0; at < 5; at += 1) {
      const refused = link.send('get', 'EVAL', [
        `return redis.error_reply('${'E'.repeat(999)}')`,
        0,
      ]);
      await t.rejects(refused, { code: 'STORAGE_FAILED', message: /^redis refuses: "ERR E{150}/ });
    }
    t.equal(link.isUp(), true);
    const { cause } = (await put(link).then(() =>
      link.send('get', 'LPOP', ['assay:x', 'a secret']).catch((error: Error) => error),
    )) as Error;
    t.notMatch(inspect(cause), /a secret/, 'what was said is in no error');
  });

  t.test(
    'a lease is one replica’s at a time, ends by itself, and is given back by its owner',
    async (t) => {
      const leases = makeRedisLeases(link, 'assay');
      const one = await leases.take('x', 60_000);
      t.equal(await leases.take('x', 60_000), undefined);
      t.ok(await leases.take('y', 60_000), 'another name is another lease');
      await one!.release();
      const two = await leases.take('x', 60_000);
      t.ok(two!.token > one!.token, 'the token grows');
      await one!.release();
      t.equal(await leases.take('x', 60_000), undefined, 'a former owner gives nothing back');
      await two!.release();
      const short = await leases.take('x', 30);
      t.ok(short);
      await untilTrue(async () => (await leases.take('x', 60_000)) !== undefined);
      t.ok(Number(await server.cli('PTTL', 'assay:1:lease{x}')) > 0);
    },
  );

  t.test('a lease is renewed by its owner, and by nobody else', async (t) => {
    const leases = makeRedisLeases(link, 'assay');
    const former = await leases.take('renewed', 60_000);
    await former!.release();
    const owner = await leases.take('renewed', 60_000);
    const left = async () => Number(await server.cli('PTTL', 'assay:1:lease{renewed}'));
    await owner!.renew(600_000);
    t.ok((await left()) > 60_000);
    await former!.renew(6_000_000);
    t.ok((await left()) <= 600_000);
    await owner!.release();
    await owner!.renew(60_000);
    t.ok(await leases.take('renewed', 60_000), 'what was given back stays so');
  });

  t.test('a notification is heard by all who listen, until they stop', async (t) => {
    const options = { address: server.address, keyPrefix: 'assay', link };
    const notifications = openRedisNotifications(options, observed);
    t.teardown(() => notifications.close());
    const heard: string[] = [];
    const leave = notifications.subscribe('channel', (message) => heard.push(message));
    const isHeard = async (): Promise<boolean> => {
      await notifications.publish('channel', 'a');
      return heard.includes('a');
    };
    await untilTrue(isHeard);
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    heard.length = 0;
    await untilTrue(isHeard);
    t.ok(heard.length > 0, 'after a cut too');
    await server.cli('PUBLISH', 'assay:1:channel{channel}', 'x'.repeat(1025));
    await server.cli('PUBLISH', 'assay:1:channel{channel}', 'last');
    await untilTrue(() => heard.includes('last'));
    t.notOk(
      heard.some((message) => message.length > 1024),
      'too long to be ours',
    );
    await t.rejects(notifications.publish('channel', 'x'.repeat(1025)), /too long/);
    leave();
    heard.length = 0;
    const other = notifications.subscribe('channel', () => heard.push('other'));
    await untilTrue(async () => {
      await notifications.publish('channel', 'b');
      return heard.length > 0;
    });
    t.notOk(heard.includes('b'));
    other();
  });

  t.test('a server that was emptied is noticed, and is not whole for a while', async (t) => {
    const clock = makeFakeClock();
    const life = watchRedisLife(
      link,
      { keyPrefix: 'assay', pollMs: 10, settleMs: 1_000 },
      { ...observed, clock },
    );
    t.teardown(() => life.close());
    t.equal(await life.isWhole(), true);
    t.equal(life.losses(), 0);
    await server.cli('FLUSHALL');
    await untilTrue(() => life.losses() === 1);
    t.equal(await life.isWhole(), false);
    clock.advanceMs(1_000);
    t.equal(await life.isWhole(), true);
    t.equal(observed.metrics.counted('assay_redis_losses_total', { because: 'emptied' }), 1);
  });
});
