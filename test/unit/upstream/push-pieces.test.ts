import t from 'tap';
import { openPieces } from '../../../src/upstream/push-pieces.ts';
import { allOf, inPieces } from '../../support/airgap-kit.ts';

const bytes = Buffer.from('0123456789');

t.test('parts are taken across the pieces that come', async (t) => {
  const pieces = openPieces(inPieces(bytes, 3));
  const take = async (count: number): Promise<string> =>
    Buffer.concat(await allOf(pieces.take(count))).toString();
  t.equal(await take(4), '0123');
  t.equal(await take(1), '4');
  t.equal(await take(0), '');
  t.equal(await take(100), '56789', 'to the end where there is no more');
  t.equal(await take(1), '');
  t.equal(pieces.failure(), undefined);
});

t.test('what reading fails with is kept, and the reader is let go', async (t) => {
  let isClosed = false;
  async function* broken(): AsyncGenerator<Uint8Array> {
    try {
      yield bytes;
      throw new Error('the disk');
    } finally {
      isClosed = true;
    }
  }
  const pieces = openPieces(broken());
  await allOf(pieces.take(10));
  await t.rejects(allOf(pieces.take(1)), { message: 'the disk' });
  t.match(pieces.failure(), { error: { message: 'the disk' } });
  t.ok(isClosed);
  await pieces.close();
});
