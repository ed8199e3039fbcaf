import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { BlobStore } from '../../../src/storage/blob-store.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { begun, makeContent, readBack } from '../../contract/blob-store.ts';

const mebibyte = 1024 * 1024;
const content = makeContent(12 * mebibyte);
const { bytes, name } = content;

interface Left {
  readonly store: BlobStore;
  readonly part: string;
  readonly journal: string;
}

/** Ten MiB of twelve, as an orderly end leaves them: with a hash of each 4 MiB, and of all. */
async function leave(t: Test): Promise<Left> {
  const path = t.testdir();
  const store = await openFsBlobStore({ path }, { clock: systemClock });
  const staging = await begun(store, name);
  for (let at = 0; at < 10 * mebibyte; at += mebibyte) {
    await staging.append([bytes.subarray(at, at + mebibyte)]);
  }
  await staging.keep();
  await staging.release();
  const folder = join(path, 'staging');
  const stem = name.digest.replace(':', '-');
  return { store, part: join(folder, `${stem}.part`), journal: join(folder, `${stem}.journal`) };
}

/** How many bytes the next one begins with; what it stores then must be right. */
async function goOn(t: Test, store: BlobStore): Promise<number> {
  const staging = await begun(store, name);
  const { prefixBytes } = staging;
  await staging.append([bytes.subarray(prefixBytes)]);
  t.ok(staging.matches(), 'the rest makes it whole');
  await staging.commit();
  await staging.release();
  t.ok((await readBack(store, name))?.equals(bytes));
  return prefixBytes;
}

function change(file: string, at: number): void {
  const all = readFileSync(file);
  all[at]! ^= 1;
  writeFileSync(file, all);
}

/** As if the machine had been started anew since. */
function afterReboot(journal: string): void {
  const lines = readFileSync(journal, 'utf8');
  writeFileSync(journal, lines.replace(/^(content \d+) \S+/, '$1 another-boot'));
}

t.test('what was left in order is gone on with, all of it', async (t) => {
  const { store, journal } = await leave(t);
  const lengths = readFileSync(journal, 'utf8').match(/(?<=^hash )\d+/gm);
  t.strictSame(lengths, ['4194304', '8388608', '10485760']);
  t.equal(await goOn(t, store), 10 * mebibyte);
});

for (const at of [0, 5 * mebibyte, 10 * mebibyte - 1]) {
  t.test(`with byte ${at} changed it is begun anew, in another file`, async (t) => {
    const { store, part } = await leave(t);
    change(part, at);
    const reader = openSync(part, 'r');
    const staging = await begun(store, name);
    t.equal(staging.prefixBytes, 0);
    await staging.append([bytes.subarray(0, 100)]);
    t.equal(fstatSync(reader).size, 10 * mebibyte, 'who reads the old one is left alone');
    closeSync(reader);
    await staging.discard();
    await staging.release();
    t.equal(await goOn(t, store), 0);
  });
}

t.test('a killed process leaves more than it noted, which is there all the same', async (t) => {
  const { store, part, journal } = await leave(t);
  const lines = readFileSync(journal, 'utf8');
  writeFileSync(journal, lines.slice(0, lines.indexOf('hash 10485760')));
  appendFileSync(part, bytes.subarray(10 * mebibyte, 11 * mebibyte));
  t.equal(await goOn(t, store), 11 * mebibyte);
});

t.test('after a power cut only what was noted is believed', async (t) => {
  const { store, part, journal } = await leave(t);
  afterReboot(journal);
  appendFileSync(part, Buffer.alloc(mebibyte));
  t.equal(await goOn(t, store), 10 * mebibyte, 'zeros at the end are cut off');
});

t.test(
  'after a power cut a file shorter than its notes is good up to the last that fits',
  async (t) => {
    const { store, part, journal } = await leave(t);
    afterReboot(journal);
    truncateSync(part, 9 * mebibyte);
    t.equal(await goOn(t, store), 8 * mebibyte);
  },
);

t.test('a torn last note is none', async (t) => {
  const { store, journal } = await leave(t);
  afterReboot(journal);
  truncateSync(journal, statSync(journal).size - 10);
  t.equal(await goOn(t, store), 8 * mebibyte);
});

for (const [what, text] of Object.entries({
  empty: '',
  garbage: 'hello\nworld\n',
  'of another size': 'content 17 -\n',
  'half a line': 'content 12582912',
})) {
  t.test(`a journal that is ${what} makes its part worth nothing`, async (t) => {
    const { store, journal } = await leave(t);
    writeFileSync(journal, text);
    t.equal(await goOn(t, store), 0);
  });
}

t.test('notes that make no sense are passed over', async (t) => {
  const { store, journal } = await leave(t);
  appendFileSync(journal, 'hash -5 ab\nhash NaN cd\nhash 4194304 ee\nwhat is this\n\n');
  t.equal(await goOn(t, store), 10 * mebibyte);
});

t.test('a part that is longer than its content is begun anew', async (t) => {
  const { store, part } = await leave(t);
  appendFileSync(part, Buffer.alloc(3 * mebibyte));
  t.equal(await goOn(t, store), 0);
});
