import t from 'tap';
import { lines } from '../../../src/airgap/lines.ts';
import { allOf, inPieces } from '../../support/airgap-kit.ts';

const read = (text: string, pieceBytes: number): Promise<string[]> =>
  allOf(lines(inPieces(Buffer.from(text), pieceBytes), 10, () => new Error('too long')));

t.test('lines are the same however their bytes come', async (t) => {
  for (const pieceBytes of [1, 2, 3, 100]) {
    t.strictSame(await read('one\ntwo\n\nthree\n', pieceBytes), ['one', 'two', '', 'three']);
    t.strictSame(await read('', pieceBytes), []);
    t.strictSame(await read('0123456789\n', pieceBytes), ['0123456789']);
  }
});

t.test('a line that is too long, or has no end, is refused', async (t) => {
  for (const pieceBytes of [1, 3, 100]) {
    await t.rejects(read('0123456789a\n', pieceBytes), /too long/);
    await t.rejects(read('one\ntwo', pieceBytes), /too long/);
  }
});
