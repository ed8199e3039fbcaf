import t from 'tap';
import { tarEnd, tarHeader, tarPadding } from '../../../src/airgap/tar-header.ts';

const text = (header: Buffer, start: number, end: number): string =>
  header.subarray(start, end).toString('latin1').replace(/\0.*$/s, '');

t.test('a header has name, size and a checksum that fits', async (t) => {
  const header = tarHeader('blobs/sha256/abc', 4097);
  t.equal(header.length, 512);
  t.equal(text(header, 0, 100), 'blobs/sha256/abc');
  t.equal(text(header, 124, 136), '00000010001');
  t.equal(text(header, 257, 263), 'ustar');
  const sum = header.reduce(
    (total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte),
    0,
  );
  t.equal(Number.parseInt(text(header, 148, 155), 8), sum);
});

t.test('a name or size that is too long for it is in an extended header before it', async (t) => {
  const name = `blobs/sha512/${'a'.repeat(128)}`;
  const long = tarHeader(name, 1);
  t.equal(long.length, 3 * 512);
  t.equal(text(long, 156, 157), 'x');
  t.match(text(long, 512, 1024), new RegExp(`^\\d+ path=${name}\n$`));
  const record = text(long, 512, 1024);
  t.equal(Number(record.split(' ')[0]), record.length, 'its length counts itself');
  const large = tarHeader('blob', 8 ** 11);
  t.match(text(large, 512, 1024), /^\d+ size=8589934592\n$/);
});

t.test('files are filled up to whole blocks', async (t) => {
  t.same(
    [0, 1, 511, 512, 513].map((size) => tarPadding(size).length),
    [0, 511, 1, 0, 511],
  );
  t.equal(tarEnd.length, 1024);
});
