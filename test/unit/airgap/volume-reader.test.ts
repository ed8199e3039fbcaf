import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import type { AirgapError } from '../../../src/airgap/airgap-error.ts';
import { readVolume, type ReadVolumeOptions } from '../../../src/airgap/volume-reader.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { stream } from '../../support/airgap-kit.ts';
import { holds } from '../../support/holds.ts';
import { chunkBytes, writeVolumes, type WrittenVolumes } from '../../support/volume-kit.ts';

const content = Buffer.from(Array.from({ length: 12_000 }, (_, index) => index % 251));

function volumeOf(written: WrittenVolumes, number = 1): ReadVolumeOptions {
  const volume = written.list.volumes[number - 1];
  if (volume === undefined) throw new TypeError('there is no such volume');
  const file = join(written.folder, volume.name);
  return { file, volume, stream, sequence: 7, chunkBytes };
}

async function collect(options: ReadVolumeOptions) {
  const chunks: { readonly index: number; readonly offset: number; readonly bytes: Buffer }[] = [];
  for await (const { bytes, ...chunk } of readVolume(options)) {
    chunks.push({ ...chunk, bytes: Buffer.from(bytes) });
  }
  return chunks;
}

function change(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

t.test('all chunks of a good volume come in their order', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  const chunks = await collect(options);
  t.strictSame(
    chunks.map(({ index, offset, bytes }) => [index, offset, bytes.length]),
    [
      [0, 0, 4096],
      [1, 4096, 4096],
      [2, 8192, 1808],
    ],
  );
  t.ok(Buffer.concat(chunks.map(({ bytes }) => bytes)).equals(readFileSync(options.file)));
});

t.test('only wanted chunks are read', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  change(options.file, 5000);
  const chunks = await collect({ ...options, wanted: (index) => index !== 1 });
  t.strictSame(
    chunks.map(({ index }) => index),
    [0, 2],
  );
  t.strictSame(await collect({ ...options, wanted: () => false }), []);
});

for (const [name, at, chunk] of [
  ['the first byte of the header', 0, 1],
  ["the header's filling", 4095, 1],
  ['the first byte of the content', 4096, 2],
  ['the last byte', 9999, 3],
] as const) {
  t.test(`a damaged volume is named by its chunk: ${name}`, async (t) => {
    const options = volumeOf(await writeVolumes(t.testdir(), [content]));
    change(options.file, at);
    await t.rejects(collect(options), {
      code: 'CHUNK_CORRUPT',
      message: `${options.file}: chunk ${chunk} of 3 of volume 1 is damaged: copy it again`,
    });
    const damage: (number | undefined)[] = [];
    const onDamage = (error: AirgapError, index: number | undefined): void => {
      t.equal(error.code, 'CHUNK_CORRUPT');
      damage.push(index);
    };
    const rest = await collect({ ...options, onDamage });
    t.strictSame(damage, [chunk - 1]);
    t.equal(rest.length, 2, 'the others can be used');
  });
}

t.test('a volume in the place of another one is named as what it is', async (t) => {
  const written = await writeVolumes(t.testdir(), [content]);
  const [first, second] = [volumeOf(written, 1), volumeOf(written, 2)];
  renameSync(second.file, first.file);
  await t.rejects(collect({ ...first, onDamage: () => undefined }), {
    code: 'VOLUME_FOREIGN',
    message: /is volume 2 of bundle 7 of stream "0123.*, not volume 1 of bundle 7/,
  });
});

t.test('a volume of another bundle, or stream, is named as what it is', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  await t.rejects(collect({ ...options, sequence: 8 }), {
    code: 'VOLUME_FOREIGN',
    message: /is volume 1 of bundle 7 .*, not volume 1 of bundle 8/,
  });
  await t.rejects(collect({ ...options, stream: 'f'.repeat(32) }), { code: 'VOLUME_FOREIGN' });
});

t.test('a volume that ends early is named, and what it has can be used', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  truncateSync(options.file, 8192);
  await t.rejects(collect(options), {
    code: 'VOLUME_TRUNCATED',
    message: /has 8192 bytes, .*10000/,
  });
  const damage: unknown[] = [];
  const onDamage = ({ code }: AirgapError, index: number | undefined): void => {
    damage.push([code, index]);
  };
  t.equal((await collect({ ...options, onDamage })).length, 2);
  t.strictSame(damage, [
    ['VOLUME_TRUNCATED', undefined],
    ['CHUNK_CORRUPT', 2],
  ]);
  truncateSync(options.file, 0);
  await t.rejects(collect(options), { code: 'VOLUME_TRUNCATED' });
});

t.test('a file that is larger is no volume of the list', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  truncateSync(options.file, 10_001);
  await t.rejects(collect(options), { code: 'VOLUME_FOREIGN' });
});

t.test('a sector that can not be read is damage to its chunk', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  const open: typeof fs.open = async (...given) => {
    const handle = await fs.open(...given);
    const read = handle.read.bind(handle) as (...all: unknown[]) => Promise<unknown>;
    const failing = (into: Buffer, offset: number, length: number, position: number) =>
      position >= 4096 && position < 8192
        ? Promise.reject(Object.assign(new Error('EIO: no'), { code: 'EIO' }))
        : read(into, offset, length, position);
    return Object.assign(handle, { read: failing });
  };
  const damage: (number | undefined)[] = [];
  const files = { ...systemFiles, open };
  const onDamage = (_: AirgapError, index: number | undefined): void => void damage.push(index);
  t.equal((await collect({ ...options, files, onDamage })).length, 2);
  t.strictSame(damage, [1]);
});

t.test('a file that is not there can not be read', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  rmSync(options.file);
  await t.rejects(collect(options), { code: 'READ_FAILED', message: /ENOENT/ });
});

t.test('whoever stops reading leaves nothing open', async (t) => {
  const options = volumeOf(await writeVolumes(t.testdir(), [content]));
  let closed = 0;
  const open: typeof fs.open = async (...given) => {
    const handle = await fs.open(...given);
    const close = handle.close.bind(handle);
    const noted = async (): Promise<void> => {
      closed += 1;
      await close();
    };
    return Object.assign(handle, { close: noted });
  };
  for await (const { index } of readVolume({ ...options, files: { ...systemFiles, open } })) {
    t.equal(index, 0);
    break;
  }
  t.equal(closed, 1);
});

t.test('for any volume', async (t) => {
  let round = 0;
  const parent = t.testdir();
  await holds(
    t,
    'one flipped bit is one damaged chunk, and no other byte is lost',
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30_000 }),
      fc.integer({ min: 8192, max: 20_000 }),
      fc.nat(),
      async (size, volumeBytes, place) => {
        round += 1;
        const bytes = Buffer.alloc(size, `${place} `);
        const written = await writeVolumes(join(parent, `${round}`), [bytes], { volumeBytes });
        const number = (place % written.list.volumes.length) + 1;
        const options = volumeOf(written, number);
        const at = 100 + (place % (options.volume.bytes - 100));
        change(options.file, at);
        const damage: (number | undefined)[] = [];
        const onDamage = (_: AirgapError, index: number | undefined): void =>
          void damage.push(index);
        const rest = await collect({ ...options, onDamage });
        const got = rest.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
        const index = Math.floor(at / chunkBytes);
        const lost = Math.min(chunkBytes, options.volume.bytes - index * chunkBytes);
        return damage.length === 1 && damage[0] === index && got === options.volume.bytes - lost;
      },
    ),
  );
});
