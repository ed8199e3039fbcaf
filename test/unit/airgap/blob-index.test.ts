import * as fc from 'fast-check';
import t from 'tap';
import { formatBlobRecord, readBlobRecords } from '../../../src/airgap/blob-index.ts';
import type { BlobRecord, VolumeList } from '../../../src/airgap/bundle.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { allOf, inPieces, volumesOf } from '../../support/airgap-kit.ts';
import { holds } from '../../support/holds.ts';

const [low, high] = ['a', 'b'].map((text) => digestOf(Buffer.from(text))).toSorted();
const placed = digestOf(Buffer.from('placed'));
const volumes = volumesOf(5000, 4200);

/** Fills both volumes: 904 and 104 bytes. */
const good = [
  `${placed} 900 1:4096+900`,
  `${placed} 14 1:4996+4,2:4096+10`,
  `${placed} 0 2:4106+0`,
  `${placed} 94 2:4106+94`,
  `${low} 7 =`,
  `${high} 8 =`,
];

const read = (lines: readonly string[], list: VolumeList = volumes): Promise<BlobRecord[]> =>
  readText(lines.map((line) => `${line}\n`).join(''), list);

function readText(text: string, list: VolumeList = volumes): Promise<BlobRecord[]> {
  return allOf(readBlobRecords(inPieces(Buffer.from(text), 7), list));
}

t.test('records are read as they were written', async (t) => {
  const records = await read(good);
  t.strictSame(records[1], {
    digest: placed,
    size: 14,
    extents: [
      { volume: 1, offset: 4996, length: 4 },
      { volume: 2, offset: 4096, length: 10 },
    ],
  });
  t.strictSame(records[4], { digest: low, size: 7, extents: undefined });
  t.strictSame(
    records.map(formatBlobRecord),
    good.map((line) => `${line}\n`),
  );
});

t.test('an index of nothing is one of no volumes', async (t) => {
  t.strictSame(await read([], volumesOf()), []);
  t.equal((await read([`${placed} 0 1:4096+0`], volumesOf())).length, 1);
});

const broken: Readonly<Record<string, readonly [number, string, RegExp]>> = {
  'a gap': [
    1,
    `${placed} 14 1:4997+3,2:4096+11`,
    /line 2 has a place that is not the next one, 1:4996/,
  ],
  'an overlap': [
    1,
    `${placed} 14 1:4995+5,2:4096+9`,
    /line 2 has a place that is not the next one/,
  ],
  'a volume too early': [
    1,
    `${placed} 14 2:4096+14`,
    /line 2 has a place that is not the next one/,
  ],
  'bytes past a volume': [1, `${placed} 14 1:4996+14`, /line 2 has a place past the end/],
  'another size': [1, `${placed} 15 1:4996+4,2:4096+10`, /line 2 has places for another size/],
  'an empty place': [0, `${placed} 900 1:4096+0,1:4096+900`, /line 1 has an empty place/],
  'the header as content': [
    0,
    `${placed} 900 1:4000+900`,
    /line 1 has a place that is not the next/,
  ],
  'no digest': [0, `sha256:ab 900 1:4096+900`, /line 1 is no record/],
  'a size with zeros before': [0, `${placed} 0900 1:4096+900`, /line 1 is no record/],
  'a size past counting': [0, `${placed} 9999999999999999 1:4096+900`, /line 1 is no record/],
  'a place of text': [0, `${placed} 900 1:4096+x`, /line 1 is no record/],
  'no places': [0, `${placed} 900 `, /line 1 is no record/],
  'two spaces': [0, `${placed}  900 1:4096+900`, /line 1 is no record/],
  'a carriage return': [0, `${placed} 900 1:4096+900\r`, /line 1 is no record/],
  'places behind lines without': [5, good[3] ?? '', /line 6 has places, behind lines without/],
  'a digest again': [5, `${low} 7 =`, /line 6 is not in the order of digests/],
};

