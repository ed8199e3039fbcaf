import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import type { BlobRecord } from '../../../src/airgap/bundle.ts';
import { makeHeldBlobs, rehashAfterMs } from '../../../src/airgap/held-blobs.ts';
import { makeHeldNames } from '../../../src/airgap/held-names.ts';
import { planImport, readPlan } from '../../../src/airgap/import-plan.ts';
import { makeStoreFiles } from '../../../src/airgap/store-files.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { allOf } from '../../support/airgap-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const files = systemFiles;

/** More than are looked for one by one. */
const count = 3_000;
const bytesOf = (number: number): Buffer => Buffer.from(`blob ${number}`);
const contentOf = (number: number) => {
  const bytes = bytesOf(number);
  return { digest: digestOf(bytes), size: bytes.length };
};

function openStore(t: Test, clock = makeFakeClock()) {
  const store = makeStoreFiles(t.testdir());
  const { folder, work } = store;
  const held = makeHeldBlobs({ folder, files, clock });
  const hold = (number: number, bytes = bytesOf(number), at = clock.now()): void => {
    const file = folder.blob(contentOf(number).digest);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    utimesSync(file, at, at);
  };
  const missing: string[] = [];
  const onMissing = async ({ digest }: { readonly digest: string }): Promise<void> => {
    missing.push(digest);
  };
  const plan = (records: AsyncIterable<BlobRecord>) =>
    planImport(records, { work, folder, held, done: new Set(), files, onMissing });
  return { folder, work, hold, plan, missing, clock };
}

async function* carried(): AsyncGenerator<BlobRecord> {
  let offset = 4096;
  for (let number = 0; number < count; number += 1) {
    const { digest, size } = contentOf(number);
    yield { digest, size, extents: [{ volume: 1, offset, length: size }] };
    offset += size;
  }
}

async function* assumed(): AsyncGenerator<BlobRecord> {
  for (let number = 0; number < count; number += 1) {
    yield { ...contentOf(number), extents: undefined };
  }
}

t.test('what is here is not read again, and the rest in its order', async (t) => {
  const { work, hold, plan } = openStore(t);
  const here = [0, 31, 32, 999, 1000, 1001, count - 1];
  for (const number of here) hold(number);
  // A file that is not of its size is not what it is called.
  hold(2000, Buffer.from('torn'));
  const planned = await plan(carried());
  const numbers = Array.from({ length: count }, (_, number) => number);
  const wanted = numbers.filter((number) => !here.includes(number)).map(contentOf);
  const sizeOf = (sum: number, { size }: { readonly size: number }): number => sum + size;
  t.match(planned, {
    volumes: [1],
    heldBytes: here.map(contentOf).reduce(sizeOf, 0),
    neededBytes: wanted.reduce(sizeOf, 0),
  });
  const pieces = await allOf(readPlan(work, 1));
  t.strictSame(
    pieces.map(({ digest }) => digest),
    wanted.map(({ digest }) => digest),
  );
});

t.test('what a bundle takes to be here is hashed again after a time', async (t) => {
  const { hold, plan, missing, clock } = openStore(t);
  for (let number = 0; number < count; number += 1) hold(number);
  const longAgo = new Date(clock.now().getTime() - rehashAfterMs - 1);
  hold(1500, bytesOf(1500), longAgo);
  hold(2500, Buffer.from('blob XXXX'), longAgo);
  t.match(await plan(assumed()), { missing: { count: 1 }, neededBytes: 0 });
  t.strictSame(missing, [contentOf(2500).digest]);
});

t.test('all that a bundle takes to be in an empty store is missing', async (t) => {
  const { plan, missing } = openStore(t);
  t.match(await plan(assumed()), { missing: { count } });
  t.equal(missing.length, count);
});

t.test(
  'names are known by both algorithms, and nothing is told to be absent that is there',
  async (t) => {
    const { folder, hold } = openStore(t);
    hold(1);
    const long = digestOf(bytesOf(2), 'sha512');
    mkdirSync(folder.blobs('sha512'), { recursive: true });
    writeFileSync(folder.blob(long), bytesOf(2));
    writeFileSync(`${folder.blobs('sha512')}/no digest`, '');
    const names = makeHeldNames(folder, files);
    const absent = contentOf(3).digest;
    t.equal(await names.mayHave(absent), true, 'nobody looked yet');
    for (let asked = 0; asked < 1_000; asked += 1) await names.mayHave(absent);
    t.equal(await names.mayHave(absent), false);
    t.equal(await names.mayHave(contentOf(1).digest), true);
    t.equal(await names.mayHave(long), true);
  },
);
