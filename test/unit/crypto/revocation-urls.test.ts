import t from 'tap';
import { noUrl, readCrlUrls, readOcspUrls } from '../../../src/crypto/revocation-urls.ts';
import * as asn1 from '../../support/der-encoder.ts';

const refusal = (message: RegExp) => ({ code: 'CERTIFICATE_MALFORMED', message });
const url = (text: string): Uint8Array => asn1.implicit(6, Buffer.from(text));
const directory = asn1.explicit(4, asn1.sequence());
const access = (...fields: readonly Uint8Array[]) => asn1.sequence(...fields);
const ocsp = asn1.oid('1.3.6.1.5.5.7.48.1');
const readOcsp = (...items: readonly Uint8Array[]) =>
  readOcspUrls({ value: asn1.sequence(...items) });
const list = (tag: number, ...items: readonly Uint8Array[]) => asn1.der(tag, Buffer.concat(items));
const named = (...names: readonly Uint8Array[]) => asn1.explicit(0, list(0xa0, ...names));
const point = (...fields: readonly Uint8Array[]) => asn1.sequence(...fields);
const readCrl = (...points: readonly Uint8Array[]) =>
  readCrlUrls({ value: asn1.sequence(...points) });
const reasons = asn1.implicit(1, Uint8Array.of(6, 0x40));
const issuer = asn1.explicit(2, directory);

t.test('responders are told from other access', async (t) => {
  const issuers = access(asn1.oid('1.3.6.1.5.5.7.48.2'), url('http://c/'));
  t.strictSame(readOcsp(issuers, access(ocsp, url('http://a/')), access(ocsp, directory)), [
    'http://a/',
    noUrl,
  ]);
});

t.test('every name of every point is a source, with a URL or without', async (t) => {
  t.strictSame(readCrl(), []);
  t.strictSame(readCrl(point(named(url('http://a/'), url('http://b/')), reasons, issuer)), [
    'http://a/',
    'http://b/',
  ]);
  t.strictSame(readCrl(point(named(directory, url('http://a/')))), [noUrl, 'http://a/']);
  const relative = point(asn1.explicit(0, asn1.explicit(1, asn1.sequence())));
  t.strictSame(readCrl(point(issuer), relative, point(named()), point()), Array(4).fill(noUrl));
});

const refused: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  'access without a place': [() => readOcsp(access(ocsp)), /has no name/],
  'access that goes on': [() => readOcsp(access(ocsp, url('a'), url('b'))), /goes on/],
  'a place that is no name': [() => readOcsp(access(ocsp, asn1.integer(1))), /has no name/],
  'a URL that is not of ASCII': [() => readOcsp(access(ocsp, url('http://\u00e4/'))), /ASCII/],
  'fields of a point out of order': [() => readCrl(point(issuer, reasons)), /unknown fields/],
  'a point named twice': [
    () => readCrl(point(list(0xa0, list(0xa0), list(0xa0)))),
    /more than one name/,
  ],
  'a name of an unknown kind': [
    () => readCrl(point(list(0xa0, list(0xa2)))),
    /name of a distribution point is missing/,
  ],
};

for (const [what, [read, why]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(read, refusal(why));
  });
}

t.test('more than 64 sources are refused', async (t) => {
  const many = (count: number, each: Uint8Array) => Array.from({ length: count }, () => each);
  const tooMany = refusal(/more than 64 sources/);
  const responder = access(ocsp, url('http://a/'));
  t.equal(readOcsp(...many(64, responder)).length, 64);
  t.throws(() => readOcsp(...many(65, responder)), tooMany);
  t.equal(readCrl(point(named(...many(64, url('http://a/'))))).length, 64);
  t.throws(() => readCrl(point(named(...many(65, url('http://a/'))))), tooMany);
});
