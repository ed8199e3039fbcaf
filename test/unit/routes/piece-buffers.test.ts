import t from 'tap';
import { makePieceBuffers } from '../../../src/routes/piece-buffers.ts';

const mebibyte = 1024 * 1024;
const lengthOf = (lent: { readonly bytes: Buffer }): number => lent.bytes.length;

t.test('a buffer has at most the length that is wanted', async (t) => {
  const buffers = makePieceBuffers();
  t.equal(lengthOf(buffers.lend(1, 'small')), 1);
  t.equal(lengthOf(buffers.lend(20_000, 'small')), 20_000);
  t.equal(lengthOf(buffers.lend(5 * mebibyte, 'small')), 128 * 1024);
  t.equal(lengthOf(buffers.lend(200_000, 'large')), 200_000);
  t.equal(lengthOf(buffers.lend(5 * mebibyte, 'large')), mebibyte);
});

t.test('what is given back is lent again, unless it may be in use', async (t) => {
  const buffers = makePieceBuffers();
  for (const [bytes, kind] of [
    [100_000, 'small'],
    [mebibyte, 'large'],
  ] as const) {
    const first = buffers.lend(bytes, kind);
    t.not(buffers.lend(bytes, kind).bytes.buffer, first.bytes.buffer, 'not while it is lent');
    first.giveBack('reusable');
    const second = buffers.lend(bytes, kind);
    t.equal(second.bytes.buffer, first.bytes.buffer);
    second.giveBack('maybe in use');
    t.not(buffers.lend(bytes, kind).bytes.buffer, first.bytes.buffer);
  }
});

t.test('there are sixteen large ones; who comes then gets a small one', async (t) => {
  const buffers = makePieceBuffers();
  const lent = Array.from({ length: 17 }, () => buffers.lend(mebibyte, 'large'));
  t.strictSame(lent.map(lengthOf), [...Array<number>(16).fill(mebibyte), 128 * 1024]);
  lent[3]?.giveBack('maybe in use');
  t.equal(lengthOf(buffers.lend(mebibyte, 'large')), mebibyte, 'one came back');
});
