import { Readable } from 'node:stream';
import t from 'tap';
import { forgetOldest, readBounded, TooLargeError } from '../../../src/kernel/bounded.ts';

t.test('a stream of exactly the bound is read whole', async (t) => {
  const bytes = await readBounded(Readable.from([Buffer.from('ab'), Buffer.from('c')]), 3, 'it');
  t.equal(bytes.toString(), 'abc');
});

t.test('the first byte past the bound ends the reading and closes the stream', async (t) => {
  let given = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        given += 1;
        yield Buffer.alloc(10);
      }
    })(),
  );
  await t.rejects(readBounded(endless, 25, 'the token'), TooLargeError);
  t.ok(endless.destroyed);
  t.ok(given < 30, 'it was not read on');
});

t.test('of more entries than there may be the first goes', async (t) => {
  const entries = new Map([['a', 1]]);
  entries.set('b', 2);
  forgetOldest(entries, 2);
  t.strictSame([...entries.keys()], ['a', 'b']);
  entries.set('c', 3);
  forgetOldest(entries, 2);
  t.strictSame([...entries.keys()], ['b', 'c']);
});
