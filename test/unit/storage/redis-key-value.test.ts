import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import {
  makeRedisKeyValue,
  type RedisKeyValueOptions,
} from '../../../src/storage/redis-key-value.ts';
import {
  openRedisLink,
  type RedisLink,
  usualRedisLimits,
} from '../../../src/storage/redis-link.ts';
import { keyValueContract } from '../../contract/key-value.ts';
import { hasRedis, type RedisServer, startRedis } from '../../support/redis-server.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const options: RedisKeyValueOptions = {
  keyPrefix: 'assay',
  groupOf: (key) => (key.startsWith('lone/') ? undefined : key.startsWith('a/') ? 'a/' : ''),
};

function link(t: Test, { address }: RedisServer): RedisLink {
  const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  // A machine that does much else is slow.
  const opened = openRedisLink(address, observed, { ...usualRedisLimits, commandMs: 10_000 });
  t.teardown(() => opened.close());
  return opened;
}

async function connected(opened: RedisLink): Promise<RedisLink> {
  await new Promise<void>((resolve) => opened.onBack(resolve));
  return opened;
}

t.test('over a real redis-server', async (t) => {
  if (!hasRedis(t)) return;
  const server = await startRedis(t);
  const open = async (t: Test): Promise<KeyValue> => {
    await server.cli('FLUSHALL');
    return makeRedisKeyValue(await connected(link(t, server)), options);
  };

  t.test('it keeps the contract', async (t) => {
    keyValueContract(t, open);
  });

  t.test('a trail leads past what somebody else put there', async (t) => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const other = `sha256:${'b'.repeat(64)}`;
    const trail = {
      digest,
      read: ['lone/v/*'],
      followed: ['lone/e/*'],
      listed: ['a/*@'],
    };
    const store = await open(t);
    await store.put(`lone/v/${digest}`, Buffer.from('v'));
    await store.put(`a/${digest}@1`, Buffer.from('part'));
    const whole = await store.follow!(trail);
    t.strictSame([whole.values.size, whole.lists.get(`a/${digest}@`)?.length], [2, 1]);
    const [index = ''] = (await server.cli('KEYS', '*:i{*')).trim().split('\n');
    const name = `${digest}@2${'x'.repeat(2000)}${other}`;
    const [entry = ''] = (await server.cli('KEYS', '*:g{*')).trim().split('\n');
    await server.cli('ZADD', index, '0', name);
    await server.cli('SET', entry.replace(`${digest}@1`, name), 'part');
    const long = await store.follow!(trail);
    t.notOk(long.lists.has(`a/${digest}@`), 'a name longer than any of ours');
    t.strictSame(long.digests, [digest], 'it leads nowhere');
    await server.cli('DEL', index);
    await server.cli('SET', index, 'no list');
    const [value = ''] = (await server.cli('KEYS', '*lone/v/*')).trim().split('\n');
    await server.cli('DEL', value);
    await server.cli('HSET', value, 'a', 'map');
    const typed = await store.follow!(trail);
    t.strictSame([...typed.values.keys()], [`lone/e/${digest}`]);
    t.equal(typed.lists.size, 0);
  });

  t.test('what need not be kept has an end in Redis, and so has its index', async (t) => {
    const store = await open(t);
    await store.put('a/1', Buffer.from('x'), { keepMs: 50_000 });
    await store.put('a/2', Buffer.from('x'), { keepMs: 90_000 });
    await store.put('lone/1', Buffer.from('x'), { keepMs: 50_000 });
    const keys = (await server.cli('KEYS', '*')).split('\n').toSorted();
    t.strictSame(keys, ['assay:1:g{/a/}1', 'assay:1:g{/a/}2', 'assay:1:i{/a/}', 'assay:1:klone/1']);
    const ttl = async (key: string): Promise<number> => Number(await server.cli('PTTL', key));
    t.ok((await ttl('assay:1:g{/a/}1')) > 40_000);
    t.ok((await ttl('assay:1:klone/1')) > 40_000);
    t.ok((await ttl('assay:1:i{/a/}')) > 80_000, 'the index lasts as long as its last entry');
    await store.put('a/1', Buffer.from('x'), { keepMs: 50_000 });
    t.ok((await ttl('assay:1:i{/a/}')) > 80_000);
  });

  t.test('of another schema, only what is of all versions is found', async (t) => {
    const store = await open(t);
    const isOfAllVersions = (key: string): boolean => key.startsWith('a/');
    const with2 = { ...options, schema: 2, isOfAllVersions };
    const next = makeRedisKeyValue(await connected(link(t, server)), with2);
    await next.put('a/1', Buffer.from('all'));
    await next.put('lone/1', Buffer.from('two'));
    await next.put('b', Buffer.from('two'));
    t.same(await store.get('a/1'), Buffer.from('all'));
    t.same(await store.keys('a/', 10), ['a/1']);
    t.equal(await store.get('lone/1'), undefined);
    t.same(await store.keys('', 10), []);
    t.same(await next.keys('', 10), ['b']);
    await store.put('lone/1', Buffer.from('one'));
    t.same(await next.get('lone/1'), Buffer.from('two'), 'nor overwritten');
    const keys = (await server.cli('KEYS', '*')).split('\n').toSorted();
    t.ok(keys.includes('assay:2:klone/1') && keys.includes('assay:1:g{/a/}1'), keys.join());
  });

  t.test('one entry for ever keeps the index for ever', async (t) => {
    const store = await open(t);
    await store.put('a/1', Buffer.from('x'), { keepMs: 50_000 });
    await store.put('a/2', Buffer.from('x'));
    await store.put('a/3', Buffer.from('x'), { keepMs: 50_000 });
    t.equal(await server.cli('PTTL', 'assay:1:i{/a/}'), '-1');
  });

  t.test('an index loses the names of entries that are gone', async (t) => {
    const store = await open(t);
    for (let at = 0; at < 20; at += 1) await store.put(`a/${at}`, Buffer.from('x'));
    for (let at = 0; at < 20; at += 1) await server.cli('DEL', `assay:1:g{/a/}${at}`);
    t.strictSame(await store.keys('a/', 100), []);
    for (let at = 0; at < 200; at += 1) await store.put('a/new', Buffer.from('x'));
    t.equal(await server.cli('ZCARD', 'assay:1:i{/a/}'), '1');
    t.strictSame(await store.keys('a/', 100), ['a/new']);
  });

  t.test('what can not be listed says so', async (t) => {
    const store = await open(t);
    await t.rejects(store.keys('lone/', 1), { code: 'STORAGE_FAILED', message: /not be listed/ });
  });

  t.test('a value of another kind or of any size is an error or is left out', async (t) => {
    const store = await open(t);
    await store.put('a/1', Buffer.from('x'));
    await server.cli('DEL', 'assay:1:g{/a/}1');
    await server.cli('LPUSH', 'assay:1:g{/a/}1', 'x');
    await t.rejects(store.get('a/1'), {
      code: 'STORAGE_FAILED',
      message: /redis refuses: "WRONGTYPE/,
    });
    t.strictSame(await store.keys('a/', 9), []);
    await store.put('a/1', Buffer.from('y'));
    t.equal(Buffer.from((await store.get('a/1')) ?? []).toString(), 'y', 'and is written over');
    await server.cli('SETRANGE', 'assay:1:g{/a/}1', String(20 * 1024 * 1024), 'x');
    await t.rejects(store.get('a/1'), { code: 'STORAGE_FAILED', message: /larger than any/ });
    t.equal((await store.entries('a/', 9))[0]?.value.byteLength, 64 * 1024, 'no more is read');
    await server.cli('SET', 'assay:1:i{/a/}', 'no index');
    t.strictSame(await store.keys('a/', 9), []);
    await store.put('a/2', Buffer.from('z'));
    t.strictSame(await store.keys('a/', 9), ['a/2'], 'and is made anew');
    await t.rejects(store.put('a/3', Buffer.alloc(9 * 1024 * 1024)), /too large/);
  });

  t.test('names that somebody made up are no longer than ours', async (t) => {
    const store = await open(t);
    await store.put('a/1', Buffer.from('x'));
    await server.cli('ZADD', 'assay:1:i{/a/}', '0', 'z'.repeat(5000));
    await server.cli('SET', `assay:1:g{/a/}${'z'.repeat(5000)}`, 'x');
    t.strictSame(await store.keys('a/', 9), ['a/1']);
  });

  t.test('two prefixes on one server do not meet', async (t) => {
    const store = await open(t);
    const other = makeRedisKeyValue(await connected(link(t, server)), {
      ...options,
      keyPrefix: 'b',
    });
    await store.put('a/1', Buffer.from('x'));
    t.equal(await other.get('a/1'), undefined);
    t.strictSame(await other.keys('a/', 9), []);
  });
});
