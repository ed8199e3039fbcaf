import { makeChain, type TestName } from '../../support/test-ca.ts';
import { type Case, type CaseOptions, makeCase, signature } from './case.ts';

const prefix = 'x509.subject: ';
const plain = 'C=US, ST=WA, O=acme, CN=acme release';

type Row = readonly [
  title: string,
  subject: string | TestName,
  trusted: string | readonly string[],
  notation: Case['notation'],
  options?: CaseOptions,
];

const untrusted = /trusted identit|parsing the certificate subject/i;
const badPolicy = /trust policy statement|distinguished name/;

const rows: readonly Row[] = [
  ['the whole subject', plain, plain, 'accepts'],
  ['the attributes that must be there', plain, 'C=US, ST=WA, O=acme', 'accepts'],
  ['the attributes in another order', plain, 'O=acme, CN=acme release, ST=WA, C=US', 'accepts'],
  ['the attributes without spaces', plain, 'C=US,ST=WA,O=acme', 'accepts'],
  ['the state as S', plain, 'C=US, S=WA, O=acme', 'accepts'],
  ['another country', plain, 'C=CA, ST=WA, O=acme', untrusted],
  ['another state', plain, 'C=US, ST=OR, O=acme', untrusted],
  ['another organization', plain, 'C=US, ST=WA, O=acme inc', untrusted],
  ['another common name', plain, 'C=US, ST=WA, O=acme, CN=other', untrusted],
  ['the organization in another case', plain, 'C=US, ST=WA, O=ACME', untrusted],
  ['a part of the organization', plain, 'C=US, ST=WA, O=acm', untrusted],
  ['an attribute that the subject lacks', plain, 'C=US, ST=WA, O=acme, OU=release', untrusted],
  [
    'two identities of which one fits',
    plain,
    ['C=US, ST=WA, O=other', 'C=US, ST=WA, O=acme'],
    'accepts',
  ],
  [
    'two identities of which none fits',
    plain,
    ['C=US, ST=WA, O=other', 'C=US, ST=OR, O=acme'],
    untrusted,
  ],
  [
    'a locality and a unit',
    `${plain}, L=Seattle, OU=release`,
    'C=US, ST=WA, L=Seattle, O=acme, OU=release',
    'accepts',
  ],
  [
    'a value with a comma',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'acme, inc']]],
    'C=US, ST=WA, O=acme\\, inc',
    'accepts',
  ],
  [
    'a value with a plus',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'acme+co']]],
    'C=US, ST=WA, O=acme\\+co',
    'accepts',
  ],
  [
    'a value with an equals sign',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'a=b']]],
    'C=US, ST=WA, O=a\\=b',
    'accepts',
  ],
  [
    'a value with a quote',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'say "hi"']]],
    'C=US, ST=WA, O=say \\"hi\\"',
    'accepts',
  ],
  [
    'a value with a backslash',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'a\\b']]],
    'C=US, ST=WA, O=a\\\\b',
    'accepts',
  ],
  ['a value in hexadecimal escapes', plain, 'C=US, ST=WA, O=ac\\6de', 'accepts'],
  [
    'a value beyond ASCII',
    [[['C', 'DE']], [['ST', 'BY']], [['O', 'Käse']]],
    'C=DE, ST=BY, O=Käse',
    'accepts',
  ],
  [
    'a value that begins with a number sign',
    [[['C', 'US']], [['ST', 'WA']], [['O', '#1']]],
    'C=US, ST=WA, O=\\#1',
    'accepts',
  ],
  [
    'a value that ends with a space',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'acme ']]],
    'C=US, ST=WA, O=acme\\ ',
    'accepts',
  ],
  [
    'a value with spaces inside',
    [[['C', 'US']], [['ST', 'WA']], [['O', 'a  b']]],
    'C=US, ST=WA, O=a  b',
    'accepts',
  ],
  [
    'what a subject with two units has',
    'C=US, ST=WA, O=acme, OU=a, OU=b',
    'C=US, ST=WA, O=acme',
    untrusted,
  ],
  [
    'what a subject with a joined attribute has',
    'C=US, ST=WA, O=acme+OU=a',
    'C=US, ST=WA, O=acme',
    'accepts',
    { difference: 'joined-attributes' },
  ],
  [
    'what a subject with an e-mail address has',
    `${plain}, E=a@acme.example`,
    'C=US, ST=WA, O=acme',
    untrusted,
  ],
  ['what a subject without a state lacks', 'C=US, O=acme', 'C=US, ST=WA, O=acme', untrusted],
  [
    'a street and a serial number',
    `${plain}, STREET=1 Main, SERIALNUMBER=7`,
    'C=US, ST=WA, O=acme, STREET=1 Main, SERIALNUMBER=7',
    'accepts',
  ],
  [
    'a postal code',
    `${plain}, POSTALCODE=98101`,
    'C=US, ST=WA, O=acme, POSTALCODE=98101',
    'accepts',
  ],
  ['a domain component', `${plain}, DC=example`, 'C=US, ST=WA, O=acme', untrusted],

  ['no country', plain, 'ST=WA, O=acme', badPolicy],
  ['no state', plain, 'C=US, O=acme', badPolicy],
  ['no organization', plain, 'C=US, ST=WA', badPolicy],
  ['an empty organization', plain, 'C=US, ST=WA, O=', badPolicy],
  ['the organization twice', plain, 'C=US, ST=WA, O=acme, O=acme', badPolicy],
  ['both S and ST', plain, 'C=US, ST=WA, S=WA, O=acme', badPolicy],
  ['a joined attribute', plain, 'C=US, ST=WA, O=acme+OU=a', badPolicy],
  ['a value in hexadecimal', plain, 'C=US, ST=WA, O=#0c0461636d65', badPolicy],
  ['an attribute without a value', plain, 'C=US, ST=WA, O=acme, CN', badPolicy],
  ['attribute types in small letters', plain, 'c=US, st=WA, o=acme', badPolicy],
  ['an unfinished escape', plain, 'C=US, ST=WA, O=acme\\', badPolicy],
  ['nothing', plain, '', badPolicy],
  [
    'one identity within another',
    plain,
    ['C=US, ST=WA, O=acme', 'C=US, ST=WA, O=acme, CN=acme release'],
    /overlap/,
  ],
  ['the same identity twice', plain, ['C=US, ST=WA, O=acme', 'C=US, ST=WA, O=acme'], /overlap/],
];

