import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { makeDenyRecords } from '../../../src/gate/deny-records.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import type { DenyTarget } from '../../../src/verdict/denial.ts';
import {
  deniedBy,
  empty,
  makeMemoryCopy,
  openReplicaKit,
  type ReplicaKit,
  sealOfTests,
  wishOf,
} from '../../support/deny-kit.ts';

const one = `sha256:${'1'.repeat(64)}` as Digest;
const two = `sha256:${'2'.repeat(64)}` as Digest;
const three = `sha256:${'3'.repeat(64)}` as Digest;
const targetOf = (digest: Digest): DenyTarget => ({ kind: 'digest', digest });
const deny = ({ replica }: ReplicaKit, digest: Digest) => replica.add(wishOf(targetOf(digest)));

/** A store that can be taken away. */
function makeFailingStore(): KeyValue & { failure: Error | undefined } {
  const kept = makeMemoryKeyValue();
  const guarded = <T>(work: () => Promise<T>): Promise<T> =>
    store.failure === undefined ? work() : Promise.reject(store.failure);
  const store: KeyValue & { failure: Error | undefined } = {
    failure: undefined,
    get: (key) => guarded(() => kept.get(key)),
    put: (key, value) => guarded(() => kept.put(key, value)),
    delete: (key) => guarded(() => kept.delete(key)),
    keys: (prefix, limit) => guarded(() => kept.keys(prefix, limit)),
    entries: (prefix, limit) => guarded(() => kept.entries(prefix, limit)),
    close: () => kept.close(),
  };
  return store;
}

const away = new StorageError('STORAGE_FAILED', 'the store is away');
const unreadable = { code: 'DENY_LIST_UNREADABLE' };

t.test('what one replica denies, another denies after its next look', async (t) => {
  const here = await openReplicaKit();
  const there = await openReplicaKit({ store: here.store });
  await deny(here, one);
  t.same(deniedBy(here.replica), [one], 'at once where it was said');
  t.same(deniedBy(there.replica), []);
  await there.replica.look('changes');
  t.same(deniedBy(there.replica), [one]);
  t.equal(there.replica.list.epoch(), here.replica.list.epoch());
});

t.test('a replica is told of a change, and can rest while there is none', async (t) => {
  const here = await openReplicaKit();
  let told = 0;
  here.notifications.subscribe('deny', () => (told += 1));
  const denial = await deny(here, one);
  await here.replica.remove([denial.id]);
  await turn();
  t.equal(told, 2);
  await here.replica.look('changes');
  const reads: string[] = [];
  const { store } = here;
  const get = store.get.bind(store);
  store.get = (key) => {
    reads.push(key);
    return get(key);
  };
  await here.replica.look('changes');
  t.same(reads, ['deny-epoch'], 'one small read');
});

t.test('two that deny at the same time lose nothing', async (t) => {
  const here = await openReplicaKit();
  const there = await openReplicaKit({ store: here.store });
  await Promise.all([deny(here, one), deny(there, two)]);
  await here.replica.look('changes');
  await there.replica.look('changes');
  t.same(deniedBy(here.replica), [one, two]);
  t.same(deniedBy(there.replica), [one, two]);
  t.equal(here.metrics.counted('assay_deny_list_republished_total'), 0);
  t.equal(there.metrics.counted('assay_deny_list_republished_total'), 0);
});

t.test('what is taken back is taken back everywhere, and stays so', async (t) => {
  const here = await openReplicaKit();
  const there = await openReplicaKit({ store: here.store });
  const denial = await deny(here, one);
  await there.replica.look('changes');
  t.same(await there.replica.remove([denial.id]), [
    { ...denial, removed: { epoch: denial.epoch + 1, at: there.clock.now() } },
  ]);
  await here.replica.look('changes');
  t.same(deniedBy(here.replica), []);
  t.same(await here.replica.remove([denial.id]), [], 'once');
  const restarted = await openReplicaKit({ store: here.store, copy: here.copy });
  t.same(deniedBy(restarted.replica), []);
});

