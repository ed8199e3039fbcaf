import t from 'tap';
import { tarEnd, tarHeader, tarPadding } from '../../../src/airgap/tar-header.ts';
import { readTar } from '../../../src/airgap/tar-reader.ts';
import { allOf, inPieces } from '../../support/airgap-kit.ts';

const long = `blobs/sha256/${'a'.repeat(64)}/${'b'.repeat(64)}`;

function file(name: string, bytes: Uint8Array = Buffer.from('content')): Buffer {
  return Buffer.concat([tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]);
}

/** Changes a header, and makes its checksum right again. */
function changed(entry: Buffer, change: (header: Buffer) => void): Buffer {
  const bytes = Buffer.from(entry);
  change(bytes);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

async function read(
  ...parts: readonly Uint8Array[]
): Promise<readonly (readonly [string, string])[]> {
  const found: [string, string][] = [];
  for await (const { name, kind, bytes } of readTar(inPieces(Buffer.concat(parts), 700))) {
    const content = kind === 'folder' ? 'folder' : Buffer.concat(await allOf(bytes)).toString();
    found.push([name, content]);
  }
  return found;
}

const folder = changed(tarHeader('blobs/', 0), (header) => header.write('5', 156));

t.test('files and folders are read, with short names and long ones', async (t) => {
  t.strictSame(
    await read(folder, file('./index.json'), file(long, Buffer.alloc(1500, 'x')), tarEnd),
    [
      ['blobs', 'folder'],
      ['index.json', 'content'],
      [long, 'x'.repeat(1500)],
    ],
  );
});

t.test('the folder itself is no entry, and what is not read is skipped', async (t) => {
  const self = changed(tarHeader('./', 0), (header) => header.write('5', 156));
  const names: string[] = [];
  const archive = Buffer.concat([self, file('a', Buffer.alloc(5000)), file('b'), tarEnd]);
  for await (const { name } of readTar(inPieces(archive))) names.push(name);
  t.strictSame(names, ['a', 'b']);
});

const pax = (record: string): Buffer => {
  const header = changed(tarHeader('pax', record.length), (bytes) => bytes.write('x', 156));
  return Buffer.concat([header, Buffer.from(record), tarPadding(record.length)]);
};

const broken: Readonly<Record<string, readonly [readonly Uint8Array[], RegExp]>> = {
  'a name twice': [[file('a'), file('./a'), tarEnd], /"a" stands twice/],
  'a symbolic link': [[changed(file('a'), (b) => b.write('2', 156)), tarEnd], /no plain file/],
  'a hard link': [[changed(file('a'), (b) => b.write('1', 156)), tarEnd], /no plain file/],
  'a device': [[changed(file('a'), (b) => b.write('3', 156)), tarEnd], /no plain file/],
  'a global header': [[changed(file('a'), (b) => b.write('g', 156)), tarEnd], /no plain file/],
  "GNU's long name": [[changed(file('a'), (b) => b.write('L', 156)), tarEnd], /no plain file/],
  'a sparse file': [[pax('22 GNU.sparse.major=1\n'), file('a'), tarEnd], /sparse/],
  'a way up': [[file('blobs/../../a'), tarEnd], /no name that may stand/],
  'an absolute path': [[file('/etc/passwd'), tarEnd], /no name that may stand/],
  'a way up in a pax header': [
    [pax('14 path=../a\n'.replace('14', '13')), file('a'), tarEnd],
    /no name/,
  ],
  'a name with a space': [[file('a b'), tarEnd], /no name that may stand/],
  'a wrong checksum': [[Buffer.from(file('a')).fill('b', 0, 1), tarEnd], /checksum/],
  'a size that is no number': [
    [changed(file('a'), (b) => b.fill(0x80, 124, 136)), tarEnd],
    /the size/,
  ],
  'a folder with bytes': [
    [changed(file('a'), (b) => b.write('5', 156)), tarEnd],
    /folder of bytes/,
  ],
  'an extended header that lies': [[pax('99 path=a\n'), file('a'), tarEnd], /can not be read/],
  'two of them': [[pax('10 path=b\n'), pax('10 path=b\n'), file('a'), tarEnd], /two extended/],
  'no end': [[file('a')], /without its two empty blocks/],
  'an end within a file': [[file('a', Buffer.alloc(2000)).subarray(0, 1000)], /within a file/],
  'something behind its end': [[file('a'), Buffer.alloc(512), file('b')], /behind its end/],
  'compressed bytes': [[Buffer.from([0x1f, 0x8b, ...Buffer.alloc(600)])], /compressed/],
};

for (const [what, [parts, message]] of Object.entries(broken)) {
  t.test(`refuses ${what}`, async (t) => {
    await t.rejects(read(...parts), { code: 'LAYOUT_MALFORMED', message });
  });
}
