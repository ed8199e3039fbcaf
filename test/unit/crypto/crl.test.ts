import t from 'tap';
import { maxCrlBytes, readCrl } from '../../../src/crypto/crl.ts';
import { allReasons } from '../../../src/crypto/crl-extensions.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl, type CrlOptions, pointName } from '../../support/test-crl.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const { issuer, leaf } = makeRevocationCase();
const read = (options: Partial<CrlOptions> = {}) => readCrl(buildCrl({ issuer, ...options }));

t.test('a list is read but for its entries', (t) => {
  const crl = read({ revoked: [leaf] });
  t.match(
    datesAsText(crl),
    datesAsText({
      thisUpdate: new Date('2026-01-01T00:00:00Z'),
      nextUpdate: new Date('2049-01-01T00:00:00Z'),
      number: 1n,
      freshestUrls: [],
      scope: { certificates: 'all', reasons: allReasons },
    }),
  );
  t.strictSame(Buffer.from(crl.issuer), Buffer.from(issuer.name));
  t.ok(crl.entries.length > 0);
  t.equal(read().entries.length, 0);
  t.equal(read({ nextUpdate: 'absent' }).nextUpdate, undefined);
  t.equal(read({ number: 'absent' }).number, undefined);
  t.equal(read({ nextUpdate: '2124-01-01T00:00:00Z' }).nextUpdate?.getUTCFullYear(), 2124);
  t.end();
});

t.test('a delta says so, and a list says where its deltas are', (t) => {
  t.match(read({ number: 4098, baseNumber: 4096 }), { number: 4098n, baseNumber: 4096n });
  const urls = ['http://a/delta', 'http://b/delta'];
  t.strictSame(read({ freshestUrls: urls }).freshestUrls, urls);
  t.end();
});

const flag = (number: number): Uint8Array => asn1.implicit(number, Uint8Array.of(0xff));

t.test('a list tells what it is about', (t) => {
  t.match(read({ scope: [pointName('http://a/list')] }).scope, { urls: ['http://a/list'] });
  t.match(read({ scope: [flag(1)] }).scope, { certificates: 'users' });
  t.match(read({ scope: [flag(2)] }).scope, { certificates: 'authorities' });
  // keyCompromise is bit 1, aACompromise bit 8, in its second byte.
  const some = asn1.implicit(3, Uint8Array.of(7, 0x40, 0x80));
  t.match(read({ scope: [some] }).scope, { reasons: 0b1_0000_0010 });
  t.end();
});

const extension = (oid: string, critical: boolean, value: Uint8Array) => ({
  extensions: [{ oid, critical, value }],
});
const refused: Readonly<Record<string, readonly [Partial<CrlOptions>, RegExp]>> = {
  'with a critical extension that is not known': [
    extension('1.2.3', true, asn1.nothing()),
    /critical extension 1\.2\.3/,
  ],
  'with an extension that stands twice': [
    extension('2.5.29.20', false, asn1.integer(2)),
    /stands twice/,
  ],
  'of other issuers': [{ scope: [flag(4)] }, /entries of other issuers/],
  'of attribute certificates': [{ scope: [flag(5)] }, /attribute certificates/],
  'that contradicts itself': [{ scope: [flag(1), flag(2)] }, /contradicts itself/],
  'about what we do not know': [{ scope: [asn1.implicit(6, Uint8Array.of(1))] }, /unknown scope/],
  'with reasons of three bytes': [
    { scope: [asn1.implicit(3, Uint8Array.of(0, 1, 2, 3))] },
    /reasons/,
  ],
  'with a number below zero': [
    { number: 'absent', ...extension('2.5.29.20', false, asn1.der(2, Uint8Array.of(0x80))) },
    /no number/,
  ],
  'with a number of 22 bytes': [
    { number: 'absent', ...extension('2.5.29.20', false, asn1.integer(new Uint8Array(22))) },
    /no number/,
  ],
};

for (const [title, [options, message]] of Object.entries(refused)) {
  t.test(`a list ${title} is refused`, (t) => {
    t.throws(() => read(options), { name: 'EnvelopeError', message });
    t.end();
  });
}

t.test('what is no list is refused', (t) => {
  const refuse = (bytes: Uint8Array): void => {
    t.throws(() => readCrl(bytes), { name: 'EnvelopeError' });
  };
  const whole = buildCrl({ issuer, revoked: [leaf] });
  for (let length = 0; length < whole.length; length += 7) refuse(whole.subarray(0, length));
  refuse(Buffer.concat([whole, Uint8Array.of(0)]));
  refuse(leaf.der);
  refuse(new Uint8Array(maxCrlBytes + 1));
  t.end();
});

t.test('both places name one algorithm, and the version is 2 or absent', (t) => {
  const whole = Buffer.from(buildCrl({ issuer }));
  const algorithm = Buffer.from(asn1.oid('1.2.840.10045.4.3.2'));
  const changed = Buffer.from(whole);
  changed[whole.lastIndexOf(algorithm) + algorithm.length - 1] = 3;
  t.throws(() => readCrl(changed), { message: /two signature algorithms/ });
  const version = Buffer.from(whole);
  version[whole.indexOf(Buffer.from(asn1.integer(1))) + 2] = 2;
  t.throws(() => readCrl(version), { message: /version/ });
  t.end();
});

t.test('what stands beside the entries is small, or nobody looks into it', (t) => {
  const points = (length: number) => ({ freshestUrls: ['x'.repeat(length)] });
  t.equal(read(points(16_000)).freshestUrls.length, 1);
  t.throws(() => read(points(16_384)), {
    code: 'CRL_MALFORMED',
    message: /extensions of more than 16384 bytes/,
  });
  const parts = asn1.sequence(Buffer.alloc(2 * 1024 * 1024, '0500', 'hex'));
  t.throws(() => readCrl(parts), { name: 'EnvelopeError', message: /more than 4096 elements/ });
  t.end();
});
