import t from 'tap';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import { readingAs } from '../../../src/crypto/reading-as.ts';

const read = (error: Error) => () =>
  readingAs('CMS_MALFORMED', 'not this', () => {
    throw error;
  });

t.test('what is read is handed on', async (t) => {
  t.equal(
    readingAs('CMS_MALFORMED', 'not this', () => 5),
    5,
  );
});

t.test('a malformed part makes the whole malformed, and is its cause', async (t) => {
  const cause = new EnvelopeError('CERTIFICATE_MALFORMED', 'a part is wrong');
  t.throws(read(cause), { code: 'CMS_MALFORMED', message: 'not this: a part is wrong', cause });
});

t.test('an algorithm that is not supported stays that', async (t) => {
  const cause = new EnvelopeError('ALGORITHM_UNSUPPORTED', 'SHA-1');
  t.throws(read(cause), { code: 'ALGORITHM_UNSUPPORTED', message: 'not this: SHA-1' });
});

t.test('an error of ours is not taken for one in the bytes', async (t) => {
  const error = new TypeError('ours');
  t.throws(read(error), error);
});
