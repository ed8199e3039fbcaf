import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeHeldBlobs } from '../../../src/airgap/held-blobs.ts';
import { makePartWriter } from '../../../src/airgap/part-writer.ts';
import { makeStoreFiles, makeStoreFolders } from '../../../src/airgap/store-files.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { type FileSystem, systemFiles } from '../../../src/storage/file-system.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const right = Buffer.from('what the digest names');
const wrong = Buffer.from('WHAT THE DIGEST NAMES');
const digest = digestOf(right);
const piece = { digest, size: right.length, at: 0, offset: 4096, length: right.length };

async function open(t: Test, files: FileSystem = systemFiles) {
  const store = makeStoreFiles(join(t.testdir(), 'store'));
  await makeStoreFolders(store, systemFiles);
  await mkdir(store.work.parts, { recursive: true });
  const { folder, work } = store;
  const held = makeHeldBlobs({ folder, files, clock: makeFakeClock() });
  const writer = makePartWriter({ work, folder, held, files });
  return { writer, blob: folder.blob(digest) };
}

t.test('a piece that is a whole blob gets its name', async (t) => {
  const { writer, blob } = await open(t);
  await writer.write(piece, 0, right.subarray(0, 5));
  await writer.write(piece, 5, right.subarray(5));
  await writer.end(piece, true);
  await writer.settle();
  await writer.close();
  t.strictSame(readFileSync(blob), right);
});

t.test('other bytes get no name', async (t) => {
  const { writer, blob } = await open(t);
  await writer.write(piece, 0, wrong);
  await t.rejects(writer.end(piece, true), { code: 'CONTENT_MISMATCH' });
  await writer.close();
  t.throws(() => readFileSync(blob), { code: 'ENOENT' });
});

t.test('what is whole is written by nobody else, while it is made to last', async (t) => {
  const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
  const slow: FileSystem = {
    ...systemFiles,
    async rename(from, to) {
      await held;
      return systemFiles.rename(from, to);
    },
  };
  const { writer, blob } = await open(t, slow);
  await writer.write(piece, 0, right);
  await writer.end(piece, true);
  // The same digest in another place of the volumes, with other bytes.
  const again = writer.write(piece, 0, wrong);
  setImmediate(goOn);
  await again;
  await t.rejects(writer.end(piece, true), { code: 'CONTENT_MISMATCH' });
  await writer.settle();
  await writer.close();
  t.strictSame(readFileSync(blob), right);
});
