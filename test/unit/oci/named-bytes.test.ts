import { Readable } from 'node:stream';
import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { readNamedBytes } from '../../../src/oci/named-bytes.ts';

const bytes = Buffer.from('what the descriptor names');
const named = { digest: digestOf(bytes), size: bytes.length };
const inPieces = (of: Buffer): Readable =>
  Readable.from(Array.from(of, (_, at) => of.subarray(at, at + 1)));

for (const algorithm of ['sha256', 'sha512'] as const) {
  t.test(`bytes that come in pieces are those that a ${algorithm} digest names`, async (t) => {
    const digest = digestOf(bytes, algorithm);
    t.strictSame(await readNamedBytes(inPieces(bytes), { ...named, digest }), bytes);
  });
}

t.test('no bytes at all may be what is named', async (t) => {
  const nothing = Buffer.alloc(0);
  const read = await readNamedBytes(Readable.from([]), { digest: digestOf(nothing), size: 0 });
  t.strictSame(read, nothing);
});

t.test('one byte changed is something else', async (t) => {
  for (const at of bytes.keys()) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    t.equal(await readNamedBytes(inPieces(other), named), undefined, `at ${at}`);
  }
});

t.test('one byte fewer or more is something else, also where the hash fits', async (t) => {
  const fewer = bytes.subarray(0, -1);
  t.equal(await readNamedBytes(inPieces(fewer), named), undefined);
  t.equal(await readNamedBytes(inPieces(bytes), { ...named, size: named.size + 1 }), undefined);
  t.equal(await readNamedBytes(inPieces(bytes), { ...named, size: named.size - 1 }), undefined);
});

t.test('what goes on past the size is not read to its end', async (t) => {
  let pieces = 0;
  async function* endless() {
    for (;;) {
      pieces += 1;
      yield Buffer.alloc(10);
    }
  }
  t.equal(await readNamedBytes(endless(), named), undefined);
  t.equal(pieces, 3);
});

t.test('a stream that breaks is an error, and not other bytes', async (t) => {
  async function* broken() {
    yield bytes.subarray(0, 5);
    throw new Error('cut off');
  }
  await t.rejects(readNamedBytes(broken(), named), { message: 'cut off' });
});

t.test(
  'others have their turns while a large one is read from a source that is fast',
  async (t) => {
    const piece = Buffer.alloc(64 * 1024);
    const large = Buffer.concat(Array.from({ length: 64 }, () => piece));
    let isRead = false;
    let turns = 0;
    const takeTurn = (): void => {
      if (isRead) return;
      turns += 1;
      setImmediate(takeTurn);
    };
    async function* fast() {
      for (let at = 0; at < large.length; at += piece.length) yield piece;
    }
    setImmediate(takeTurn);
    const read = await readNamedBytes(fast(), { digest: digestOf(large), size: large.length });
    isRead = true;
    t.ok(read !== undefined && large.equals(read));
    t.ok(turns >= 7, `${turns} turns in 4 MiB`);
  },
);
