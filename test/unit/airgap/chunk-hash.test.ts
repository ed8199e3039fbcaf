import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { copyIntoMemory, makeChunkHash, makeChunkMemory } from '../../../src/airgap/chunk-hash.ts';
import { readVolume } from '../../../src/airgap/volume-reader.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { stream } from '../../support/airgap-kit.ts';
import { fillerBytes } from '../../support/build-image.ts';
import { writeVolumes } from '../../support/volume-kit.ts';

const mebibyte = 1024 * 1024;

/** Enough for a thread to be made on the way. */
const many = Array.from({ length: 12 }, (_, index) => index);

t.test('all of many chunks have their digests, wherever they are hashed', async (t) => {
  const hash = makeChunkHash();
  t.teardown(() => hash.close());
  const chunks = many.map((index) => {
    const memory = makeChunkMemory(4 * mebibyte + index);
    return memory.fill(`chunk ${index}`);
  });
  for (const chunk of chunks) t.equal(await hash.digest(chunk), digestOf(chunk));
  t.same(
    await Promise.all(chunks.map((chunk) => hash.digest(chunk))),
    chunks.map((chunk) => digestOf(chunk)),
    'also at once',
  );
  const own = Buffer.alloc(1000, 'not for all threads');
  t.equal(await hash.digest(own), digestOf(own));
});

t.test('chunks are hashed without the thread once it has ended', async (t) => {
  const hash = makeChunkHash();
  const chunk = makeChunkMemory(8 * mebibyte).fill('x');
  for (const _ of many) await hash.digest(chunk);
  const last = hash.digest(chunk);
  await hash.close();
  t.equal(await last, digestOf(chunk), 'who waits is not left waiting');
  t.equal(await hash.digest(chunk), digestOf(chunk));
  await hash.close();
});

t.test('each chunk of a large volume is the one of its place', async (t) => {
  const chunkBytes = 4 * mebibyte;
  const content = Buffer.from(fillerBytes('large', many.length * chunkBytes));
  const folder = t.testdir();
  const { list } = await writeVolumes(folder, [content], { chunkBytes, volumeBytes: 1e9 });
  const [volume] = list.volumes;
  if (volume === undefined) throw new TypeError('it has one volume');
  const file = join(folder, 'volumes', volume.name);
  const read = async (): Promise<Buffer> => {
    const parts: Buffer[] = [];
    const options = { file, volume, stream, sequence: 7, chunkBytes };
    for await (const { bytes } of readVolume(options)) parts.push(Buffer.from(bytes));
    return Buffer.concat(parts).subarray(4096);
  };
  t.ok((await read()).equals(content));
  const handle = openSync(file, 'r+');
  writeSync(handle, 'y', volume.bytes - 1);
  closeSync(handle);
  await t.rejects(read(), { code: 'CHUNK_CORRUPT', message: /chunk 13 of 13/ });
});

t.test('bytes of any length are copied to any place', async (t) => {
  const source = Buffer.from('0123456789').subarray(2, 9);
  for (let length = 0; length <= source.length; length += 1) {
    for (const at of [0, 1, 5]) {
      const memory = makeChunkMemory(12).fill('.');
      copyIntoMemory(new Uint8Array(source.subarray(0, length)), memory, at);
      const expected = `${'.'.repeat(at)}${'2345678'.slice(0, length)}`.padEnd(12, '.');
      t.equal(memory.toString(), expected);
    }
  }
});
