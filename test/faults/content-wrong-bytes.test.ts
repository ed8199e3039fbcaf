import t, { type Test } from 'tap';
import { makeBarrier } from '../support/barrier.ts';
import { checkStore } from '../support/check-store.ts';
import {
  type ContentKit,
  expectWhole,
  mebibyte,
  metricOf,
  openContentKit,
  withheldBytes,
} from '../support/content-kit.ts';

/** An upstream that sends other bytes than the digest names: nobody completes them, nothing stays. */

const size = 4 * mebibyte;

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

async function expectNothingStored(t: Test, { dataFolder, layer }: ContentKit): Promise<void> {
  const { stored, complaints } = await checkStore(dataFolder);
  t.notOk(stored.includes(layer.descriptor.digest), 'nothing is stored under its digest');
  t.same(complaints, []);
}

async function expectIncomplete(t: Test, kit: ContentKit, count: number): Promise<void> {
  const pulls = Array.from({ length: count }, () => kit.open());
  const outcomes = await Promise.all(pulls.map(({ ended }) => ended));
  t.equal(outcomes.filter(({ isComplete, status }) => isComplete && status === 200).length, 0);
  const most = Math.max(...outcomes.map(({ status, bytes }) => (status === 200 ? bytes : 0)));
  t.ok(most <= size - withheldBytes, `at most ${most} bytes of it got out`);
}

for (const [where, at] of [
  ['first', 0],
  ['middle', size / 2],
  ['last', size - 1],
] as const) {
  t.test(`with its ${where} byte flipped no client completes a layer`, async (t) => {
    const kit = await openContentKit(t, { layerSizes: [size] });
    kit.setLayerFault((answer) => ({ ...answer, body: flipped(kit.layer.bytes, at) }));
    await expectIncomplete(t, kit, 20);
    await expectNothingStored(t, kit);
    t.ok(metricOf(await kit.metrics(), 'assay_content_mismatch_total') > 0, 'it is counted');
    kit.setLayerFault(undefined);
    await expectWhole(t, kit.open(), 'after that a client');
    await expectWhole(t, kit.open(), 'and the next one');
  });
}

t.test('a wrong second half after a right first one ruins neither', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  kit.setLayerFault((answer, { headers }) =>
    headers.range === undefined
      ? { ...answer, cutAt: size / 2 }
      : { ...answer, body: flipped(Buffer.from(answer.body ?? ''), 1000) },
  );
  await expectIncomplete(t, kit, 5);
  await expectNothingStored(t, kit);
  kit.setLayerFault(undefined);
  await expectWhole(t, kit.open(), 'after that a client');
});

t.test('a wrong first half is not gone on with for ever', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  kit.setLayerFault((answer) => ({
    ...answer,
    body: flipped(kit.layer.bytes, 5).subarray(0, size / 2),
    length: size,
    cutAt: size / 2,
  }));
  await expectIncomplete(t, kit, 1);
  kit.setLayerFault(undefined);
  const next = await kit.open().ended;
  if (!next.isComplete) await expectNothingStored(t, kit);
  await expectWhole(t, kit.open(), 'the next client at the latest');
});

t.test('a Range, too, is never completed with wrong bytes', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size] });
  kit.setLayerFault((answer) => ({ ...answer, body: flipped(kit.layer.bytes, 2 * mebibyte) }));
  const ranges = [
    '0-99',
    `${2 * mebibyte}-`,
    `${2 * mebibyte}-${2 * mebibyte + 9}`,
    '-70000',
    '5-',
  ];
  for (const range of ranges) {
    const pull = kit.open({ headers: { range: `bytes=${range}` } });
    const { status, isComplete } = await pull.ended;
    t.notOk(isComplete && status < 300, `${range}: ${status}`);
  }
  await expectNothingStored(t, kit);
});

t.test('while one layer comes wrong, the others come right', async (t) => {
  const kit = await openContentKit(t, { layerSizes: [size, size + 1, size + 2] });
  const until = makeBarrier();
  const body = flipped(kit.layer.bytes, 7);
  kit.setLayerFault((answer) => ({ ...answer, body, pauseAt: { bytes: mebibyte, until } }));
  const wrong = kit.open();
  await wrong.reaches(mebibyte / 2);
  for (const blob of kit.image.blobs.slice(2)) {
    await expectWhole(t, kit.open({ blob }), 'a client of another layer');
  }
  until.release();
  t.notOk((await wrong.ended).isComplete);
});
