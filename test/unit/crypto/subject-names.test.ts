import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { readSubjectNames, type SubjectName } from '../../../src/crypto/subject-names.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { dnsName, emailName, otherName, uriName } from '../../support/fulcio-certificate.ts';
import { makeChain } from '../../support/test-ca.ts';

const username = '1.3.6.1.4.1.57264.1.7';
const read = (...names: readonly Uint8Array[]): readonly SubjectName[] => {
  const extensions = [{ oid: '2.5.29.17', value: asn1.sequence(...names) }];
  return readSubjectNames(readCertificate(makeChain({ leaf: { extensions } }).leaf.der));
};

t.test('names of every kind that identifies are read, in order', async (t) => {
  const names = read(
    uriName('https://github.com/a/b@refs/heads/main'),
    emailName('a@b.test'),
    dnsName('a.test'),
    otherName(username, asn1.utf8('user é!example.test')),
  );
  t.strictSame(names, [
    { kind: 'uri', value: 'https://github.com/a/b@refs/heads/main' },
    { kind: 'email', value: 'a@b.test' },
    { kind: 'dns', value: 'a.test' },
    { kind: 'username', value: 'user é!example.test' },
  ]);
});

t.test('a certificate without names has none, and other kinds are passed by', async (t) => {
  t.strictSame(readSubjectNames(readCertificate(makeChain().leaf.der)), []);
  const address = asn1.implicit(7, Uint8Array.of(127, 0, 0, 1));
  const upn = otherName('1.3.6.1.4.1.311.20.2.3', asn1.utf8('a@b'));
  t.strictSame(read(address, upn, dnsName('a.test')), [{ kind: 'dns', value: 'a.test' }]);
});

const refused: Readonly<Record<string, readonly Uint8Array[]>> = {
  'a zero byte': [emailName('a@b.test\0.evil.test')],
  'a line break': [uriName('https://a\nhttps://b')],
  'a space': [uriName('https://a b')],
  'a letter that is not ASCII': [dnsName('ä.test')],
  'nothing in it': [emailName('')],
  'an endless name': [uriName(`https://${'a'.repeat(5000)}`)],
  'a user name that is no UTF8String': [otherName(username, asn1.ia5('a'))],
  'a user name that breaks the line': [otherName(username, asn1.utf8('a\u2028b'))],
  'a user name that is no UTF-8': [otherName(username, asn1.der(0x0c, Uint8Array.of(0xff)))],
  'a user name with more behind it': [
    asn1.der(0xa0, asn1.oid(username), asn1.explicit(0, asn1.utf8('a')), asn1.nothing()),
  ],
  'a user name that is not wrapped': [asn1.der(0xa0, asn1.oid(username), asn1.utf8('a'))],
  '65 names': Array.from({ length: 65 }, () => dnsName('a.test')),
};

for (const [what, names] of Object.entries(refused)) {
  t.test(`names with ${what} are refused`, async (t) => {
    t.throws(() => read(...names), { code: 'CERTIFICATE_MALFORMED' });
  });
}
