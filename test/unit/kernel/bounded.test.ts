import { Readable } from 'node:stream';
import t from 'tap';
import { readBounded, TooLargeError } from '../../../src/kernel/bounded.ts';

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
