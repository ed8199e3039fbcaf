import t from 'tap';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { buildImage } from '../../support/build-image.ts';
import {
  aliceSigns,
  app,
  by,
  deniedFor,
  type GateKit,
  makeGateKit,
  never,
} from '../../support/gate-kit.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { toySignature } from '../../support/toy-format.ts';

/** What entries are worth that somebody kept and puts back. */

const image = buildImage({ name: 'signed' });
const newer = buildImage({ name: 'newer' });
const signature = toySignature(image.descriptor, { by: 'alice' });
const newerSignature = toySignature(newer.descriptor, { by: 'alice' });

async function makeKit(): Promise<GateKit> {
  const source = makeMemorySource();
  source.put(image, '1.0');
  source.put(signature);
  source.put(newer);
  source.put(newerSignature);
  return makeGateKit(aliceSigns, { source, store: makeMemoryKeyValue() });
}

async function snapshot(store: KeyValue): Promise<() => Promise<void>> {
  const entries = await store.entries('', 10_000);
  return async () => {
    for (const { key } of await store.entries('', 10_000)) await store.delete(key);
    for (const { key, value } of entries) await store.put(key, value);
  };
}

const pull = (kit: GateKit, reference: string) =>
  kit.gate.admitManifest(app, by(reference), never());

async function verifications(kit: GateKit): Promise<number> {
  return kit.metrics.counted('assay_verdicts_total');
}

t.test(
  'within its life and under the same rule it is believed: that is all it can do',
  async (t) => {
    const kit = await makeKit();
    await pull(kit, image.descriptor.digest);
    const putBack = await snapshot(kit.store);
    const fresh = await kit.restarted();
    await putBack();
    await pull(fresh, image.descriptor.digest);
    t.equal(await verifications(fresh), 0);
  },
);

t.test('under another rule it says nothing', async (t) => {
  const kit = await makeKit();
  await pull(kit, image.descriptor.digest);
  const putBack = await snapshot(kit.store);
  await kit.setPolicy(aliceSigns.replace('alice', 'bob'));
  const fresh = await kit.restarted();
  await putBack();
  await t.rejects(pull(fresh, image.descriptor.digest), deniedFor('no-trusted-signer'));
});

t.test('under other trust material it is found out again', async (t) => {
  const kit = await makeKit();
  await pull(kit, image.descriptor.digest);
  const putBack = await snapshot(kit.store);
  const fresh = await kit.restarted();
  fresh.setTrust('two');
  await putBack();
  await pull(fresh, image.descriptor.digest);
  t.equal(await verifications(fresh), 1);
});

t.test('after its own end it is found out again, however long the store keeps it', async (t) => {
  const kit = await makeKit();
  await pull(kit, image.descriptor.digest);
  const putBack = await snapshot(kit.store);
  kit.clock.advanceMs(24 * 3_600_000);
  const fresh = await kit.restarted();
  await putBack();
  await pull(fresh, image.descriptor.digest);
  t.equal(await verifications(fresh), 1);
});

t.test(
  'where a tag pointed is believed for as long as any such answer, and no longer',
  async (t) => {
    const kit = await makeKit();
    await pull(kit, '1.0');
    const putBack = await snapshot(kit.store);
    kit.source.put(newer, '1.0');
    const fresh = await kit.restarted();
    await putBack();
    t.equal((await pull(fresh, '1.0')).descriptor.digest, image.descriptor.digest, 'a moment ago');
    kit.clock.advanceMs(60_000);
    const later = await kit.restarted();
    await putBack();
    t.equal((await pull(later, '1.0')).descriptor.digest, newer.descriptor.digest);
  },
);

t.test('what this process found out later goes before it', async (t) => {
  const kit = await makeKit();
  await pull(kit, '1.0');
  const putBack = await snapshot(kit.store);
  kit.clock.advanceMs(60_000);
  kit.source.put(newer, '1.0');
  t.equal((await pull(kit, '1.0')).descriptor.digest, newer.descriptor.digest);
  await putBack();
  t.equal((await pull(kit, '1.0')).descriptor.digest, newer.descriptor.digest);
});
