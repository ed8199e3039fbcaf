import t from 'tap';
import type { Anchor } from '../../../src/compose/anchors.ts';
import type { Basis } from '../../../src/compose/basis.ts';
import {
  makeAnchorProbe,
  makeBasisProbe,
  makeContentProbe,
  makeStateProbe,
} from '../../../src/compose/readiness.ts';
import type { StoreHealth } from '../../../src/storage/blob-store.ts';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeChain } from '../../support/test-ca.ts';

function makeStore(overrides: Partial<KeyValue> = {}) {
  const values = new Map<string, Uint8Array>();
  let writes = 0;
  const store: KeyValue = {
    get: async (key) => values.get(key),
    put: async (key, value) => {
      writes += 1;
      values.set(key, value);
    },
    delete: async (key) => void values.delete(key),
    keys: async () => [...values.keys()],
    entries: async () => [...values].map(([key, value]) => ({ key, value })),
    close: async () => undefined,
    ...overrides,
  };
  return { store, writes: () => writes };
}

t.test('a state that takes a write and gives it back is ready', async (t) => {
  const { store } = makeStore();
  t.same(await makeStateProbe(store, makeFakeClock()).check(), { ok: true, says: 'takes writes' });
});

t.test('a write that worked is believed for five seconds', async (t) => {
  const clock = makeFakeClock();
  const { store, writes } = makeStore();
  const probe = makeStateProbe(store, clock);
  await probe.check();
  clock.advanceMs(4_999);
  await probe.check();
  t.equal(writes(), 1);
  clock.advanceMs(1);
  await probe.check();
  t.equal(writes(), 2);
});

t.test('processes on the same state write no key that another one reads', async (t) => {
  const { store } = makeStore();
  const clock = makeFakeClock();
  const held = Promise.withResolvers<void>();
  const slow: KeyValue = {
    ...store,
    async put(key, value) {
      await held.promise;
      await store.put(key, value);
    },
  };
  const first = makeStateProbe(slow, clock, 1).check();
  clock.advanceMs(1);
  const get: KeyValue['get'] = async (key) => {
    held.resolve();
    await first;
    return store.get(key);
  };
  const second = makeStateProbe({ ...store, get }, clock, 2).check();
  t.match(await second, { ok: true }, 'although an earlier one writes after it');
  t.match(await first, { ok: true });
});

t.test('a full disk is not ready, says so, and is looked at each time', async (t) => {
  let failures = 0;
  const { store } = makeStore({
    put: () => {
      failures += 1;
      return Promise.reject(new Error('no space left on device'));
    },
  });
  const probe = makeStateProbe(store, makeFakeClock());
  t.same(await probe.check(), { ok: false, says: 'no space left on device' });
  t.same(await probe.check(), { ok: false, says: 'no space left on device' });
  t.equal(failures, 2);
});

t.test('a store that forgets what it took is not ready', async (t) => {
  const { store } = makeStore({ put: async () => undefined });
  t.same(await makeStateProbe(store, makeFakeClock()).check(), { ok: false, says: 'lost a write' });
});

t.test('a disk that takes no content is told, and stays ready for what it has', async (t) => {
  let health: StoreHealth = { state: 'writable' };
  const probe = makeContentProbe({ health: () => health });
  t.same(await probe.check(), { ok: true, says: 'is stored' });
  health = { state: 'read-only', because: 'no space left on device' };
  t.same(await probe.check(), {
    ok: true,
    says: 'new content passes through and is not stored for a while: no space left on device',
  });
});

t.test('a change that does not load is told, and the last good policy stays ready', async (t) => {
  let problem: string | undefined;
  const basis = {
    current: () => ({ policy: { digest: '0123456789abcdef' } }),
    problem: () => problem,
  } as unknown as Basis;
  const probe = makeBasisProbe(basis);
  t.same(await probe.check(), { ok: true, says: 'policy 0123456789ab is in force' });
  problem = 'line 3 is wrong';
  t.same(await probe.check(), {
    ok: true,
    says: 'policy 0123456789ab is in force; a change does not load: line 3 is wrong',
  });
});

function anchor(validity: { readonly notBefore?: string; readonly notAfter?: string }): Anchor {
  return { store: 'ca:acme', certificate: readCertificate(makeChain({ root: validity }).root.der) };
}

t.test(
  'trust anchors that end or have ended are told, and take nothing out of service',
  async (t) => {
    const says = async (...anchors: Anchor[]) => {
      const { ok, says: told } = await makeAnchorProbe(() => anchors, makeFakeClock()).check();
      t.equal(ok, true);
      return told;
    };
    const ended = anchor({ notAfter: '2029-12-31T00:00:00Z' });
    const later = anchor({ notBefore: '2030-06-01T00:00:00Z' });
    t.equal(await says(), '0 of 0 are valid');
    t.equal(await says(ended, later), '0 of 2 are valid');
    t.match(
      await says(ended, anchor({ notAfter: '2030-01-11T00:00:00Z' }), anchor({}), later),
      /^2 of 4 are valid; the first ends in 10 days \(ca:acme, "CN=acme root,/,
    );
  },
);
