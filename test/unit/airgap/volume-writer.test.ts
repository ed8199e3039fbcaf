import { mkdirSync, readdirSync, readFileSync, truncateSync, unlinkSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { formatBlobRecord, readBlobRecords } from '../../../src/airgap/blob-index.ts';
import type { VolumeList } from '../../../src/airgap/bundle.ts';
import { readVolumeList, writeVolumeList } from '../../../src/airgap/volume-list.ts';
import { openVolumeWriter } from '../../../src/airgap/volume-writer.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { allOf, contentOf, inPieces, stream } from '../../support/airgap-kit.ts';
import { holds } from '../../support/holds.ts';
import { bytesAt, chunkBytes, writeVolumes } from '../../support/volume-kit.ts';

const { signal } = new AbortController();
const bytesOf = (size: number, fill = 'x'): Buffer => Buffer.alloc(size, `${fill}${size}`);

t.test('content is written behind a header, and may span volumes', async (t) => {
  const contents = [bytesOf(100), bytesOf(13_000), bytesOf(0), bytesOf(5)];
  const written = await writeVolumes(t.testdir(), contents);
  const names = [1, 2, 3].map((number) => `${stream}-7-000${number}.vol`);
  t.strictSame(readdirSync(written.folder), names);
  t.strictSame(
    written.list.volumes.map(({ name, bytes, chunks }) => [name, bytes, chunks.length]),
    [
      [names[0], 10_000, 3],
      [names[1], 10_000, 3],
      [names[2], 4096 + 13_105 - 2 * 5904, 2],
    ],
  );
  t.strictSame(written.extents[1], [
    { volume: 1, offset: 4196, length: 5804 },
    { volume: 2, offset: 4096, length: 5904 },
    { volume: 3, offset: 4096, length: 1292 },
  ]);
  for (const [index, extents] of written.extents.entries()) {
    t.ok((await bytesAt(written, extents)).equals(contents[index] as Buffer));
  }
  const head = readFileSync(join(written.folder, names[1] as string), 'latin1').slice(0, 4096);
  t.match(head, /^ASSAY-VOLUME 1\nstream [a-f0-9]{32}\nsequence 7\nvolume 2\n\0+$/);
});

t.test('nothing written is no volume', async (t) => {
  const written = await writeVolumes(t.testdir(), [bytesOf(0)]);
  t.strictSame(written.list.volumes, []);
  t.strictSame(written.extents, [[{ volume: 1, offset: 4096, length: 0 }]]);
  t.strictSame(readdirSync(written.folder), []);
});

for (const [name, bytes] of Object.entries({
  'other bytes': bytesOf(1000, 'y'),
  'a byte less': bytesOf(1000).subarray(1),
  'a byte more': Buffer.concat([bytesOf(1000), bytesOf(1)]),
})) {
  t.test(`${name} than the content has are not taken`, async (t) => {
    const folder = t.testdir();
    const writer = await openVolumeWriter({ folder, stream, sequence: 7, volumeBytes: 10_000 });
    const content = contentOf(bytesOf(1000));
    await t.rejects(writer.add(content, inPieces(bytes), signal), { code: 'CONTENT_MISMATCH' });
    await t.rejects(writer.finish(), /broken/, 'and nothing is finished behind it');
    await writer.abandon();
    t.strictSame(readdirSync(folder), []);
  });
}

t.test('it goes on behind the volumes that were finished', async (t) => {
  const contents = [bytesOf(3000), bytesOf(9000), bytesOf(1), bytesOf(4000)];
  const whole = await writeVolumes(t.testdir(), contents);
  const folder = join(t.testdirName, 'again');
  mkdirSync(folder);
  let finished: VolumeList | undefined;
  const onVolume = async (list: VolumeList): Promise<void> => {
    finished ??= list;
  };
  const options = { folder, stream, sequence: 7, volumeBytes: 10_000, chunkBytes };
  const killed = await openVolumeWriter({ ...options, onVolume });
  for (const bytes of contents.slice(0, 2)) {
    await killed.add(contentOf(bytes), inPieces(bytes), signal);
  }
  t.equal(finished?.volumes.length, 1);
  t.equal(readdirSync(folder).length, 3, 'two whole, of which one was told, and a part');
  const writer = await openVolumeWriter({ ...options, resume: finished });
  const extents = [writer.skip(contentOf(bytesOf(3000)))];
  t.equal(writer.skip(contentOf(bytesOf(9000))), undefined, 'only a part of it is there');
  for (const bytes of contents.slice(1)) {
    extents.push(await writer.add(contentOf(bytes), inPieces(bytes), signal));
  }
  t.strictSame(extents, whole.extents);
  t.strictSame(await writer.finish(), whole.list);
  for (const { name } of whole.list.volumes) {
    t.ok(readFileSync(join(folder, name)).equals(readFileSync(join(whole.folder, name))));
  }
  await killed.abandon();
});

t.test('volumes to go on behind must be there, whole and alike', async (t) => {
  const { folder, list } = await writeVolumes(t.testdir(), [bytesOf(2 * 5904)]);
  const options = { folder, stream, sequence: 7, volumeBytes: 10_000, chunkBytes, resume: list };
  await t.resolves(openVolumeWriter(options));
  await t.rejects(openVolumeWriter({ ...options, chunkBytes: 8192 }), { code: 'WRITE_FAILED' });
  await t.rejects(openVolumeWriter({ ...options, volumeBytes: 9000 }), { code: 'WRITE_FAILED' });
  await t.rejects(openVolumeWriter({ ...options, sequence: 8 }), { code: 'WRITE_FAILED' });
  const last = join(folder, list.volumes[1]?.name ?? '');
  truncateSync(last, 9999);
  await t.rejects(openVolumeWriter(options), { code: 'VOLUME_TRUNCATED' });
  unlinkSync(last);
  await t.rejects(openVolumeWriter(options), { code: 'VOLUME_MISSING' });
});

t.test('less content than before is not finished', async (t) => {
  const { folder, list } = await writeVolumes(t.testdir(), [bytesOf(5904)]);
  const options = { folder, stream, sequence: 7, volumeBytes: 10_000, chunkBytes, resume: list };
  const writer = await openVolumeWriter(options);
  await t.rejects(writer.finish(), { code: 'WRITE_FAILED', message: /less content than before/ });
});

for (const [system, code] of [
  ['ENOSPC', 'NO_SPACE'],
  ['EROFS', 'WRITE_FAILED'],
] as const) {
  t.test(`${system} while a chunk is written is ${code}`, async (t) => {
    const failure = Object.assign(new Error(`${system}: no`), { code: system });
    const open: typeof fs.open = async (...given) => {
      const handle = await fs.open(...given);
      handle.writev = () => Promise.reject(failure);
      return handle;
    };
    const files = { ...systemFiles, open };
    await t.rejects(writeVolumes(t.testdir(), [bytesOf(9000)], { files }), {
      code,
      cause: failure,
    });
  });
}

t.test('whoever stops is not waited for', async (t) => {
  const writer = await openVolumeWriter({
    folder: t.testdir(),
    stream,
    sequence: 7,
    volumeBytes: 10_000,
  });
  const stopped = AbortSignal.abort(new Error('stopped'));
  const bytes = bytesOf(1000);
  await t.rejects(writer.add(contentOf(bytes), inPieces(bytes), stopped), /stopped/);
  await writer.abandon();
});

t.test('volumes that are too small are refused', async (t) => {
  const options = { folder: t.testdir(), stream, sequence: 7, volumeBytes: 8191 };
  await t.rejects(openVolumeWriter(options), { code: 'WRITE_FAILED', message: /at least 8192/ });
});

t.test('for any content', async (t) => {
  let round = 0;
  const parent = t.testdir();
  await holds(
    t,
    'what is in the volumes is where the index says, also when it was resumed',
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 8192, max: 20_000 }),
      fc.nat(),
      async (sizes, volumeBytes, cut) => {
        round += 1;
        const contents = sizes.map((size, index) => bytesOf(size, String(index)));
        const written = await writeVolumes(join(parent, `${round}`), contents, { volumeBytes });
        const lines = written.extents.map((extents, index) =>
          formatBlobRecord({ ...contentOf(contents[index] as Buffer), extents }),
        );
        const list = readVolumeList(writeVolumeList(written.list), { stream, sequence: 7 });
        const index = inPieces(Buffer.from(lines.join('')), 100);
        for (const [at, { extents = [] }] of (
          await allOf(readBlobRecords(index, list))
        ).entries()) {
          const bytes = await bytesAt(written, extents);
          if (!bytes.equals(contents[at] as Buffer)) return false;
        }
        const full = list.volumes.filter(({ bytes }) => bytes === volumeBytes);
        const volumes = full.slice(0, cut % (full.length + 1));
        const resume = { ...list, volumes };
        const options = { volumeBytes, resume };
        const again = await writeVolumes(join(parent, `${round}`), contents, options);
        return JSON.stringify(again.list) === JSON.stringify(written.list);
      },
    ),
  );
});