t.test('a shared state that was emptied is filled again, with an alarm', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  await here.replica.look('changes');
  const { epoch } = here.replica.list;
  const before = epoch();
  await empty(here.store);
  await here.replica.look('changes');
  t.same(deniedBy(here.replica), [one]);
  t.ok(epoch() > before);
  t.equal(here.metrics.counted('assay_deny_list_republished_total'), 1);
  t.ok(here.log.lines.some(({ level, message }) => level === 'error' && /again/.test(message)));
  const fresh = await openReplicaKit({ store: here.store });
  t.same(deniedBy(fresh.replica), [one]);
});

t.test('so is one that was set back to an earlier epoch', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  const earlier = new Map<string, Uint8Array>();
  for (const key of await here.store.keys('', 100)) {
    earlier.set(key, (await here.store.get(key)) as Uint8Array);
  }
  await deny(here, two);
  await here.replica.look('changes');
  await empty(here.store);
  for (const [key, value] of earlier) await here.store.put(key, value);
  await here.replica.look('changes');
  t.equal(here.metrics.counted('assay_deny_list_republished_total'), 1);
  const fresh = await openReplicaKit({ store: here.store });
  t.same(deniedBy(fresh.replica), [one, two]);
});

t.test('an entry alone that is lost is found missing when all is compared', async (t) => {
  const here = await openReplicaKit();
  const denial = await deny(here, one);
  await here.replica.look('all');
  await here.store.delete(`deny/${denial.id}`);
  await here.replica.look('all');
  const fresh = await openReplicaKit({ store: here.store });
  t.same(deniedBy(fresh.replica), [one]);
});

t.test('the copy of this replica outlives the shared state', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  const restarted = await openReplicaKit({ copy: here.copy });
  t.same(deniedBy(restarted.replica), [one]);
  t.equal(restarted.metrics.counted('assay_deny_list_republished_total'), 1);
  const other = await openReplicaKit({ store: restarted.store });
  t.same(deniedBy(other.replica), [one]);
});

t.test('lists that have grown apart become their union', async (t) => {
  const here = await openReplicaKit();
  const there = await openReplicaKit();
  await deny(here, one);
  await deny(there, two);
  const joined = await openReplicaKit({ store: there.store, copy: here.copy });
  t.same(deniedBy(joined.replica), [one, two]);
  await there.replica.look('changes');
  t.same(deniedBy(there.replica), [one, two]);
});

t.test('the copy counts while the shared state is away, and later what was shared', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  const store = makeFailingStore();
  store.failure = away;
  const alone = await openReplicaKit({ store, copy: here.copy });
  t.same(deniedBy(alone.replica), [one]);
  t.match(alone.replica.health(), { problem: 'the store is away', syncedAt: undefined });
  store.failure = undefined;
  await alone.replica.look('changes');
  t.equal(alone.replica.health().problem, undefined);
  t.same(alone.replica.health().syncedAt, alone.clock.now());
});

t.test(
  'without a copy and without the shared state the list is unknown, till it is read',
  async (t) => {
    const store = makeFailingStore();
    const first = await openReplicaKit({ store });
    await deny(first, one);
    store.failure = away;
    const { replica } = await openReplicaKit({ store });
    t.equal(replica.list.isKnown(), false);
    await t.rejects(replica.add(wishOf(targetOf(two))), { code: 'UNAVAILABLE' });
    await replica.look('changes');
    t.equal(replica.list.isKnown(), false);
    store.failure = undefined;
    await replica.look('changes');
    t.equal(replica.list.isKnown(), true);
    t.same(deniedBy(replica), [one]);
  },
);

t.test(
  'a damaged copy, with nothing shared in its place, keeps a replica from starting',
  async (t) => {
    const copy = makeMemoryCopy({ kind: 'damaged' });
    await t.rejects(openReplicaKit({ copy }), unreadable);
    const store = makeFailingStore();
    store.failure = away;
    await t.rejects(openReplicaKit({ copy, store }), unreadable);
  },
);