const lists: readonly (readonly [string, readonly unknown[], Case['notation'], CaseOptions?])[] = [
  ['anybody', ['*'], 'accepts'],
  ['anybody and somebody', ['*', `${prefix}C=US, ST=WA, O=acme`], badPolicy],
  ['nobody', [], /trusted identities/],
  ['an identity of a kind nobody knows', ['acme.id:release'], untrusted],
  [
    'an identity of a kind nobody knows, and one that fits',
    ['acme.id:release', `${prefix}C=US, ST=WA, O=acme`],
    'accepts',
    { difference: 'other-identity-kinds' },
  ],
  ['an identity without a kind', ['C=US; ST=WA; O=acme'], badPolicy],
  ['an empty text', [''], badPolicy],
  ['a kind without a name', ['x509.subject:'], badPolicy],
  ['a number', [7], /malformed/],
];

/** Which leaf subjects meet which trusted identities. */
export const identityCases: readonly Case[] = [
  ...rows.map(([title, subject, trusted, notation, options]) => {
    const chain = makeChain({ leaf: { subject } });
    const trustedIdentities = [trusted].flat().map((name) => `${prefix}${name}`);
    const policy = { trustedIdentities };
    return makeCase(`an identity that asks for ${title}`, [signature('jws', { chain })], notation, {
      policy,
      ...options,
    });
  }),
  ...lists.map(([title, trustedIdentities, notation, options]) =>
    makeCase(`a list of identities that has ${title}`, [signature('jws')], notation, {
      policy: { trustedIdentities },
      ...options,
    }),
  ),
];
