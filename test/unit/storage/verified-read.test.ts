import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { readPieces } from '../../../src/storage/read-pieces.ts';
import { readVerified } from '../../../src/storage/verified-read.ts';
import { type Content, makeContent } from '../../contract/blob-store.ts';

const content = makeContent(300_000);
const withheld = 64 * 1024;

/** Reads a part of a file whose bytes should be the content's. */
function read(start: number, end: number, file: Uint8Array, { name }: Content = content) {
  let mismatches = 0;
  let given = Buffer.alloc(0);
  const reads: number[] = [];
  const source = readVerified(name, {
    start,
    end,
    readAt: async (into, position) => {
      reads.push(position);
      into.set(file.subarray(position, position + into.byteLength));
      return Math.max(0, Math.min(into.byteLength, file.byteLength - position));
    },
    onMismatch: () => void (mismatches += 1),
  });
  const stream = readPieces(source, start, 10_000);
  stream.on('data', (piece: Buffer) => void (given = Buffer.concat([given, piece])));
  return { stream, reads, mismatches: () => mismatches, given: () => given };
}

const parts = [
  [0, 300_000],
  [1, 300_000],
  [200_000, 300_000],
  [299_999, 300_000],
  [0, 1],
  [0, 100_000],
  [100_000, 200_000],
  [150_000, 150_001],
  [7, 7],
] as const;

for (const [start, end] of parts) {
  const whole = { name: content.name, bytes: content.bytes.subarray(start, end) };
  t.test(`bytes ${start} to ${end} come from a file that is right`, async (t) => {
    const { stream, reads, mismatches } = read(start, end, content.bytes);
    t.ok((await buffer(stream)).equals(whole.bytes));
    t.equal(mismatches(), 0);
    t.equal(new Set(reads).size, reads.length, 'each byte is read once');
  });

  for (const at of [0, 120_000, 150_000, 299_999]) {
    t.test(`bytes ${start} to ${end} never come all if byte ${at} is another`, async (t) => {
      const file = Buffer.from(content.bytes);
      file[at]! ^= 1;
      const { stream, mismatches, given } = read(start, end, file);
      await t.rejects(buffer(stream), {
        code: 'CONTENT_MISMATCH',
        message: `the stored file for ${content.name.digest} has other bytes`,
      });
      t.equal(mismatches(), 1);
      t.ok(given().length <= Math.max(0, end - start - withheld), `${given().length} came`);
    });
  }
}

t.test('a file that ends too early never comes to its end', async (t) => {
  for (const [start, end] of [
    [0, 300_000],
    [290_000, 300_000],
    [0, 10],
  ] as const) {
    const { stream, mismatches } = read(start, end, content.bytes.subarray(0, 299_000));
    await t.rejects(buffer(stream), { code: 'CONTENT_MISMATCH' });
    t.equal(mismatches(), 1);
  }
});

t.test('content of nothing is verified too', async (t) => {
  const nothing = makeContent(0);
  t.equal((await buffer(read(0, 0, nothing.bytes, nothing).stream)).length, 0);
});

t.test('a reader that leaves ends the reading', async (t) => {
  const { stream, reads } = read(250_000, 300_000, content.bytes);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy();
  await closed;
  const before = reads.length;
  await new Promise(setImmediate);
  t.ok(reads.length <= before + 1);
  t.equal(stream.errored, null);
});
