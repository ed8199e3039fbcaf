import t from 'tap';
import { writeTrustedIdentities } from '../../../../src/formats/notation/written-identity.ts';

t.test('all is all, and names are written as a policy has them', async (t) => {
  t.same(writeTrustedIdentities('*'), ['*']);
  const names = [
    new Map([
      ['C', 'US'],
      ['ST', 'WA'],
      ['O', 'acme'],
    ]),
    new Map([['O', 'b']]),
  ];
  t.same(writeTrustedIdentities(names), ['x509.subject: C=US, ST=WA, O=acme', 'x509.subject: O=b']);
});

const escaped = [
  ['a, b', 'a\\, b'],
  ['a+b"c;d<e>f\\g', 'a\\+b\\"c\\;d\\<e\\>f\\\\g'],
  ['#a', '\\#a'],
  [' a ', '\\ a\\ '],
  [' ', '\\ '],
  ['a#b c', 'a#b c'],
  ['a\0b', 'a\\00b'],
] as const;

for (const [value, written] of escaped) {
  t.test(`${JSON.stringify(value)} is escaped as RFC 4514 says`, async (t) => {
    t.same(writeTrustedIdentities([new Map([['O', value]])]), [`x509.subject: O=${written}`]);
  });
}