for (const [name, [at, line, why]] of Object.entries(broken)) {
  t.test(`${name} is refused`, async (t) => {
    await t.rejects(read(good.with(at, line)), { code: 'INDEX_MALFORMED', message: why });
  });
}

t.test('volumes that are not filled are refused', async (t) => {
  const early = [...good.slice(0, 3), ...good.slice(4)];
  await t.rejects(read(early), { code: 'INDEX_MALFORMED', message: /end at 2:4106, before/ });
  await t.rejects(read(good, volumesOf(5000, 4200, 4096 + 1)), {
    code: 'INDEX_MALFORMED',
    message: /end at 2:4200, before/,
  });
});

t.test('a line without an end is refused', async (t) => {
  await t.rejects(readText(good.join('\n')), { code: 'INDEX_MALFORMED', message: /no end/ });
});

t.test('a line is not collected without bound', async (t) => {
  let given = 0;
  const endless = async function* () {
    for (; given < 100; given += 1) yield Buffer.alloc(64 * 1024, '1');
  };
  await t.rejects(allOf(readBlobRecords(endless(), volumes)), {
    code: 'INDEX_MALFORMED',
    message: /more than 1048576 bytes/,
  });
  t.ok(given < 20, `${given} pieces were read`);
});

t.test('for any content', (t) =>
  holds(
    t,
    'the index of any sizes is read again, and not with one record less',
    fc.asyncProperty(
      fc.array(fc.nat(3000), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 2000 }),
      fc.nat(),
      async (sizes, room, victim) => {
        const { records, list } = layOut(sizes, room);
        const lines = records.map(formatBlobRecord);
        const again = await readText(lines.join(''), list);
        const gone = victim % lines.length;
        const isEmpty = records[gone]?.size === 0;
        const less = await readText(lines.toSpliced(gone, 1).join(''), list).catch(() => undefined);
        const isSame = again.map(formatBlobRecord).join('') === lines.join('');
        return isSame && (less !== undefined) === isEmpty;
      },
    ),
  ),
);

/** The places of contents one behind the other, each byte by itself. */
function layOut(sizes: readonly number[], room: number) {
  let at = 0;
  const records = sizes.map((size): BlobRecord => {
    const extents: { volume: number; offset: number; length: number }[] = [];
    for (const end = at + size; at < end; at += 1) {
      const [volume, offset] = [Math.floor(at / room) + 1, 4096 + (at % room)];
      const last = extents.at(-1);
      if (last?.volume === volume) last.length += 1;
      else extents.push({ volume, offset, length: 1 });
    }
    const volume = Math.max(1, Math.ceil(at / room));
    const here = { volume, offset: 4096 + at - (volume - 1) * room, length: 0 };
    return { digest: placed, size, extents: extents.length === 0 ? [here] : extents };
  });
  const bytes = Array.from({ length: Math.ceil(at / room) }, (_, index) =>
    Math.min(room, at - index * room),
  );
  return { records, list: volumesOf(...bytes.map((content) => 4096 + content)) };
}

t.test('a million records are read one after the other', async (t) => {
  const count = 1_000_000;
  const lengthOf = (index: number): number => 1 + (index % 7);
  async function* written(): AsyncGenerator<Uint8Array> {
    let offset = 4096;
    for (let from = 0; from < count; from += 1_000) {
      let text = '';
      for (let index = from; index < from + 1_000; index += 1) {
        const size = lengthOf(index);
        const digest = `sha256:${index.toString(16).padStart(64, '0')}` as Digest;
        text += formatBlobRecord({ digest, size, extents: [{ volume: 1, offset, length: size }] });
        offset += size;
      }
      yield Buffer.from(text);
    }
  }
  let total = 0;
  for (let index = 0; index < count; index += 1) total += lengthOf(index);
  let read = 0;
  for await (const { size } of readBlobRecords(written(), volumesOf(4096 + total))) {
    if (size === lengthOf(read)) read += 1;
  }
  t.equal(read, count);
});
