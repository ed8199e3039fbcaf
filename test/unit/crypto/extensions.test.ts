import t from 'tap';
import { readDer } from '../../../src/crypto/der.ts';
import { readExtensions } from '../../../src/crypto/extensions.ts';
import type { KeyUsageBit } from '../../../src/crypto/x509.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { makeChain } from '../../support/test-ca.ts';

const extension = (oid: string, value: Uint8Array, critical?: Uint8Array): Uint8Array =>
  asn1.sequence(asn1.oid(oid), ...(critical === undefined ? [] : [critical]), asn1.octets(value));
type Read = ReturnType<typeof readExtensions>;
const readAll = (...items: readonly Uint8Array[]): Read =>
  readExtensions(readDer(asn1.sequence(...items)));
const read = (...items: readonly Uint8Array[]): Omit<Read, 'extensions'> => {
  const { extensions: _, ...understood } = readAll(...items);
  return understood;
};
const refusal = (message: RegExp) => ({ code: 'CERTIFICATE_MALFORMED', message });

const basicConstraints = '2.5.29.19';
const keyUsage = '2.5.29.15';
const extendedKeyUsage = '2.5.29.37';
const crlDistributionPoints = '2.5.29.31';
const authorityInfoAccess = '1.3.6.1.5.5.7.1.1';
const url = (text: string): Uint8Array => asn1.implicit(6, Buffer.from(text));
const ca = asn1.sequence(asn1.boolean(true));

t.test('a certificate without extensions has none', async (t) => {
  t.strictSame(readExtensions(undefined), { ocspUrls: [], crlUrls: [], extensions: new Map() });
});

t.test('every extension is there as it stands, known or not', async (t) => {
  const { extensions } = readAll(
    extension(basicConstraints, ca, asn1.boolean(true)),
    extension('1.2.3.4', asn1.nothing()),
  );
  t.same([...extensions.keys()], [basicConstraints, '1.2.3.4']);
  t.strictSame(extensions.get(basicConstraints)?.critical, true);
  t.strictSame(extensions.get('1.2.3.4')?.critical, false);
  t.strictSame(extensions.get('1.2.3.4')?.value, Buffer.from(asn1.nothing()));
});

t.test('basic constraints are read with their criticality and path length', async (t) => {
  const critical = asn1.boolean(true);
  const none = { ocspUrls: [], crlUrls: [] };
  t.same(read(extension(basicConstraints, ca, critical)), {
    ...none,
    basicConstraints: { critical: true, isCa: true },
  });
  t.same(read(extension(basicConstraints, asn1.sequence())), {
    ...none,
    basicConstraints: { critical: false, isCa: false },
  });
  const withLength = asn1.sequence(asn1.boolean(true), asn1.integer(0));
  t.same(read(extension(basicConstraints, withLength, asn1.boolean(false))), {
    ...none,
    basicConstraints: { critical: false, isCa: true, pathLength: 0 },
  });
});

t.test('every bit of the key usage is read as itself', async (t) => {
  const bits: readonly KeyUsageBit[] = [
    'digitalSignature',
    'contentCommitment',
    'keyEncipherment',
    'dataEncipherment',
    'keyAgreement',
    'keyCertSign',
    'cRLSign',
    'encipherOnly',
    'decipherOnly',
  ];
  for (const bit of bits) {
    const { der } = makeChain({ leaf: { keyUsage: { bits: [bit] } } }).leaf;
    t.same(readCertificate(der).keyUsage, { critical: true, bits: new Set([bit]) }, bit);
  }
  const { der } = makeChain({ leaf: { keyUsage: { bits, critical: false } } }).leaf;
  t.same(readCertificate(der).keyUsage, { critical: false, bits: new Set(bits) });
});

t.test('the sources of revocation are read', async (t) => {
  const { der } = makeChain({
    leaf: { ocspUrls: ['http://a/', 'http://b/'], crlUrls: ['http://c/'] },
  }).leaf;
  const { ocspUrls, crlUrls } = readCertificate(der);
  t.same(ocspUrls, ['http://a/', 'http://b/']);
  t.same(crlUrls, ['http://c/']);
});

t.test('access that is not OCSP is no source of revocation', async (t) => {
  const issuers = asn1.sequence(asn1.oid('1.3.6.1.5.5.7.48.2'), url('http://a/'));
  t.same(read(extension(authorityInfoAccess, asn1.sequence(issuers))).ocspUrls, []);
});

