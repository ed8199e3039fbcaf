import t from 'tap';
import { readDer } from '../../../../src/crypto/der.ts';
import { readName } from '../../../../src/crypto/name.ts';
import { checkTrustedIdentity } from '../../../../src/formats/notation/trusted-identity.ts';
import type { DistinguishedName } from '../../../../src/verdict/identity-requirement.ts';
import { encodeName, type TestName } from '../../../support/test-certificate.ts';

const name = (text: string | TestName) => readName(readDer(encodeName(text)), 'the subject');
const listed = (pairs: Readonly<Record<string, string>>): DistinguishedName =>
  new Map(Object.entries(pairs));
const acme = listed({ C: 'US', ST: 'WA', O: 'acme' });

const matching: Readonly<Record<string, [subject: string, identity: DistinguishedName]>> = {
  'all of its attributes': ['C=US, ST=WA, O=acme', acme],
  'some of its attributes': ['C=US, ST=WA, L=Seattle, O=acme, OU=ci, CN=release', acme],
  'attributes in another order': ['O=acme, ST=WA, C=US', acme],
  'every type that can be listed': [
    'CN=a, SERIALNUMBER=b, C=c, L=d, ST=e, STREET=f, O=g, OU=h, POSTALCODE=i',
    listed({
      CN: 'a',
      SERIALNUMBER: 'b',
      C: 'c',
      L: 'd',
      ST: 'e',
      STREET: 'f',
      O: 'g',
      OU: 'h',
      POSTALCODE: 'i',
    }),
  ],
};

for (const [what, [subject, identity]] of Object.entries(matching)) {
  t.test(`a subject matches a name that lists ${what}`, async (t) => {
    const finding = checkTrustedIdentity(name(subject), [listed({ O: 'other' }), identity]);
    t.match(finding, { outcome: 'passed', evidence: { subject: name(subject).text } });
  });
}

t.test('the evidence shows the listed name', async (t) => {
  const finding = checkTrustedIdentity(name('C=US, ST=WA, O=acme'), [acme]);
  t.match(finding, { evidence: { trusted: 'C=US, ST=WA, O=acme' } });
});

const others: Readonly<Record<string, string | TestName>> = {
  'another value': 'C=US, ST=WA, O=other',
  'a value in another case': 'C=US, ST=WA, O=ACME',
  'a longer value': 'C=US, ST=WA, O=acme2',
  'an attribute missing': 'C=US, ST=WA',
  'the value in another type': 'C=US, ST=WA, CN=acme',
  'no attributes': [],
  'a type twice, the same': 'C=US, ST=WA, O=acme, O=acme',
  'a type twice, the right one first': 'C=US, ST=WA, O=acme, O=other',
  'a type twice, the right one last': 'C=US, ST=WA, O=other, O=acme',
  'another type twice': 'C=US, ST=WA, O=acme, CN=a, CN=b',
  'several attributes in one part': 'C=US, ST=WA, O=acme+OU=a',
  'a type that no policy can list': 'C=US, ST=WA, O=acme, E=a@b',
  'a domain component, which none can list': 'C=US, ST=WA, O=acme, DC=acme',
  'a type by its number alone': [
    ...name('C=US, ST=WA, O=acme').rdns.map(() => [['C', 'US']] as const),
    [['1.2.3.4', 'a']],
  ],
};

for (const [what, subject] of Object.entries(others)) {
  t.test(`a subject with ${what} matches nothing but *`, async (t) => {
    t.match(checkTrustedIdentity(name(subject), [acme]), {
      outcome: 'failed',
      reason: 'no-trusted-signer',
    });
    t.match(checkTrustedIdentity(name(subject), '*'), {
      outcome: 'passed',
      evidence: { trusted: '*' },
    });
  });
}

t.test('no name, and a name without attributes, match nobody', async (t) => {
  t.match(checkTrustedIdentity(name('O=acme'), []), { outcome: 'failed' });
  t.match(checkTrustedIdentity(name('O=acme'), [listed({})]), { outcome: 'failed' });
});

t.test('a name with an empty part, which no reader makes, matches nobody', async (t) => {
  const odd = { ...name('O=acme'), rdns: [[]] };
  t.match(checkTrustedIdentity(odd, [listed({ O: 'acme' })]), { outcome: 'failed' });
});
