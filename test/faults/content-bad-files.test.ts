import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkStore } from '../support/check-store.ts';
import {
  type ContentKit,
  eventually,
  expectWhole,
  mebibyte,
  metricOf,
  openContentKit,
} from '../support/content-kit.ts';

const size = 4 * mebibyte;

interface DamagedKit extends ContentKit {
  /** Changes one bit of the stored layer. */
  damage(at: number): Promise<void>;
  range(text: string): Promise<Response>;
}

/** The layer is stored, and stored files are hashed as they are sent. */
async function openDamagedKit(t: Test): Promise<DamagedKit> {
  const storage = { path: './data', verifyOnRead: 'always' };
  const kit = await openContentKit(t, { layerSizes: [size], config: { storage } });
  const { digest } = kit.layer.descriptor;
  await expectWhole(t, kit.open(), 'the first client');
  // Till its end, readers may still join the fill, which has hashed what it gives.
  await eventually(async () => metricOf(await kit.metrics(), 'assay_fills_total') === 1);
  const file = join(kit.dataFolder, 'blobs', ...digest.split(':'));
  return {
    ...kit,
    async damage(at) {
      const bytes = await readFile(file);
      bytes[at]! ^= 1;
      await writeFile(file, bytes);
    },
    range: (text) => fetch(`${kit.oci}/v2/reg/app/blobs/${digest}`, { headers: { range: text } }),
  };
}

t.test('a stored layer that is right is sent from the store, whole and in parts', async (t) => {
  const { open, range, fetches, layer } = await openDamagedKit(t);
  await expectWhole(t, open(), 'the next client');
  for (const [text, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=100-200', 100, 201],
    [`bytes=${size - 5}-`, size - 5, size],
    ['bytes=1000000-', 1_000_000, size],
    ['bytes=-70000', size - 70_000, size],
  ] as const) {
    const answer = await range(text);
    t.equal(answer.status, 206, text);
    const bytes = Buffer.from(await answer.arrayBuffer());
    t.ok(bytes.equals(layer.bytes.subarray(start, end)), text);
  }
  t.equal(fetches().length, 1);
});

for (const at of [0, size / 2, size - 1]) {
  t.test(`with byte ${at} of it changed nobody completes it; the next one gets it`, async (t) => {
    const { open, damage, fetches, ask, dataFolder, metrics } = await openDamagedKit(t);
    await damage(at);
    const spoiled = await open().ended;
    t.equal(spoiled.isComplete, false);
    t.ok(spoiled.bytes <= size - 64 * 1024, `${spoiled.bytes} bytes came`);
    await eventually(async () => (await checkStore(dataFolder)).stored.length === 0);
    await expectWhole(t, open(), 'the next client');
    t.equal(fetches().length, 2);
    await eventually(async () => (await checkStore(dataFolder)).stored.length === 1);
    const state = await checkStore(dataFolder);
    t.strictSame(state.complaints, []);
    t.equal(state.quarantine.length, 1);
    t.equal(metricOf(await metrics(), 'assay_quarantined_files_total'), 1);
    t.equal((await ask('reg/app/manifests/v1')).status, 200);
  });
}

for (const text of ['bytes=0-0', `bytes=${size - 1}-`, 'bytes=100-200', 'bytes=0-']) {
  t.test(`nor any part of it (${text}), however far it is from the change`, async (t) => {
    const { damage, range } = await openDamagedKit(t);
    await damage(size / 2);
    const answer = await range(text);
    await t.rejects(answer.arrayBuffer());
  });
}