t.test('a source that has no URL is a source all the same', async (t) => {
  const directory = asn1.explicit(4, asn1.sequence());
  const access = asn1.sequence(asn1.oid('1.3.6.1.5.5.7.48.1'), directory);
  const { ocspUrls } = read(extension(authorityInfoAccess, asn1.sequence(access)));
  t.same(ocspUrls, ['unsupported:no-url']);
  const onlyIssuer = asn1.sequence(asn1.explicit(2, directory));
  const points = asn1.sequence(
    onlyIssuer,
    asn1.sequence(asn1.explicit(0, asn1.explicit(0, directory))),
  );
  const { crlUrls } = read(extension(crlDistributionPoints, points));
  t.same(crlUrls, ['unsupported:no-url', 'unsupported:no-url']);
});

t.test('an extension that is not known is passed by', async (t) => {
  const unknown = extension('1.2.3.4', Buffer.from('anything'), asn1.boolean(true));
  t.same(read(unknown), { ocspUrls: [], crlUrls: [] });
});

const refused: Readonly<Record<string, [item: readonly Uint8Array[], why: RegExp]>> = {
  'the same extension twice': [
    [extension(basicConstraints, ca), extension(basicConstraints, ca)],
    /stands twice/,
  ],
  'an extension without a value': [[asn1.sequence(asn1.oid(keyUsage))], /value of 2.5.29.15/],
  'an extension of four parts': [
    [
      asn1.sequence(
        asn1.oid(keyUsage),
        asn1.boolean(true),
        asn1.boolean(true),
        asn1.octets(asn1.bits(Uint8Array.of(0x80), 7)),
      ),
    ],
    /no triple/,
  ],
  'a criticality that is no boolean': [
    [extension(keyUsage, asn1.bits(Uint8Array.of(0x80), 7), asn1.integer(1))],
    /another type/,
  ],
  'a criticality of 1': [
    [extension(keyUsage, asn1.bits(Uint8Array.of(0x80), 7), asn1.der(1, Uint8Array.of(1)))],
    /BOOLEAN/,
  ],
  'a value that is not DER': [
    [extension(basicConstraints, Buffer.from('30800000', 'hex'))],
    /length is wrong/,
  ],
  'a boolean in it that is not DER': [
    [extension(basicConstraints, Buffer.from('3003010101', 'hex'))],
    /BOOLEAN/,
  ],
  'a value of another type': [
    [extension(keyUsage, asn1.integer(5))],
    /keyUsage is missing or of another type/,
  ],
  'a negative path length': [
    [
      extension(
        basicConstraints,
        asn1.sequence(asn1.boolean(true), asn1.der(2, Uint8Array.of(0xff))),
      ),
    ],
    /path length of basicConstraints is not from 0/,
  ],
  'a path length past all numbers': [
    [
      extension(
        basicConstraints,
        asn1.sequence(asn1.boolean(true), asn1.der(2, Buffer.alloc(12, 0x11))),
      ),
    ],
    /path length of basicConstraints is not from 0/,
  ],
  'no purposes in the extended key usage': [
    [extension(extendedKeyUsage, asn1.sequence())],
    /is empty/,
  ],
  'more than 64 purposes': [
    [
      extension(
        extendedKeyUsage,
        asn1.sequence(...Array.from({ length: 65 }, () => asn1.oid('1.2.3'))),
      ),
    ],
    /more than 64 purposes/,
  ],
  'a purpose that is no identifier': [
    [extension(extendedKeyUsage, asn1.sequence(asn1.integer(1)))],
    /a purpose is missing or of another type/,
  ],
  'basic constraints that go on': [
    [
      extension(
        basicConstraints,
        asn1.sequence(asn1.boolean(true), asn1.integer(0), asn1.integer(0)),
      ),
    ],
    /goes on/,
  ],
  'a path length of another type': [
    [extension(basicConstraints, asn1.sequence(asn1.utf8('1')))],
    /path length of basicConstraints is missing or of another type/,
  ],
  'bits of a key usage that nobody knows': [
    [extension(keyUsage, asn1.bits(Uint8Array.of(0x80, 0, 0)))],
    /can't be read/,
  ],
  'a key usage without bits': [
    [extension(keyUsage, asn1.der(3, Buffer.alloc(0)))],
    /can't be read/,
  ],
};

for (const [what, [items, why]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(...items), refusal(why));
  });
}