t.test('a damaged copy is made anew from what is shared', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  const copy = makeMemoryCopy({ kind: 'damaged' });
  const { replica, log } = await openReplicaKit({ store: here.store, copy });
  t.same(deniedBy(replica), [one]);
  t.match(copy.kept, { kind: 'whole' });
  t.ok(log.lines.some(({ level, message }) => level === 'error' && /damaged/.test(message)));
});

t.test(
  'a replica that never had a list starts with no empty one in place of a forged',
  async (t) => {
    const here = await openReplicaKit();
    const denial = await deny(here, one);
    const entry = `deny/${denial.id}`;
    const sealed = (await here.store.get(entry)) as Uint8Array;
    for (const [name, at] of [
      [entry, sealed.byteLength - 1],
      ['deny-epoch', 30],
    ] as const) {
      const kept = (await here.store.get(name)) as Uint8Array;
      const forged = new Uint8Array(kept);
      forged[at] = (forged[at] ?? 0) ^ 1;
      await here.store.put(name, forged);
      await t.rejects(openReplicaKit({ store: here.store }), unreadable, name);
      await here.store.put(name, kept);
    }
  },
);

t.test('an entry under the name of another, or by another key, is not believed', async (t) => {
  const here = await openReplicaKit();
  const denial = await deny(here, one);
  const sealed = (await here.store.get(`deny/${denial.id}`)) as Uint8Array;
  await here.store.put('deny/ffffffffffffffff', sealed);
  await here.store.put('deny-epoch', Buffer.from('changed'));
  await here.replica.look('changes');
  t.same(deniedBy(here.replica), [one]);
  t.equal(here.replica.health().unreadable, 1);
  const seal = makeSeal([Buffer.alloc(32, 8)]);
  await t.rejects(openReplicaKit({ store: here.store, seal }), unreadable);
});

t.test('a forged entry is put right by who knows it, and keeps denying meanwhile', async (t) => {
  const here = await openReplicaKit();
  const denial = await deny(here, one);
  await here.replica.look('changes');
  await here.store.put(`deny/${denial.id}`, Buffer.from('nonsense'));
  await here.store.put('deny-epoch', Buffer.from('nonsense'));
  await here.replica.look('changes');
  t.same(deniedBy(here.replica), [one]);
  const fresh = await openReplicaKit({ store: here.store });
  t.same(deniedBy(fresh.replica), [one]);
});

t.test('what could not be shared is denied here at once, and shared later', async (t) => {
  const store = makeFailingStore();
  const here = await openReplicaKit({ store });
  store.failure = away;
  await t.rejects(deny(here, one), { code: 'DENY_LIST_UNWRITABLE', cause: away });
  t.same(deniedBy(here.replica), [one]);
  t.match(here.copy.kept, { kind: 'whole' }, 'it is kept');
  store.failure = undefined;
  await here.replica.look('changes');
  const there = await openReplicaKit({ store });
  t.same(deniedBy(there.replica), [one]);
});

t.test('what could not be kept on disk is said, and kept by a later look', async (t) => {
  const here = await openReplicaKit();
  here.copy.failure = away;
  await t.rejects(deny(here, one), { code: 'DENY_LIST_UNWRITABLE' });
  t.same(deniedBy(here.replica), [one]);
  here.copy.failure = undefined;
  await here.replica.look('changes');
  t.match(here.copy.kept, { kind: 'whole' });
});

t.test('what could not be taken back stays denied', async (t) => {
  const store = makeFailingStore();
  const here = await openReplicaKit({ store });
  const denial = await deny(here, one);
  store.failure = away;
  await t.rejects(here.replica.remove([denial.id]), { code: 'DENY_LIST_UNWRITABLE' });
  t.same(deniedBy(here.replica), [one]);
});

t.test('what a command left in the copy alone is found, and shared', async (t) => {
  const here = await openReplicaKit();
  const store = makeFailingStore();
  const command = await openReplicaKit({ store, copy: here.copy });
  store.failure = away;
  await t.rejects(deny(command, one));
  await here.replica.look('all');
  t.same(deniedBy(here.replica), [one]);
  const there = await openReplicaKit({ store: here.store });
  t.same(deniedBy(there.replica), [one]);
});

