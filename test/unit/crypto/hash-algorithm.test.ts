import { createHash } from 'node:crypto';
import t from 'tap';
import { readDer } from '../../../src/crypto/der.ts';
import { isHashOf, readHashAlgorithm } from '../../../src/crypto/hash-algorithm.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { hashAlgorithm } from '../../support/sign-timestamp.ts';

const sha256 = asn1.oid('2.16.840.1.101.3.4.2.1');

t.test('a hash is read, with NULL for its parameters or with none', async (t) => {
  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    t.equal(readHashAlgorithm(readDer(hashAlgorithm(hash)), 'it'), hash);
  }
  t.equal(readHashAlgorithm(readDer(asn1.sequence(sha256)), 'it'), 'sha256');
});

t.test('SHA-1 and whatever else is not known is refused', async (t) => {
  const refused = [
    hashAlgorithm('sha1'),
    asn1.sequence(asn1.oid('1.2.3')),
    asn1.sequence(sha256, asn1.sequence()),
    asn1.sequence(sha256, asn1.nothing(), asn1.nothing()),
  ];
  for (const algorithm of refused) {
    t.throws(() => readHashAlgorithm(readDer(algorithm), 'it'), {
      code: 'ALGORITHM_UNSUPPORTED',
      message: /it is [0-9.]+, which is not accepted/,
    });
  }
  t.throws(() => readHashAlgorithm(undefined, 'it'), { code: 'CERTIFICATE_MALFORMED' });
});

t.test('a digest is of the bytes, whole and by that hash', async (t) => {
  const bytes = Buffer.from('hello');
  const digest = createHash('sha256').update(bytes).digest();
  t.ok(isHashOf('sha256', digest, bytes));
  t.notOk(isHashOf('sha256', digest, Buffer.from('hullo')));
  t.notOk(isHashOf('sha384', digest, bytes));
  t.notOk(isHashOf('sha256', digest.subarray(0, 31), bytes));
  t.notOk(isHashOf('sha256', new Uint8Array(), bytes));
});
