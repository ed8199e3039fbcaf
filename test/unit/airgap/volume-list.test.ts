import t from 'tap';
import {
  maxVolumeListBytes,
  readVolumeList,
  writeVolumeList,
} from '../../../src/airgap/volume-list.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { stream } from '../../support/airgap-kit.ts';

const owner = { stream, sequence: 7 };
const chunk = digestOf(Buffer.from('chunk'));
const volume = (number: number, bytes: number) => ({
  number,
  name: `${stream}-7-${String(number).padStart(4, '0')}.vol`,
  bytes,
  chunks: Array.from({ length: Math.ceil(bytes / 4096) }, () => chunk),
});
const good = { chunkBytes: 4096, volumes: [volume(1, 9000), volume(2, 9000), volume(3, 4096)] };

t.test('a list is read as it was written', async (t) => {
  t.strictSame(readVolumeList(writeVolumeList(good), owner), good);
  const none = { chunkBytes: 8_388_608, volumes: [] };
  t.strictSame(readVolumeList(writeVolumeList(none), owner), none);
});

t.test('names go on behind 9999', async (t) => {
  const volumes = Array.from({ length: 10_001 }, (_, index) => volume(index + 1, 4097));
  t.equal(
    readVolumeList(writeVolumeList({ ...good, volumes }), owner).volumes.at(-1)?.name,
    `${stream}-7-10001.vol`,
  );
});

const [first, second] = good.volumes as [ReturnType<typeof volume>, ReturnType<typeof volume>];
const broken: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  'a chunk of nothing': [{ ...good, chunkBytes: 4095 }, /chunkBytes is not from 4096/],
  'a chunk past memory': [{ ...good, chunkBytes: 8_388_609 }, /chunkBytes is not from 4096/],
  'a name that leads away': [
    { ...good, volumes: [{ ...first, name: '../x' }] },
    /volumes\[0\].name is not 0123/,
  ],
  'volumes out of order': [{ ...good, volumes: [second, first] }, /volumes\[0\].name is not 0123/],
  'no room for a header': [
    { ...good, volumes: [{ ...first, bytes: 4095 }] },
    /volumes\[0\] has no room/,
  ],
  'a chunk too few': [
    { ...good, volumes: [{ ...first, chunks: first.chunks.slice(1) }] },
    /volumes\[0\] has not as many chunks/,
  ],
  'a chunk too many': [
    { ...good, volumes: [{ ...first, chunks: [...first.chunks, chunk] }] },
    /volumes\[0\] has not as many chunks/,
  ],
  'another hash': [
    {
      ...good,
      volumes: [{ ...first, chunks: first.chunks.with(1, digestOf(Buffer.from('a'), 'sha512')) }],
    },
    /volumes\[0\].chunks\[1\] is no SHA-256/,
  ],
  'a small one before the last': [
    { ...good, volumes: [first, { ...second, bytes: 8999 }, volume(3, 4096)] },
    /volume 2 has not the size of the others/,
  ],
  'a last one that is larger': [
    { ...good, volumes: [first, { ...second, bytes: 9001 }] },
    /volume 2 has not the size of the others/,
  ],
  'a field that is not known': [{ ...good, more: 1 }, /"more" is not known/],
};

for (const [name, [list, why]] of Object.entries(broken)) {
  t.test(`${name} is refused`, async (t) => {
    const bytes = Buffer.from(
      JSON.stringify(list, (key, value: unknown) => (key === 'number' ? undefined : value)),
    );
    t.throws(() => readVolumeList(bytes, owner), { code: 'VOLUMES_MALFORMED', message: why });
  });
}

t.test('the list of another bundle is refused', async (t) => {
  t.throws(() => readVolumeList(writeVolumeList(good), { stream, sequence: 8 }), {
    code: 'VOLUMES_MALFORMED',
  });
});

t.test('what is too large is not looked at', async (t) => {
  t.throws(() => readVolumeList(Buffer.alloc(maxVolumeListBytes + 1), owner), {
    message: /larger than/,
  });
});

t.test('many values in few bytes are not made', async (t) => {
  const lists = `[${'[],'.repeat(2 ** 19)}[]]`;
  t.throws(() => readVolumeList(Buffer.from(`{"chunkBytes":4096,"volumes":${lists}}`), owner), {
    code: 'VOLUMES_MALFORMED',
    message: /more than 1048576 values/,
  });
});
