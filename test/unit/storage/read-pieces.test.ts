import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { type PieceSource, readPieces } from '../../../src/storage/read-pieces.ts';

const bytes = Buffer.from('abcdefghij');

/** Ten bytes, of which so many are ready. */
function makeSource(overrides: Partial<PieceSource> = {}) {
  const state = { ready: 10, isEnded: true, ended: [] as number[], more: () => {} };
  const source: PieceSource = {
    async read(into, position) {
      return bytes.copy(into, 0, position);
    },
    ready: (position) =>
      position < state.ready ? state.ready - position : state.isEnded ? 'end' : 0,
    whenMore(callback) {
      state.more = callback;
    },
    onEnd: (position) => void state.ended.push(position),
    ...overrides,
  };
  return { state, source };
}

t.test('a stream gives all, piece by piece', async (t) => {
  const { source, state } = makeSource();
  const chunks: string[] = [];
  for await (const chunk of readPieces(source, 2, 3)) chunks.push(String(chunk));
  t.strictSame(chunks, ['cde', 'fgh', 'ij']);
  t.strictSame(state.ended, [10]);
});

t.test('it waits for more, and never reads past what is ready', async (t) => {
  const { source, state } = makeSource();
  Object.assign(state, { ready: 4, isEnded: false });
  const stream = readPieces(source, 0, 100);
  t.equal(String((await once(stream, 'data'))[0]), 'abcd');
  Object.assign(state, { ready: 10, isEnded: true });
  state.more();
  t.equal(String(await buffer(stream)), 'efghij');
});

t.test('into the reader’s own memory it reads no more than is ready either', async (t) => {
  const { source, state } = makeSource();
  Object.assign(state, { ready: 4, isEnded: false });
  const { pieces } = readPieces(source, 0, 100);
  const into = Buffer.alloc(10, '-');
  t.equal(await pieces?.ready(), 4);
  t.equal(await pieces?.read(into), 4);
  t.equal(String(into), 'abcd------');
  await t.rejects(async () => pieces?.read(into), TypeError);
  const ready = pieces?.ready();
  state.ready = 10;
  state.more();
  t.equal(await ready, 6);
});

t.test('with the stream destroyed nobody waits any longer', async (t) => {
  const { source, state } = makeSource();
  Object.assign(state, { ready: 0, isEnded: false });
  const stream = readPieces(source, 0, 100);
  const ready = stream.pieces?.ready();
  stream.on('error', () => undefined).destroy(new Error('cut off'));
  await t.rejects(async () => ready, { message: 'cut off' });
  t.strictSame(state.ended, [0]);
});

t.test(
  'an error of the source and a file that ends too early are errors of the stream',
  async (t) => {
    const failing = makeSource({ read: () => Promise.reject(new Error('no disk')) });
    await t.rejects(buffer(readPieces(failing.source, 0, 5)), { message: 'no disk' });
    const short = makeSource({ read: async () => 0 });
    await t.rejects(buffer(readPieces(short.source, 3, 5)), {
      message: 'a stored file ended at 3',
    });
    const failed = makeSource({
      ready() {
        throw new Error('the fill failed');
      },
    });
    await t.rejects(buffer(readPieces(failed.source, 0, 5)), { message: 'the fill failed' });
  },
);
