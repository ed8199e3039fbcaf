import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import {
  openRedisLink,
  type RedisLink,
  usualRedisLimits,
} from '../../../src/storage/redis-link.ts';
import { readRedisTime, watchRedisMemory } from '../../../src/storage/redis-memory.ts';
import { hasRedis, type RedisServer, startRedis, untilTrue } from '../../support/redis-server.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

async function connected(t: Test, { address }: Pick<RedisServer, 'address'>): Promise<RedisLink> {
  const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  // A machine that does much else is slow.
  const link = openRedisLink(address, observed, { ...usualRedisLimits, commandMs: 10_000 });
  t.teardown(() => link.close());
  await link.isConnected(10_000);
  return link;
}

/** A link that answers as it is told to. */
function scripted(reply: () => Promise<unknown>): RedisLink {
  return {
    send: reply,
    isConnected: async () => true,
    isUp: () => true,
    onBack: () => undefined,
    close: async () => undefined,
  };
}

t.test('a real Redis tells its policy, and when it changes', async (t) => {
  if (!hasRedis(t)) return;
  const server = await startRedis(t);
  const log = makeKeptLog();
  const memory = watchRedisMemory(await connected(t, server), 50, {
    metrics: makeCountingMetrics(),
    log,
  });
  t.teardown(() => memory.close());
  const has = (policy: string) => untilTrue(() => memory.policy() === policy);
  await has('noeviction');
  t.equal(memory.evicts(), false);
  for (const [policy, evicts] of [
    ['volatile-ttl', false],
    ['allkeys-lru', true],
    ['allkeys-random', true],
    ['volatile-lfu', false],
  ] as const) {
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', policy);
    await has(policy);
    t.equal(memory.evicts(), evicts, policy);
  }
  t.same(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
    'once when it begins, and once when it ends',
  );
});

t.test('whoever may not ask is none the wiser', async (t) => {
  if (!hasRedis(t)) return;
  const server = await startRedis(t);
  await server.cli(
    'ACL',
    'SETUSER',
    'narrow',
    'on',
    '>secret',
    '~*',
    '+ping',
    '+select',
    '+client',
  );
  const address = { ...server.address, username: 'narrow', password: 'secret' };
  const link = await connected(t, { address });
  await t.rejects(readRedisTime(link), { code: 'STORAGE_FAILED' });
  const metrics = makeCountingMetrics();
  const memory = watchRedisMemory(link, 60_000, { metrics, log: makeKeptLog() });
  t.teardown(() => memory.close());
  await t.rejects(link.send('watch', 'INFO', ['memory']));
  t.equal(memory.policy(), undefined);
  t.equal(memory.evicts(), false);
});

t.test('what Redis takes for the present is near to what this machine does', async (t) => {
  if (!hasRedis(t)) return;
  const link = await connected(t, await startRedis(t));
  const before = systemClock.now().getTime();
  const shown = (await readRedisTime(link))!.getTime();
  t.ok(shown >= before - 1_000 && shown <= systemClock.now().getTime() + 1_000);
});

t.test('an answer that is no time is none', async (t) => {
  for (const reply of [undefined, 'x', [], ['x', 'y'], [Buffer.from('9'.repeat(30)), 0]]) {
    t.equal(await readRedisTime(scripted(async () => reply)), undefined, String(reply));
  }
  const exact = [Buffer.from('1893456000'), Buffer.from('250000')];
  t.same(await readRedisTime(scripted(async () => exact)), new Date('2030-01-01T00:00:00.250Z'));
});
