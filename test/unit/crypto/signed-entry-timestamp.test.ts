import t from 'tap';
import { signedEntryTimestampInput } from '../../../src/crypto/signed-entry-timestamp.ts';

const entry = {
  body: Buffer.from('{"a":1}'),
  integratedTimeSeconds: 1_675_209_600,
  logId: Buffer.from('c0d23d6a', 'hex'),
  logIndex: 4_288_993,
};

t.test('what is promised is written in the one canonical way', async (t) => {
  const text = Buffer.from(signedEntryTimestampInput(entry)).toString();
  t.strictSame(
    text,
    '{"body":"eyJhIjoxfQ==","integratedTime":1675209600,"logID":"c0d23d6a","logIndex":4288993}',
  );
});

t.test('numbers that JSON would write otherwise are our own mistake', async (t) => {
  for (const wrong of [0.5, 2 ** 53, NaN]) {
    t.throws(() => signedEntryTimestampInput({ ...entry, logIndex: wrong }), TypeError);
    t.throws(
      () => signedEntryTimestampInput({ ...entry, integratedTimeSeconds: wrong }),
      TypeError,
    );
  }
});