t.test('a list that was never used leaves no copy, which would outlive its key', async (t) => {
  const { copy } = await openReplicaKit();
  t.same(copy.kept, { kind: 'absent' });
});

t.test('where the state may be away at the next start, an empty list is copied', async (t) => {
  const store = makeFailingStore();
  const { copy, replica } = await openReplicaKit({ store, copiesEmpty: true });
  t.match(copy.kept, { kind: 'whole', epoch: 0 });
  t.ok(replica.list.isKnown());
  store.failure = away;
  const restarted = await openReplicaKit({ store, copy, copiesEmpty: true });
  t.ok(restarted.replica.list.isKnown(), 'that nothing was denied is known without the state');
  const fresh = await openReplicaKit({ store, copiesEmpty: true });
  t.notOk(fresh.replica.list.isKnown());
  t.same(fresh.copy.kept, { kind: 'absent' }, 'what is not known is not copied');
});

/** As a version to come would write what this one has no word for. */
function ofNewerVersion(name: string): Uint8Array {
  return sealOfTests.close(name, {
    version: 2,
    denial: { id: 'future', target: { kind: 'moon' } },
  });
}

t.test('what a newer version denies is not guessed at: the replica says so', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  t.equal(here.replica.health().newer, 0);
  await here.store.put('deny/future', ofNewerVersion('deny/future'));
  await makeDenyRecords(here.store, sealOfTests).writeMark(7);
  await here.replica.look('changes');
  t.equal(here.replica.health().newer, 1);
  t.equal(here.replica.health().unreadable, 0, 'it is ours');
  t.equal(here.metrics.counted('assay_replica_fenced', { because: 'version' }), 1);
  t.same(deniedBy(here.replica), [one]);
  await here.store.delete('deny/future');
  await makeDenyRecords(here.store, sealOfTests).writeMark(8);
  await here.replica.look('changes');
  t.equal(here.replica.health().newer, 0);
});

t.test('a replica does not start over what a newer version denies', async (t) => {
  const message = /newer version of Assay/;
  const { store } = await openReplicaKit();
  await store.put('deny/future', ofNewerVersion('deny/future'));
  await t.rejects(openReplicaKit({ store }), { ...unreadable, message });
  const copy = makeMemoryCopy({ kind: 'newer' });
  await t.rejects(openReplicaKit({ copy }), { ...unreadable, message }, 'in its own copy');
});

t.test('a copy that a newer version writes beside it counts as that', async (t) => {
  const here = await openReplicaKit();
  await deny(here, one);
  here.copy.kept = { kind: 'newer' };
  await here.replica.look('all');
  t.equal(here.replica.health().newer, 1);
  await t.rejects(deny(here, two), { code: 'DENY_LIST_UNWRITABLE' });
  t.same(here.copy.kept, { kind: 'newer' }, 'it is not overwritten');
});

t.test('what ended long ago is forgotten everywhere, and nobody brings it back', async (t) => {
  const here = await openReplicaKit();
  const there = await openReplicaKit({ store: here.store, clock: here.clock });
  const denial = await deny(here, one);
  await deny(here, two);
  await there.replica.look('changes');
  await here.replica.remove([denial.id]);
  await there.replica.look('changes');
  await here.replica.look('changes');
  here.clock.advanceMs(91 * 86_400_000);
  // A change has it read whole.
  await deny(here, three);
  await here.replica.look('changes');
  await there.replica.look('changes');
  await here.replica.look('all');
  t.equal(await here.store.get(`deny/${denial.id}`), undefined);
  t.same(deniedBy(there.replica), [two, three]);
  t.equal(here.metrics.counted('assay_deny_list_republished_total'), 0);
  t.equal(there.metrics.counted('assay_deny_list_republished_total'), 0);
});

t.test('a store that never answers holds up no look for ever', async (t) => {
  const { replica, store } = await openReplicaKit();
  store.get = () => new Promise(() => undefined);
  const timeout = AbortSignal.timeout;
  t.teardown(() => (AbortSignal.timeout = timeout));
  AbortSignal.timeout = () => AbortSignal.abort(new Error('too late'));
  await replica.look('changes');
  t.equal(replica.health().problem, 'too late');
});
