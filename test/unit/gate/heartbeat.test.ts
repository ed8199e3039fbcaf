import t from 'tap';
import { makeHeartbeats, maxReplicas } from '../../../src/gate/heartbeat.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { sealOfTests } from '../../support/deny-kit.ts';
import { heartbeatOf } from '../../support/heartbeats.ts';

function makeKit() {
  const store = makeMemoryKeyValue();
  return { store, heartbeats: makeHeartbeats(store, sealOfTests, 15_000) };
}

t.test('what one says the others read, until it takes it away', async (t) => {
  const { heartbeats } = makeKit();
  const one = heartbeatOf('a');
  const other = heartbeatOf('b', { revision: undefined });
  await heartbeats.write(one);
  await heartbeats.write(other);
  const read = await heartbeats.read();
  t.same(read.heartbeats, [one, other]);
  t.equal(read.unreadable, 0);
  await heartbeats.remove('a');
  t.same((await heartbeats.read()).heartbeats, [other]);
});

t.test('what is sealed with another key, or copied to another name, is none', async (t) => {
  const { store, heartbeats } = makeKit();
  const stranger = makeSeal([Buffer.alloc(32, 9)]);
  await store.put('replica/x', stranger.close('replica/x', heartbeatOf('x')));
  await heartbeats.write(heartbeatOf('a'));
  await store.put('replica/b', (await store.get('replica/a'))!);
  const { heartbeats: found, unreadable } = await heartbeats.read();
  t.same(
    found.map(({ id }) => id),
    ['a'],
  );
  t.equal(unreadable, 2);
});

t.test('a version to come may say more, and none may say less', async (t) => {
  const { store, heartbeats } = makeKit();
  const put = (name: string, value: unknown) =>
    store.put(`replica/${name}`, sealOfTests.close(`replica/${name}`, value));
  await put('more', { ...heartbeatOf('more'), mood: 'good' });
  t.match((await heartbeats.read()).heartbeats, [{ id: 'more' }]);
  await store.delete('replica/more');
  for (const field of ['id', 'beat', 'clockMs', 'version', 'schema', 'policy', 'trust'] as const) {
    const { [field]: _, ...rest } = heartbeatOf('less');
    await put('less', rest);
    t.same(await heartbeats.read(), { heartbeats: [], unreadable: 1 }, `without ${field}`);
  }
  for (const value of [null, 'text', 7, { ...heartbeatOf('less'), version: 'x'.repeat(129) }]) {
    await put('less', value);
    t.same(await heartbeats.read(), { heartbeats: [], unreadable: 1 });
  }
});

t.test('no more are read than a fleet has', async (t) => {
  const { heartbeats } = makeKit();
  for (let index = 0; index < maxReplicas + 5; index += 1) {
    await heartbeats.write(heartbeatOf(`r${index}`));
  }
  t.equal((await heartbeats.read()).heartbeats.length, maxReplicas);
});
