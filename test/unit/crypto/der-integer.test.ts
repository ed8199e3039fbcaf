import t from 'tap';
import { expectInteger, readCount, readIntegerBytes } from '../../../src/crypto/der-integer.ts';
import { readDer } from '../../../src/crypto/der.ts';
import * as asn1 from '../../support/der-encoder.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const code = 'CERTIFICATE_MALFORMED';

t.test('an integer of any size is read as it stands', async (t) => {
  const long = bytes(...Array.from({ length: 40 }, () => 0x7f));
  t.strictSame(readIntegerBytes(readDer(asn1.integer(long)), 'it'), Buffer.from(long));
  for (const content of [bytes(0), bytes(0x80), bytes(0, 0x80), bytes(0xff, 0x7f)]) {
    t.equal(expectInteger(content, 'it'), content);
  }
});

t.test('an integer in more bytes than it needs, or in none, is refused', async (t) => {
  for (const content of [bytes(), bytes(0, 0), bytes(0, 0x7f), bytes(0xff, 0x80)]) {
    t.throws(() => expectInteger(content, 'it'), { code, message: /it is no INTEGER/ });
  }
  t.throws(() => readIntegerBytes(readDer(asn1.nothing()), 'it'), { code, message: /it is miss/ });
  t.throws(() => readIntegerBytes(undefined, 'it'), { code, message: /it is missing/ });
});

t.test('a count is from 0 to its bound', async (t) => {
  t.equal(readCount(bytes(0), 10, 'it'), 0);
  t.equal(readCount(bytes(10), 10, 'it'), 10);
  t.equal(readCount(bytes(0x7f, 0xff), 65_535, 'it'), 32_767);
  t.equal(readCount(bytes(0, 0xff, 0xff), 65_535, 'it'), 65_535);
  const refused = [bytes(11), bytes(0xff), bytes(1, 0, 0, 0, 0, 0, 0)];
  for (const content of refused) {
    t.throws(() => readCount(content, 10, 'it'), { code, message: /it is not from 0 to 10/ });
  }
  t.throws(() => readCount(bytes(0, 5), 10, 'it'), { code, message: /fewest bytes/ });
});
